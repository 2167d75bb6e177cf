"""One connection of a switch: every message passes the message guard before Ryu parses it.

It replaces Ryu's own loops, which any peer could stop. A connection ends, with one line in the log,
when its peer breaks the protocol, sends nothing or reads nothing. It does not stay open unread.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from socket import SHUT_RDWR
from typing import Any

import ryu.base.app_manager  # noqa: F401  the module that Ryu lets be imported first
from ryu.controller.controller import Datapath
from ryu.controller.handler import CONFIG_DISPATCHER, DEAD_DISPATCHER, MAIN_DISPATCHER
from ryu.lib import hub

from dvr_ryu.errors import SwitchError
from dvr_ryu.switch.guard import packet_in
from dvr_ryu.switch.guard.guard import MessageGuard
from dvr_ryu.switch.guard.hello import hello
from dvr_ryu.switch.guard.identity import Peer, peer_of
from dvr_ryu.switch.guard.openflow import About, Kind, Malformed, Message
from dvr_ryu.switch.peer_log import log_peer

DEADLINE = 10.0
"""Seconds from the connection to the switch's description."""
SILENCE, PATIENCE = 15.0, 45.0
"""After so many seconds without a message the controller asks for an echo, and disconnects."""
STALL = 30.0
"""The controller disconnects a switch that reads nothing for so many seconds."""

ECHO = 3.0
"""A live switch answers an echo request within so many seconds."""
ALLOWANCE, RATE = 1 << 18, 1 << 12
"""Bytes, and bytes a second, that a connection may send while its bridge is unknown."""

_READ = 1 << 16
_LOOK = 0.02
_TURN = 0.002
"""After so many seconds of work other greenlets get their turn."""
_ANSWERS = {5: Kind.FEATURES_REPLY, 18: Kind.MULTIPART_REPLY, 20: Kind.BARRIER_REPLY}
"""OFPT_FEATURES_REQUEST, OFPT_MULTIPART_REQUEST, OFPT_BARRIER_REQUEST → the kind of the answer."""
_AS_BYTES = {About.FLOWS, About.AGGREGATE}
"""Flows are compared as bytes: Ryu's objects take longer than all the rest of a reconnection."""

Secure = Callable[[Any], tuple[Any, Callable[[], frozenset[str] | None]]]
"""Takes an accepted socket. Returns the socket to use, and a function that makes the handshake and
returns the hosts that the peer's certificate names; None without certificates."""


def in_the_clear(sock: Any) -> tuple[Any, Callable[[], frozenset[str] | None]]:
    """A `Secure` that does nothing: TCP."""
    return sock, lambda: None


class Connection(Datapath):  # type: ignore[misc]
    """Ryu's datapath with loops of its own. `serve` lasts as long as the connection."""

    def __init__(self, sock: Any, address: Any, secure: Secure = in_the_clear) -> None:
        """`secure` makes TLS of the socket, or returns it as it is."""
        sock, self._shake_hands = secure(sock)
        super().__init__(sock, address)
        self.socket.settimeout(STALL)
        self.peer: Peer = peer_of(address)
        self.guard = MessageGuard(self.supported_ofp_version)
        self.receive: Callable[[Any], None] | None = None
        """Gets the switch's messages, as Ryu's."""
        self.receive_packet: Callable[[int], None] | None = None
        """Gets the numbers of the ports whose packets flows send to the controller."""
        self.described = False
        """Whether the switch has sent its description."""
        self.known = False
        """Whether it is that of a bridge of the topology."""
        self._began = self._heard = self._unknown_since = time.monotonic()
        self._unknown_bytes = 0
        """Bytes received while it was not known."""
        self._asked_echo = 0.0
        self.ended_because = ""
        """Why this end closed the connection."""
        self._echoes: set[int] = set()
        """Transaction ids of echo requests without an answer yet."""

    # Its loops ------------------------------------------------------------------------------------

    def serve(self) -> None:
        """Read and send until either end closes the connection. Raises nothing."""
        sender = hub.spawn(self._send_loop)
        try:
            self._converse()
        except Malformed as wrong:
            if wrong.answer:
                self.send(wrong.answer)
                hub.sleep(0)
            self.end(f"{wrong}; the connection is closed")
        except SwitchError as wrong:
            self.end(f"{wrong}; the connection is closed")
        except (OSError, EOFError) as error:
            self.end(f"the connection is lost: {error}", logging.INFO)
        except Exception as error:
            self.end(f"{mistake(error)}; the connection is closed")
        finally:
            self.close()
            self.send(b"", close_socket=True)
            hub.joinall([sender])
            self.is_active = False
            self.socket.close()

    def _converse(self) -> None:
        names = self._shake_hands()
        if names is not None:
            self.peer = Peer(self.peer.address, self.peer.port, names)
        self.send(hello(self.supported_ofp_version))
        while self.state != DEAD_DISPATCHER:
            try:
                piece = self.socket.recv(_READ)
            except TimeoutError:
                continue  # the listener ends connections that are silent for too long
            if not piece:
                return
            began = time.monotonic()
            self._count(len(piece), began)
            for message in self.guard.feed(piece):
                self._heard = began
                self._take(message)
                if self.state == DEAD_DISPATCHER:
                    return
                if time.monotonic() - began > _TURN:
                    hub.sleep(0)
                    began = time.monotonic()
            hub.sleep(0)

    def _count(self, size: int, now: float) -> None:
        """Limit the bytes that an unknown switch may send."""
        if not self.known:
            self._unknown_bytes += size
            if self._unknown_bytes > ALLOWANCE + RATE * (now - self._unknown_since):
                raise Malformed("says more than it may while it is no bridge of the topology")

    def know(self, known: bool) -> None:
        """Note whether it is that of a bridge of the topology."""
        if self.known and not known:
            self._unknown_bytes, self._unknown_since = 0, time.monotonic()
        self.known = known

    def _send_loop(self) -> None:
        super()._send_loop()
        if self.state != DEAD_DISPATCHER:
            self.end("takes nothing any more of what it is sent; the connection is closed")

    def end(self, reason: str, level: int = logging.WARNING) -> None:
        """Close the connection and log why, unless it is closed already."""
        if self.state != DEAD_DISPATCHER:
            self.ended_because = reason
            log_peer(level, f"{self.peer}: {reason}", self.peer)
        self.close()

    def close(self) -> None:
        """Close the connection; its loops end then."""
        self.set_state(DEAD_DISPATCHER)
        with suppress(OSError, EOFError, ValueError):
            self.socket.shutdown(SHUT_RDWR)

    def look(self, now: float) -> None:
        """End the connection of a switch that is late; ask a silent one for an echo."""
        if not self.described and now - self._began > DEADLINE:
            self.end(f"has not said what it is within {DEADLINE:.0f} s; the connection is closed")
        elif now - self._heard > PATIENCE:
            self.end(f"has said nothing for {PATIENCE:.0f} s; the connection is closed")
        elif now - max(self._heard, self._asked_echo) > SILENCE and self.state == MAIN_DISPATCHER:
            self._ask_echo(now)

    def _ask_echo(self, now: float) -> int | None:
        """Ask for an echo and return its transaction id; None if earlier messages wait."""
        self._asked_echo = now
        if not self.has_room:
            return None
        request = self.ofproto_parser.OFPEchoRequest(self)
        xid: int = self.set_xid(request)
        self._echoes.add(xid)
        self.send_msg(request)
        return xid

    @property
    def has_room(self) -> bool:
        """Whether a message can be sent at once, without waiting for earlier ones."""
        return bool(self.send_q) and self._send_q_sem.balance > 0

    def answers(self) -> bool:
        """Whether the switch answers an echo request within some seconds."""
        xid, now = None, time.monotonic()
        until = now + ECHO
        while now < until and self.state != DEAD_DISPATCHER:
            if xid is None:
                xid = self._ask_echo(now)
            elif xid not in self._echoes:
                return True
            hub.sleep(_LOOK)
            now = time.monotonic()
        return False

    @property
    def progress(self) -> int:
        """The stage that it has reached: HELLO, features, description."""
        return (self.guard.version is not None) + (self.id is not None) + self.described

    # Messages -------------------------------------------------------------------------------------

    def send_msg(self, msg: Any, close_socket: bool = False) -> Any:
        """Send one of Ryu's messages; if it is a request, the guard lets its answer pass."""
        if msg.xid is None:
            self.set_xid(msg)
        if answer := _ANSWERS.get(msg.cls_msg_type):
            self.guard.ask(msg.xid, answer, _about(msg))
        return super().send_msg(msg, close_socket)

    def _take(self, message: Message) -> None:
        match message.kind:
            case Kind.HELLO:
                self.set_version(self.guard.version)
                self.set_state(CONFIG_DISPATCHER)
                self.send_msg(self.ofproto_parser.OFPFeaturesRequest(self))
            case Kind.ECHO_REQUEST:
                self.send(_echo_reply(message.content))
            case Kind.ECHO_REPLY:
                self._echoes.discard(message.xid)
            case Kind.PACKET_IN:
                if self.receive_packet and (port := packet_in.in_port(message.content)):
                    self.receive_packet(port)
            case Kind.FEATURES_REPLY:
                self.id = self._read(message).datapath_id
                self.set_state(MAIN_DISPATCHER)
            case _:
                if self.receive:
                    self.receive(self._read(message))

    def _read(self, message: Message) -> Any:
        """The message as one of Ryu's; replies about flows stay bytes (`buf`)."""
        version, content = self.guard.version, message.content
        if message.kind == Kind.MULTIPART_REPLY and message.about in _AS_BYTES:
            reply = self.ofproto_parser.OFPFlowStatsReply(self)
            reply.set_headers(version, message.kind, len(content), message.xid)
            reply.set_buf(content)
            reply.flags = message.flags
            return reply
        reader = self.ofproto_parser.msg_parser
        return reader(self, version, message.kind, len(content), message.xid, content)


def _about(request: Any) -> About | None:
    """The subject of a multipart request. Raises ValueError if no answer would pass the guard."""
    return About(request.type) if request.cls_msg_type == 18 else None


def _echo_reply(request: bytes) -> bytes:
    return request[:1] + bytes((Kind.ECHO_REPLY,)) + request[2:]


def mistake(error: Exception) -> str:
    """One line about a mistake of this program."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    at = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"
    return f"the controller cannot deal with what it says ({type(error).__name__} at {at})"
