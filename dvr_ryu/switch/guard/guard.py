"""Turns a peer's bytes into whole, harmless messages, or ends the connection. Pure.

A message passes if a switch may send it in this state of the connection: before HELLO only HELLO;
afterwards messages of the negotiated version that `bodies` has checked, and an answer only to a
request. The guard drops messages that a switch may send unasked and that the controller does not
read. All others raise Malformed. The same bytes give the same result however they are cut.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

from attrs import define

from dvr_ryu.switch.guard import bodies, packet_in
from dvr_ryu.switch.guard.hello import negotiated
from dvr_ryu.switch.guard.openflow import (
    HEADER,
    MORE,
    MULTIPART_HEAD,
    MULTIPART_SIZE,
    V1_4,
    About,
    Kind,
    Malformed,
    Message,
    version_name,
)

MOST_OF_AN_ERROR = HEADER.size + 8 + 64
"""Bytes of an error that pass: its code, and the begin of the message that caused it."""

MOST_OF_AN_ANSWER = {
    About.DESCRIPTION: 1 << 12,
    About.AGGREGATE: 1 << 12,
    About.PORTS: 1 << 23,  # Open vSwitch numbers up to 65 279 ports
    About.FLOWS: 1 << 28,  # a million flows
}
"""The most bytes of all parts of a multipart answer."""

_OF_ONE_PART = {About.DESCRIPTION, About.AGGREGATE}

_UNREAD = {Kind.FLOW_REMOVED}
_UNREAD_SINCE_1_4 = {Kind.ROLE_STATUS, Kind.TABLE_STATUS, Kind.REQUEST_FORWARD}
"""Bridges send these unasked, for flows with `controller`, `send_flow_rem` and the like."""
_KINDS = frozenset(Kind)
_TLS = (22, 3)
"""The first bytes of TLS: a record of a handshake, and the major version."""


@define
class _Request:
    """The answer that a request allows."""

    kind: Kind
    about: About | None
    room: int
    """The number of further bytes that it may have."""


class MessageGuard:
    """The guard of one connection. `version` is None until HELLO."""

    def __init__(self, spoken: Collection[int]) -> None:
        """`spoken` are the versions that the controller speaks, by their numbers in a header."""
        self.version: int | None = None
        self._spoken = frozenset(spoken)
        self._requests: dict[int, _Request] = {}
        self._rest = bytearray()
        self._end: Malformed | None = None

    def ask(self, xid: int, kind: Kind, about: About | None = None) -> None:
        """Let an answer of this kind to a transaction id pass: a multipart answer until its last
        part, another answer once.
        """
        room = 0 if about is None else MOST_OF_AN_ANSWER[about]
        self._requests[xid] = _Request(kind, about, room)

    def feed(self, piece: bytes) -> Iterator[Message]:
        """Yield the messages that this piece completes. The caller handles each before it takes the
        next: it may change which messages pass. Raises Malformed, and then again in each call.
        """
        if self._end:
            raise self._end
        self._rest += piece
        at = 0
        try:
            while len(self._rest) - at >= HEADER.size:
                length = self._length(at)
                if len(self._rest) - at < length:
                    break
                with memoryview(self._rest) as view:
                    content = bytes(view[at : at + length])
                at += length
                if message := self._judged(content):
                    yield message
        except Malformed as end:
            self._end = end
            raise
        finally:
            del self._rest[:at]

    def _length(self, at: int) -> int:
        """Check a header; return the length of its message."""
        version, kind, length, _ = HEADER.unpack_from(self._rest, at)
        if length < HEADER.size:
            raise Malformed(f"a message of length {length}")
        if self.version is None:
            if (version, kind) == _TLS:
                raise Malformed("it speaks TLS, and the file says tcp:")
            if kind != Kind.HELLO:
                raise Malformed(f"a message of kind {kind} before HELLO")
        elif version != self.version:
            raise Malformed(
                f"a message of OpenFlow {version_name(version)} instead of "
                f"{version_name(self.version)}"
            )
        elif kind not in _KINDS or kind == Kind.HELLO:
            raise Malformed(f"a message of kind {kind}, which no switch sends now")
        return int(length)

    def _judged(self, content: bytes) -> Message | None:
        """The checked message; None if the controller does not read its kind."""
        _, number, _, xid = HEADER.unpack_from(content)
        kind = Kind(number)
        if kind == Kind.HELLO:
            self.version = negotiated(content, self._spoken)
            return Message(kind, xid, content)
        assert self.version is not None
        if kind in _UNREAD or (kind in _UNREAD_SINCE_1_4 and self.version >= V1_4):
            return None
        return _JUDGES.get(kind, _no_judge)(self, Message(kind, xid, content))

    def _echo(self, message: Message) -> Message:
        bodies.echo(message.content)
        return message

    def _packet_in(self, message: Message) -> Message | None:
        return message if packet_in.in_port(message.content) else None

    def _error(self, message: Message) -> Message:
        bodies.error(message.content)
        self._requests.pop(message.xid, None)
        return message._replace(content=message.content[:MOST_OF_AN_ERROR])

    def _experimenter(self, message: Message) -> None:
        bodies.experimenter(message.content)

    def _bundle_control(self, message: Message) -> None:
        if self.version != V1_4:
            _no_judge(self, message)
        bodies.experimenter(message.content)

    def _port_status(self, message: Message) -> Message:
        assert self.version is not None
        bodies.port_status(message.content, self.version)
        return message

    def _features(self, message: Message) -> Message:
        bodies.features(message.content)
        self._asked(message, None)
        return message

    def _barrier(self, message: Message) -> Message:
        bodies.exactly(message.content, HEADER.size, "a barrier reply")
        self._asked(message, None)
        return message

    def _asked(self, message: Message, about: About | None) -> _Request:
        """The request that a message answers; an answer's last part ends it."""
        request = self._requests.get(message.xid)
        if request is None or (request.kind, request.about) != (message.kind, about):
            what = f" about {about.name.lower()}" if about is not None else ""
            name = message.kind.name.lower().replace("_", " ")
            raise Malformed(f"a {name}{what} that nobody asked for")
        if about is None or not message.flags & MORE:
            del self._requests[message.xid]
        return request

    def _multipart(self, message: Message) -> Message:
        content = message.content
        bodies.at_least(content, MULTIPART_SIZE, "a multipart reply")
        number, flags = MULTIPART_HEAD.unpack_from(content, HEADER.size)
        if number not in MOST_OF_AN_ANSWER:
            raise Malformed(f"a multipart reply of kind {number} that nobody asked for")
        about = About(number)
        request = self._asked(message, about)
        request.room -= len(content)
        if request.room < 0:
            most = MOST_OF_AN_ANSWER[about]
            raise Malformed(f"an answer about {about.name.lower()} of more than {most} bytes")
        if flags & MORE and about in _OF_ONE_PART:
            raise Malformed(f"an answer about {about.name.lower()} that has more than one part")
        if flags & MORE and len(content) == MULTIPART_SIZE:
            raise Malformed("an empty part of an answer of which more follows")
        self._check_part(about, content)
        return message

    def _check_part(self, about: About, content: bytes) -> None:
        """Flow and aggregate statistics stay bytes; `session` checks them where it reads them."""
        assert self.version is not None
        if about == About.DESCRIPTION:
            bodies.description(content)
        elif about == About.PORTS:
            bodies.ports(content, self.version)


def _no_judge(_: MessageGuard, message: Message) -> None:
    raise Malformed(f"a message of kind {message.kind}, which no switch sends now")


_JUDGES: Mapping[Kind, Callable[[MessageGuard, Message], Message | None]] = {
    Kind.ECHO_REQUEST: MessageGuard._echo,
    Kind.ECHO_REPLY: MessageGuard._echo,
    Kind.ERROR: MessageGuard._error,
    Kind.PACKET_IN: MessageGuard._packet_in,
    Kind.EXPERIMENTER: MessageGuard._experimenter,
    Kind.BUNDLE_CONTROL: MessageGuard._bundle_control,
    Kind.PORT_STATUS: MessageGuard._port_status,
    Kind.FEATURES_REPLY: MessageGuard._features,
    Kind.BARRIER_REPLY: MessageGuard._barrier,
    Kind.MULTIPART_REPLY: MessageGuard._multipart,
}
"""The kinds that are checked."""
