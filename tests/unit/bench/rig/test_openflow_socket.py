"""The benchmark's own controller socket, fake switch and relay, each tested against the other."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from bench.rig.fake_switch import FakeSwitch
from bench.rig.openflow import BARRIER_REQUEST, BUNDLE_ADD, BUNDLE_CONTROL, ERROR, Message
from bench.rig.openflow_socket import Connection, Listener
from bench.rig.relay import Relay

CHANGES = [
    Message(BUNDLE_CONTROL, 11, bytes(8)),
    Message(BUNDLE_ADD, 12, bytes(5_000)),
    Message(BARRIER_REQUEST, 13, b""),
]


@pytest.fixture
def listener() -> Iterator[Listener]:
    with closing(Listener()) as listening:
        yield listening


def accepted(listener: Listener, fake: FakeSwitch, pool: ThreadPoolExecutor) -> Connection:
    pool.submit(fake.await_change)
    (connection,) = listener.accept()
    return connection


def test_a_relay_passes_all_on_and_keeps_it(listener: Listener) -> None:
    relay = Relay(listener.port)
    try:
        port = int(relay.target.rpartition(":")[2])
        with (
            ThreadPoolExecutor() as pool,
            closing(FakeSwitch(port, "a/br-tun", {})) as fake,
            closing(accepted(listener, fake, pool)) as connection,
        ):
            assert connection.datapath_id == 1
            assert connection.write(CHANGES) > 0
            pool.submit(fake.await_change)
            connection.dump()
            connection.write(CHANGES[-1:])
        (tape,) = relay.tapes
        assert tape.changes() == [*CHANGES, CHANGES[-1]]
        assert tape.datapath_id() == 1
        assert tape.requested_flows() <= tape.sent_flows() <= tape.passed_barrier()
    finally:
        relay.stop()


def test_a_refusal_is_not_taken_for_an_answer(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = Message(ERROR, 12, bytes(4))
    with (
        ThreadPoolExecutor() as pool,
        closing(FakeSwitch(listener.port, "a/br-tun", {})) as fake,
        closing(accepted(listener, fake, pool)) as connection,
    ):
        monkeypatch.setattr(fake, "_answer", lambda message: refusal)
        with pytest.raises(AssertionError, match="error"):
            connection.write(CHANGES)
