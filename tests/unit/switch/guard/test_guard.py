"""Bytes in, whole harmless messages out, or an end with one reason."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from ryu.ofproto import ofproto_protocol, ofproto_v1_3_parser, ofproto_v1_4_parser

from dvr_ryu.switch.guard.guard import MOST_OF_AN_ANSWER, MOST_OF_AN_ERROR, MessageGuard
from dvr_ryu.switch.guard.openflow import About, Kind, Malformed, Message
from tests import openflow_messages as of

READERS = {4: ofproto_v1_3_parser.msg_parser, 5: ofproto_v1_4_parser.msg_parser}
SPOKEN = (of.V1_3, of.V1_4)
FEATURES, DESCRIPTION, PORTS, FLOWS, AGGREGATE, BARRIER = range(10, 16)
"""Transaction ids of what is asked once there is a HELLO."""
BITMAP_OF_0 = bytes.fromhex("0500000c0000000100020000")
ELEMENT_OF_0 = bytes.fromhex("0500000c0000000100010000")


def asked(guard: MessageGuard) -> None:
    guard.ask(FEATURES, Kind.FEATURES_REPLY)
    guard.ask(DESCRIPTION, Kind.MULTIPART_REPLY, About.DESCRIPTION)
    guard.ask(PORTS, Kind.MULTIPART_REPLY, About.PORTS)
    guard.ask(FLOWS, Kind.MULTIPART_REPLY, About.FLOWS)
    guard.ask(AGGREGATE, Kind.MULTIPART_REPLY, About.AGGREGATE)
    guard.ask(BARRIER, Kind.BARRIER_REPLY)


def outcome(pieces: Iterable[bytes]) -> tuple[list[Message], str | None]:
    """What passes of a switch's bytes, and why it ends, if it does."""
    guard, passed = MessageGuard(SPOKEN), list[Message]()
    try:
        for piece in pieces:
            for message in guard.feed(piece):
                passed.append(message)
                if message.kind == Kind.HELLO:
                    asked(guard)
    except Malformed as end:
        return passed, str(end)
    return passed, None


def reason(*messages: bytes) -> str:
    passed, end = outcome(messages)
    assert end is not None and len(passed) == len(messages) - 1
    return end


def entries(version: int) -> Iterator[tuple[str, bytes]]:
    """Well-formed messages of one version, after HELLO."""
    ports = of.port(version, 1, b"a") + of.port(version, 2, b"b")
    yield "features", of.features(version, FEATURES)
    yield "description", of.description(version, DESCRIPTION, b"h/br-int")
    yield "ports", of.multipart(version, of.PORTS, PORTS, ports)
    yield "a part of ports", of.multipart(version, of.PORTS, PORTS, ports, of.MORE)
    yield "flows", of.multipart(version, of.FLOWS, FLOWS, of.flow_entry())
    yield "no flows", of.multipart(version, of.FLOWS, FLOWS)
    yield "aggregate", of.multipart(version, of.AGGREGATE, AGGREGATE, bytes(24))
    yield "barrier", of.message(version, of.BARRIER, BARRIER)
    yield "error", of.error(version, FLOWS)
    yield "experimenter's error", of.error(version, FLOWS, 0xFFFF, 1, bytes(4))
    yield "echo request", of.message(version, of.ECHO_REQUEST, 5, b"some")
    yield "echo reply", of.message(version, of.ECHO_REPLY, 5)
    for number in range(3):
        status = of.port_status(version, 0, number, of.port(version, 1, b"a"))
        yield f"port status {number}", status


WELL_FORMED = {
    f"{name} of {version}": (version, content)
    for version in SPOKEN
    for name, content in entries(version)
}


@pytest.mark.parametrize("name", WELL_FORMED)
def test_what_a_switch_sends_passes(name: str) -> None:
    version, content = WELL_FORMED[name]
    hello = of.hello(version)
    passed, end = outcome([hello + content])
    assert end is None
    assert [each.content for each in passed] == [hello, content]


@pytest.mark.parametrize("version", SPOKEN)
def test_what_a_switch_sends_unasked_and_nobody_reads_is_dropped(version: int) -> None:
    """Even if it is not what it says it is: nobody looks into it."""
    kinds = [of.PACKET_IN, of.FLOW_REMOVED, *([30, 31, 32] if version == of.V1_4 else [])]
    dropped = [of.message(version, kind, 0, b"\0\xff" * 4) for kind in kinds]
    dropped += [of.message(version, of.EXPERIMENTER, 0, bytes(8))]
    dropped += [of.message(version, of.BUNDLE, 0, bytes(8))] if version == of.V1_4 else []
    passed, end = outcome([of.hello(version), *dropped, of.message(version, of.ECHO_REPLY, 0)])
    assert (len(passed), end) == (2, None)


def test_an_error_passes_without_what_it_repeats() -> None:
    (_, error), end = outcome([of.hello(5), of.error(5, 1, data=bytes(60000))])
    assert end is None and len(error.content) == MOST_OF_AN_ERROR


@pytest.mark.parametrize(
    ("hello", "version"),
    [
        (of.hello(5), 5),
        (of.hello(4), 4),
        (of.hello(6), 5),
        (of.hello(255), 5),
        (of.hello(5, {1, 4, 5}), 5),
        (of.hello(6, {4, 6}), 4),
        (of.hello(1, {1, 4}), 4),
        (of.message(4, of.HELLO, 1, struct.pack("!HHxxxxHHI", 7, 8, 1, 8, 16)), 4),
        (of.message(5, of.HELLO, 1, struct.pack("!HHII", 1, 12, 32, 0)), 5),
    ],
)  # fmt: skip
def test_the_version_is_what_both_speak(hello: bytes, version: int) -> None:
    guard = MessageGuard(SPOKEN)
    assert len(list(guard.feed(hello))) == 1
    assert guard.version == version


@pytest.mark.parametrize(
    ("hello", "theirs"),
    [
        (of.hello(0), "of number 0"),
        (of.hello(1), "1.0"),
        (of.hello(2), "1.1"),
        (of.hello(3), "1.2"),
        (of.hello(6, {1, 6}), "1.0, 1.5"),
        (of.hello(7, {7}), "of number 7"),
        (of.hello(5, {}), "no version"),
    ],
)
def test_no_common_version_is_said_to_both(hello: bytes, theirs: str) -> None:
    with pytest.raises(Malformed) as caught:
        list(MessageGuard(SPOKEN).feed(hello))
    assert str(caught.value).startswith(
        f"the switch speaks OpenFlow {theirs}, the controller 1.3 and 1.4"
    )
    answer = caught.value.answer
    version, kind, length, xid = of.HEADER.unpack_from(answer)
    assert (version, kind, length, xid) == (min(max(hello[0], 1), 5), of.ERROR, len(answer), 1)
    assert answer[8:12] == bytes(4) and b"1.3 and 1.4" in answer


def property_of(kind: int, length: int, size: int = 8) -> bytes:
    return struct.pack("!HH", kind, length).ljust(size, b"\0")


def listed(ports: bytes) -> bytes:
    return of.multipart(5, of.PORTS, PORTS, ports)


MALFORMED = {
    # A1
    "HELLO with an element of length 0": (BITMAP_OF_0, "element of length 0"),
    "HELLO with a bitmap element of length 0": (ELEMENT_OF_0, "element of length 0"),
    "HELLO with an element of length 3": (
        of.message(5, of.HELLO, 1, struct.pack("!HHI", 1, 3, 0)), "element of length 3"),
    "HELLO with an element that is too long": (
        of.message(5, of.HELLO, 1, struct.pack("!HHI", 1, 9, 0)), "element of length 9"),
    "HELLO with a cut element": (of.message(5, of.HELLO, 1, b"\0\1"), "cut element"),
    "HELLO with an empty bitmap": (
        of.message(5, of.HELLO, 1, struct.pack("!HH", 1, 4)), "bitmap of 0 bytes"),
    "HELLO with half a word": (
        of.message(5, of.HELLO, 1, struct.pack("!HHHxx", 1, 6, 1)), "bitmap of 2 bytes"),
    # Headers
    "a message before HELLO": (of.message(5, of.ECHO_REQUEST, 1), "before HELLO"),
    "a length of 0": (of.message(5, of.HELLO, 1, length=0), "message of length 0"),
    "a length of 7": (of.message(5, of.HELLO, 1, length=7), "message of length 7"),
}  # fmt: skip
LATER = {
    "a second HELLO": (of.hello(5), "kind 0"),
    "another version": (of.message(4, of.ECHO_REQUEST, 1), "OpenFlow 1.3 instead of 1.4"),
    # A2
    **{
        f"kind {kind}": (of.message(5, kind, 1, bytes(16)), f"kind {kind}, which no switch")
        for kind in (5, 7, 8, 9, 13, 14, 15, 16, 17, 18, 20, 22, 23, 24, 25, 26, 27, 28, 29, 34, 35,
                     99, 255)
    },
    **{
        f"multipart reply {about}": (
            of.multipart(5, about, DESCRIPTION, bytes(8)), f"kind {about} that nobody asked")
        for about in (3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 16, 0xFFFF)
    },
    "a port of length 0": (listed(of.port(5, 1, b"a")[:4] + bytes(36)), "description of length 0"),
    "a port of length 39": (
        listed(struct.pack("!IH34x", 1, 39)), "port description of length 39"),
    "a port that is too long": (listed(struct.pack("!IH34x", 1, 48)), "length 48"),
    "a cut port": (listed(bytes(24)), "port description that is cut"),
    "a property of length 0": (
        listed(of.port(5, 1, b"a", property_of(7, 0))), "property 7 of length 0"),
    "a property of length 3": (
        listed(of.port(5, 1, b"a", property_of(7, 3))), "property 7 of length 3"),
    "a property that is too long": (
        listed(of.port(5, 1, b"a", property_of(7, 9))), "property 7 of length 9"),
    "a cut property": (listed(of.port(5, 1, b"a", bytes(3))), "cut property"),
    "a short Ethernet property": (
        listed(of.port(5, 1, b"a", of.ethernet(24))), "property 0 of length 24"),
    "a short experimenter's property": (
        listed(of.port(5, 1, b"a", property_of(0xFFFF, 8))), "property 65535 of length 8"),
    "features that are cut": (of.features(5, FEATURES)[:-8].replace(b"\0 ", b"\0\x18", 1),
                              "features reply of 24 bytes"),
    # A3
    "a barrier reply with another id": (of.message(5, of.BARRIER, FLOWS), "nobody asked for"),
    "a barrier reply with more": (of.message(5, of.BARRIER, BARRIER, b"x"), "reply of 9 bytes"),
    "ports for flows": (of.multipart(5, of.PORTS, FLOWS), "about ports that nobody asked for"),
    "a multipart reply without a head": (of.message(5, of.MULTIPART, FLOWS), "reply of 8 bytes"),
    "a short description": (
        of.multipart(5, of.DESCRIPTION, DESCRIPTION, bytes(1055)), "description of 1071 bytes"),
    "features nobody asked for": (of.features(5, 1), "features reply that nobody asked for"),
    "an empty part with more to come": (
        of.multipart(5, of.FLOWS, FLOWS, b"", of.MORE), "an empty part"),
    # Others
    "a large echo": (of.message(5, of.ECHO_REQUEST, 1, bytes(5000)), "echo of 5008 bytes"),
    "a cut error": (of.message(5, of.ERROR, 1, b"xxx"), "error of 11 bytes"),
    "a cut experimenter's error": (
        of.message(5, of.ERROR, 1, b"\xff\xff\0\0"), "error of 12 bytes"),
    "a refused HELLO": (of.error(5, 1, 0, 0), "refuses our HELLO"),
    "a cut experimenter": (of.message(5, of.EXPERIMENTER, 1), "message of 8 bytes"),
    "a cut bundle control": (of.message(5, of.BUNDLE, 1), "message of 8 bytes"),
    "a port status of reason 3": (
        of.port_status(5, 0, 3, of.port(5, 1, b"a")), "reason 3"),
    "a port status of no port": (of.port_status(5, 0, 0, b""), "not of one port"),
    "a port status of two ports": (
        of.port_status(5, 0, 0, 2 * of.port(5, 1, b"a")), "not of one port"),
    "a cut port status": (of.message(5, of.PORT_STATUS, 0, b"\0"), "port status of 9 bytes"),
}  # fmt: skip


@pytest.mark.parametrize("name", MALFORMED)
def test_before_hello_all_else_is_an_end(name: str) -> None:
    content, message = MALFORMED[name]
    assert message in reason(content)


@pytest.mark.parametrize("name", LATER)
def test_after_hello_all_else_is_an_end(name: str) -> None:
    content, message = LATER[name]
    assert message in reason(of.hello(5), content)


@pytest.mark.parametrize("kind", [30, 31, 32, of.BUNDLE])
def test_what_openflow_1_3_does_not_have_is_an_end_there(kind: int) -> None:
    assert f"kind {kind}" in reason(of.hello(4), of.message(4, kind, 1, bytes(8)))


@pytest.mark.parametrize("size", [1, 63, 65])
def test_a_cut_port_of_openflow_1_3(size: int) -> None:
    assert "cut" in reason(of.hello(4), of.multipart(4, of.PORTS, PORTS, bytes(size)))


def test_an_answer_passes_until_its_last_part() -> None:
    part = of.multipart(5, of.FLOWS, FLOWS, of.flow_entry(), of.MORE)
    last = of.multipart(5, of.FLOWS, FLOWS)
    assert "nobody asked for" in reason(of.hello(5), part, part, last, last)


def test_an_error_is_an_answer() -> None:
    last = of.multipart(5, of.FLOWS, FLOWS)
    assert "nobody asked for" in reason(of.hello(5), of.error(5, FLOWS), last)


def test_an_answer_that_never_ends_is_ended() -> None:
    part = of.multipart(5, of.PORTS, PORTS, of.port(5, 1, b"a") * 1600, of.MORE)
    count = MOST_OF_AN_ANSWER[About.PORTS] // len(part)
    passed, end = outcome([of.hello(5), *[part] * (count + 2)])
    assert len(passed) == 1 + count
    assert end == f"an answer about ports of more than {MOST_OF_AN_ANSWER[About.PORTS]} bytes"


def test_nothing_passes_after_the_end() -> None:
    guard = MessageGuard(SPOKEN)
    for _ in range(2):
        with pytest.raises(Malformed, match="element of length 0"):
            list(guard.feed(BITMAP_OF_0 if guard.version is None else of.hello(5)))


def test_what_is_kept_is_less_than_a_message() -> None:
    guard = MessageGuard(SPOKEN)
    list(guard.feed(of.hello(5)))
    for _ in range(1000):
        assert list(guard.feed(of.message(5, of.PACKET_IN, 0, bytes(1000)))) == []
    assert guard._rest == b""


# Any bytes ----------------------------------------------------------------------------------------

SOUND = [of.hello(5), of.hello(4), *(content for _, content in WELL_FORMED.values())]
UNSOUND = [content for content, _ in (*MALFORMED.values(), *LATER.values())]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A message in which some bytes are others, most often those that say lengths."""
    content = bytearray(draw(st.sampled_from([*SOUND, *UNSOUND])))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, min(len(content), draw(st.sampled_from([16, 60, 1100]))) - 1))
        content[at] = draw(st.sampled_from([0, 1, 3, 4, 7, 8, 19, 21, 40, 64, 127, 255]))
    if draw(st.booleans()):
        # As long as the header says.
        content[2:4] = len(content).to_bytes(2, "big")
    return bytes(content)


STREAMS = st.one_of(
    st.binary(max_size=200),
    st.lists(st.one_of(st.sampled_from(SOUND), mutated(), st.binary(max_size=40)), max_size=6).map(
        b"".join
    ),
    st.lists(st.one_of(st.sampled_from(SOUND), mutated()), max_size=8).map(
        lambda messages: of.hello(5) + b"".join(messages)
    ),
    st.lists(st.one_of(st.sampled_from(SOUND), mutated()), max_size=8).map(
        lambda messages: of.hello(4) + b"".join(messages)
    ),
)


@given(STREAMS, st.lists(st.integers(0, 3000), max_size=8))
@example(BITMAP_OF_0, [])
@example(ELEMENT_OF_0, [9])
def test_the_same_bytes_have_the_same_outcome_however_they_are_cut(
    stream: bytes, cuts: list[int]
) -> None:
    ends = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    pieces = [stream[begin:end] for begin, end in pairwise(ends)]
    whole = outcome([stream])
    assert outcome(pieces) == whole
    assert outcome(bytes((byte,)) for byte in stream) == whole


@given(STREAMS)
def test_what_passes_can_be_read_by_ryu(stream: bytes) -> None:
    passed, _ = outcome([stream])
    for message in passed[1:]:
        if message.kind == Kind.MULTIPART_REPLY and message.about in (About.FLOWS, About.AGGREGATE):
            continue  # stays bytes
        version = message.content[0]
        datapath = ofproto_protocol.ProtocolDesc(version)
        length = len(message.content)
        read = READERS[version](
            datapath, version, message.kind, length, message.xid, message.content
        )
        assert read is not None
