"""A port that an instance has left is shut, without waiting for a bridge that does not do it."""

from __future__ import annotations

from typing import Any, cast

import pytest
from ryu.ofproto.ofproto_protocol import ProtocolDesc

from dvr_ryu.switch.bridge import SHUT_SECONDS, Bridge
from dvr_ryu.switch.guard.identity import BridgeName
from dvr_ryu.switch.ports import PORT_DOWN, Ports, SwitchPort

NAME = "tap0"


class Datapath(ProtocolDesc):  # type: ignore[misc]
    """A switch that takes messages while it has room, and does nothing."""

    def __init__(self) -> None:
        super().__init__(version=5)
        self.sent: list[Any] = []
        self.has_room = True
        self.peer = "10.0.0.1:2"

    def send_msg(self, message: Any) -> None:
        self.sent.append(message)


@pytest.fixture
def datapath() -> Datapath:
    return Datapath()


@pytest.fixture
def bridge(datapath: Datapath) -> Bridge:
    made = Bridge(cast(Any, datapath), cast(Any, None), cast(Any, None))
    made._name = BridgeName("h1", "br-int")
    made._ports = Ports([(NAME, SwitchPort(7, "02:00:00:00:00:01", True))])
    return made


def test_a_bridge_that_does_not_shut_a_port_is_told_rarely(
    bridge: Bridge, datapath: Datapath, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    caplog.set_level("INFO")
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    for _ in range(100):
        bridge.shut(NAME)
    (message,) = datapath.sent
    assert (message.port_no, message.config, message.mask) == (7, PORT_DOWN, PORT_DOWN)
    assert caplog.text.count("h1/br-int shuts tap0") == 1
    now += SHUT_SECONDS
    bridge.shut(NAME)
    assert len(datapath.sent) == 2


def test_nobody_waits_for_a_bridge_that_reads_nothing(bridge: Bridge, datapath: Datapath) -> None:
    datapath.has_room = False
    bridge.shut(NAME)
    assert datapath.sent == []
    datapath.has_room = True
    bridge.shut(NAME)
    assert len(datapath.sent) == 1
