"""The HELLO that distinguishes a controller from other listeners; one check uses Ryu itself."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ryu.ofproto import ofproto_v1_4, ofproto_v1_4_parser
from ryu.ofproto.ofproto_protocol import ProtocolDesc

from dvr_ryu.companion.check import site
from dvr_ryu.companion.check.finding import Verdict
from dvr_ryu.companion.check.hello import NoHello, exchange
from dvr_ryu.topology.controller import Controller

SECONDS = 5.0


def hello(version: int, bitmap: int | None = None, kind: int = 0) -> bytes:
    element = b"" if bitmap is None else struct.pack("!HHI", 1, 8, bitmap)
    return struct.pack("!BBHI", version, kind, 8 + len(element), 7) + element


def answered(answer: bytes, seconds: float = SECONDS) -> str:
    """The result of `exchange` with a peer that sends this, and then nothing more."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(answer)
        theirs.shutdown(socket.SHUT_WR)
        return exchange(ours, seconds)


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        (hello(5, 0b110000), "1.4"),
        (hello(4, 0b010000), "1.3"),
        (hello(4), "1.3"),
        (hello(6), "1.4"),
        (hello(1, 0b110010), "1.4"),
        (hello(5)[:2] + struct.pack("!HI", 12, 1) + struct.pack("!HH", 9, 4), "1.4"),
    ],
)
def test_a_hello_tells_which_version_both_speak(answer: bytes, version: str) -> None:
    assert answered(answer) == version


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "closes the connection"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak OpenFlow"),
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", "does not speak OpenFlow"),
        (hello(0), "does not speak OpenFlow"),
        (hello(5, kind=2), "does not speak OpenFlow"),
        (struct.pack("!BBHI", 5, 0, 7, 1), "does not speak OpenFlow"),
        (struct.pack("!BBHI", 5, 0, 65535, 1), "does not speak OpenFlow"),
        (hello(5, kind=1), "refuses our HELLO"),
        (hello(1), "does not speak OpenFlow 1.3 or 1.4"),
        (hello(5, 0b10), "does not speak OpenFlow 1.3 or 1.4"),
    ],
)
def test_all_else_is_no_controller(answer: bytes, reason: str) -> None:
    with pytest.raises(NoHello, match=reason):
        answered(answer)


@given(st.binary(max_size=60))
def test_no_answer_hangs_or_breaks_it(elements: bytes) -> None:
    answer = struct.pack("!BBHI", 5, 0, 8 + len(elements), 1) + elements
    with suppress(NoHello):
        assert answered(answer) in ("1.3", "1.4")


def test_ryu_reads_what_we_send() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(hello(5))
        exchange(ours, SECONDS)
        sent = theirs.recv(100)
    version, kind, length, xid = struct.unpack_from("!BBHI", sent)
    assert length == len(sent)
    read = ofproto_v1_4_parser.msg_parser(
        ProtocolDesc(version=ofproto_v1_4.OFP_VERSION), version, kind, length, xid, sent
    )
    assert [each.versions for each in read.elements] == [[4, 5]]


def _served(serve: Callable[[socket.socket], object]) -> list[tuple[str, str]]:
    """The findings of `companion check` on a controller that does this with each connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            connected, _ = listener.accept()
            with connected:
                serve(connected)

        thread = threading.Thread(target=accept)
        thread.start()
        found = list(site._controller(Controller("127.0.0.1", listener.getsockname()[1])))
        thread.join()
    return [(each.verdict.name, each.seen) for each in found]


def test_what_only_listens_does_not_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "SECONDS", 0.2)
    ((verdict, seen),) = _served(lambda connected: connected.recv(100) and connected.recv(100))
    assert (verdict, seen.partition(" does")[2]) == ("WARN", " not answer: timed out")
    ((verdict, seen),) = _served(lambda connected: connected.sendall(b"220 mail\r\n"))
    assert verdict == "WARN" and "is not our controller: what answers" in seen
    ((verdict, seen),) = _served(lambda connected: connected.sendall(hello(5, 0b110000)))
    assert verdict == "PASS" and seen.endswith("answers with OpenFlow 1.4")
    assert Verdict[verdict] is Verdict.PASS
