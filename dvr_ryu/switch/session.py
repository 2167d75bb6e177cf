"""Send requests and changes of flows over one connection to a bridge, and receive the replies.

Every wait is for the reply to a transaction id, in the greenlet that sent the request. This file
does not know a bridge's desired flows.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

from ryu.lib import hub
from ryu.ofproto import ofproto_common

from dvr_ryu.errors import SwitchError
from dvr_ryu.pipeline.compile.flow_bytes import importance_of
from dvr_ryu.pipeline.compile.flow_mods import ADD, DELETE_STRICT, delete_by_cookie, flow_mods
from dvr_ryu.pipeline.compile.flow_stats import FlowDump, split_flow_stats
from dvr_ryu.reconcile import Difference, together
from dvr_ryu.switch.bundle import Bundle
from dvr_ryu.switch.connection import Connection
from dvr_ryu.switch.ports import PORT_DOWN, Ports, SwitchPort, port_of, text_of

ANSWER_TIMEOUT = 60
"""Seconds to wait for a switch's answer: far more than the largest change takes."""

MOST_FLOWS = 1_000_000
"""The most flows of ours that a switch may list."""
MOST_REFUSALS = 1000
"""The most errors that are stored during a change: a switch may send any number of them."""
MOST_COMPLAINTS = 10
"""The most refused flows that are named."""

_CHUNK = 1 << 16
_COUNT = struct.Struct("!16x16xIxxxx")
"""ofp_multipart_reply with ofp_aggregate_stats_reply, of which the number of flows is read."""
_WHOLE_COOKIE = (1 << 64) - 1
"""As a mask: flows with just this cookie."""
_IMPORTANCE_SINCE = 5
"""OpenFlow 1.4's version number on the wire."""
_CLOSED = "the connection is closed"
_NICIRA_ERRORS = {
    37: "tun_metadata that is not in the bridge's table of options; see ovs-ofctl add-tlv-map"
}
"""NXFMFC_INVALID_TLV_FIELD; other errors are shown by their numbers."""
_bundle_ids = itertools.count(1)


class Refused(SwitchError):
    """A switch refused flows, or they cannot be sent to it; `flows` is their number."""

    def __init__(self, text: str, flows: int) -> None:
        super().__init__(text)
        self.flows = flows


Part = Difference[bytes, bytes]
Sent: TypeAlias = "tuple[Iterable[int], Iterable[bytes | None]]"
"""Transaction ids, each with the identity of the flow that was sent by it, or None."""


class Session:
    """A connected datapath. `deliver` gets every reply and every error that it sends."""

    def __init__(self, datapath: Connection) -> None:
        self.datapath = datapath
        self.version: int = datapath.ofproto.OFP_VERSION
        self._answers: dict[int, Any] = {}
        self._ended = False
        self._refused: dict[int, Any] = {}
        self._changing = False
        """Whether a change is being made: errors belong to it."""
        self._has_bundles: bool | None = None

    def deliver(self, message: Any) -> None:
        """Hand a reply or an error to the call that waits for its transaction id."""
        if queue := self._answers.get(message.xid):
            queue.put(message)
        elif self._takes_note(message):
            self._refused[message.xid] = message

    def _takes_note(self, message: Any) -> bool:
        """Whether it is an error during a change; then it probably belongs to the change."""
        is_error = message.msg_type == self.datapath.ofproto.OFPT_ERROR
        return self._changing and is_error and len(self._refused) < MOST_REFUSALS

    def end(self) -> None:
        """Let all calls that wait for an answer fail: none comes any more."""
        self._ended = True
        for queue in self._answers.values():
            queue.put(None)

    # Requests -------------------------------------------------------------------------------------

    def description(self) -> str:
        """The bridge's dp_desc (Open vSwitch: other_config:dp-desc)."""
        request = self.datapath.ofproto_parser.OFPDescStatsRequest(self.datapath, 0)
        reply = next(iter(self._ask(request)))
        return text_of(reply.body.dp_desc)

    def ports(self) -> Ports:
        """Every port of the bridge."""
        request = self.datapath.ofproto_parser.OFPPortDescStatsRequest(self.datapath, 0)
        return Ports(port_of(port) for reply in self._ask(request) for port in reply.body)

    def flows(self, cookies: Iterable[int]) -> dict[bytes, bytes]:
        """Identity → value of every flow on the bridge that has one of these cookies. Other flows
        are not read: there may be any number of them.
        """
        found: dict[bytes, bytes] = {}
        for reply in self._flow_stats(cookies):
            found.update(split_flow_stats(reply))
            if len(found) > MOST_FLOWS:
                raise SwitchError(f"tells of more than {MOST_FLOWS} flows")
        return found

    def flow_counts(self, cookies: Iterable[int]) -> FlowDump:
        """The counters of every flow on the bridge that has one of these cookies."""
        dump = FlowDump()
        for reply in self._flow_stats(cookies):
            dump.add(reply)
            if dump.flows.total() > MOST_FLOWS:
                raise SwitchError(f"tells of more than {MOST_FLOWS} flows")
        return dump

    def _flow_stats(self, cookies: Iterable[int]) -> Iterator[bytes]:
        """Each part of the replies about the flows with these cookies."""
        parser = self.datapath.ofproto_parser
        for cookie in cookies:
            fields = {"cookie": cookie, "cookie_mask": _WHOLE_COOKIE}
            for reply in self._ask(parser.OFPFlowStatsRequest(self.datapath, **fields)):
                yield reply.buf

    def count_flows(self, cookie: int | None = None) -> int:
        """The number of the bridge's flows with this cookie; with None, of any cookie."""
        parser, ofproto = self.datapath.ofproto_parser, self.datapath.ofproto
        mask = 0 if cookie is None else _WHOLE_COOKIE
        request = parser.OFPAggregateStatsRequest(
            self.datapath, 0, ofproto.OFPTT_ALL, ofproto.OFPP_ANY, ofproto.OFPG_ANY,
            cookie or 0, mask, parser.OFPMatch(),
        )  # fmt: skip
        (reply,) = self._ask(request)
        return int(_COUNT.unpack(reply.buf)[0]) if len(reply.buf) == _COUNT.size else 0

    def _ask(self, request: Any) -> Iterator[Any]:
        """Send a multipart request; yield each part of the answer."""
        self.datapath.set_xid(request)
        queue = self._answers[request.xid] = hub.Queue()
        try:
            self.datapath.send_msg(request)
            more = True
            while more:
                reply = self._next(queue)
                more = bool(reply.flags & self.datapath.ofproto.OFPMPF_REPLY_MORE)
                yield reply
        finally:
            del self._answers[request.xid]

    def _next(self, queue: Any) -> Any:
        if self._ended:
            raise SwitchError(_CLOSED)
        try:
            reply = queue.get(timeout=ANSWER_TIMEOUT)
        except hub.QueueEmpty:
            raise SwitchError(f"no answer within {ANSWER_TIMEOUT} s") from None
        if reply is None:
            raise SwitchError(_CLOSED)
        if reply.msg_type == self.datapath.ofproto.OFPT_ERROR:
            raise SwitchError(f"the switch refuses a request: {self._words(reply)}")
        return reply

    def shut(self, port: SwitchPort) -> None:
        """Take a port down. This does not wait for the switch."""
        parser = self.datapath.ofproto_parser
        fields = {"port_no": port.number, "hw_addr": port.mac, "config": PORT_DOWN}
        self.datapath.send_msg(parser.OFPPortMod(self.datapath, **fields, mask=PORT_DOWN))

    # Changes --------------------------------------------------------------------------------------

    def change(
        self,
        parts: Iterable[Part],
        location_of: Callable[[bytes], str],
        outdated: Callable[[Iterable[Part]], Iterable[int]],
    ) -> Difference[bytes, bytes]:
        """Make a change on the bridge, wait until it is made, and return the whole of it. Each part
        is sent as it comes; the switch makes all parts at one instant.

        `location_of`: a flow's identity → where it is written. `outdated`: all parts → the cookies
        of learned flows that the switch has to forget. Raises SwitchError with the flows that the
        switch refused, or with one that cannot be sent to it. Then, or if `parts` raises, nothing
        of the change was made. But a switch without bundles has made the flows that it did not
        refuse, and those that were sent before that one; nothing, if `parts` raises.
        """
        self._changing = True
        try:
            return self._change(parts, location_of, outdated)
        finally:
            self._changing = False
            self._refused.clear()

    def _change(
        self,
        parts: Iterable[Part],
        location_of: Callable[[bytes], str],
        outdated: Callable[[Iterable[Part]], Iterable[int]],
    ) -> Difference[bytes, bytes]:
        made: list[Part] = []
        sent: list[Sent] = []
        if self._has_bundles is None:
            self._has_bundles = self._learns_bundles()
        if not self._has_bundles:
            parts = list(parts)
        bundle: Bundle | None = None
        try:
            for part in parts:
                made.append(part)
                if part:
                    if self._has_bundles and bundle is None:
                        bundle = self._opened(sent)
                    self._send(part, bundle, sent, location_of)
                hub.sleep(0)  # making all parts may take long: other greenlets get a turn
        except BaseException:
            if bundle:
                self.datapath.send(bundle.discarded(self._xids(1)[0]))
            raise
        if not sent:
            return together(made)
        self._forget(outdated(made), bundle, sent)
        with self._finishing(bundle, sent, location_of):
            return together(made)

    def _learns_bundles(self) -> bool:
        """Find out by an empty bundle whether the switch knows bundles."""
        bundle, xids = Bundle(self.version, next(_bundle_ids)), self._xids(2)
        self.datapath.send(bundle.opened(xids[0]) + bundle.discarded(xids[1]))
        with self._barrier():
            pass
        error = self._refused.pop(xids[0], None)
        self._refused.clear()
        return error is None or not _no_bundles(error, self.datapath.ofproto)

    def _opened(self, sent: list[Sent]) -> Bundle:
        bundle, (xid,) = Bundle(self.version, next(_bundle_ids)), self._xids(1)
        sent.append(([xid], [None]))
        self.datapath.send(bundle.opened(xid))
        return bundle

    def _send(
        self,
        part: Part,
        bundle: Bundle | None,
        sent: list[Sent],
        location_of: Callable[[bytes], str],
    ) -> None:
        """Send one part's flow-mods."""
        for command, flows in _flows_of(part):
            if command == ADD and self.version < _IMPORTANCE_SINCE:
                _refuse_importance(flows, location_of)
            xids = self._xids(len(flows))
            sent.append((xids, flows))
            envelope = bundle.envelope if bundle else None
            messages = flow_mods(self.version, command, flows, xids, envelope)
            self._write(b"".join(messages))

    def _forget(self, cookies: Iterable[int], bundle: Bundle | None, sent: list[Sent]) -> None:
        """Let the switch forget the flows that it has learned under these cookies."""
        for cookie in cookies:
            (xid,) = self._xids(1)
            sent.append(([xid], [None]))
            message = delete_by_cookie(self.version, cookie, xid)
            self._write(bundle.adding(message) if bundle else message)

    @contextmanager
    def _finishing(
        self,
        bundle: Bundle | None,
        sent: list[Sent],
        location_of: Callable[[bytes], str],
    ) -> Iterator[None]:
        """Commit, let the block run, and wait until the change is made; raise SwitchError if a part
        was refused. Open vSwitch leaves unreadable messages out of a bundle and commits the rest:
        so a barrier before the commit shows them.
        """
        if bundle:
            with self._barrier():
                pass
            try:
                self._require_taken(sent, location_of)
            except SwitchError:
                self.datapath.send(bundle.discarded(self._xids(1)[0]))
                raise
            (xid,) = self._xids(1)
            sent.append(([xid], [None]))
            self.datapath.send(bundle.committed(xid))
        with self._barrier():
            yield
        self._require_taken(sent, location_of)

    def _require_taken(self, sent: list[Sent], location_of: Callable[[bytes], str]) -> None:
        """Raise SwitchError if the switch refused a part of the sent messages."""
        if self._refused:
            flows = {xid: flow for xids, each in sent for xid, flow in zip(xids, each, strict=True)}
            refused = {flows[xid]: error for xid, error in self._refused.items() if xid in flows}
            if refused:
                complaints = "; ".join(self._complaints(refused, location_of))
                raise Refused(complaints, sum(flow is not None for flow in refused))

    def _xids(self, count: int) -> list[int]:
        first, mask = self.datapath.xid + 1, self.datapath.ofproto.MAX_XID
        self.datapath.xid = (first + count) & mask
        return [(first + offset) & mask for offset in range(count)]

    def _write(self, content: bytes) -> None:
        for start in range(0, len(content), _CHUNK):
            self.datapath.send(content[start : start + _CHUNK])

    @contextmanager
    def _barrier(self) -> Iterator[None]:
        """Send a barrier, let the block run, and wait for the barrier's reply."""
        request = self.datapath.ofproto_parser.OFPBarrierRequest(self.datapath)
        (xid,) = self._xids(1)
        request.set_xid(xid)
        queue = self._answers[xid] = hub.Queue()
        try:
            self.datapath.send_msg(request)
            hub.sleep(0)  # so that it leaves before the block begins
            yield
            self._next(queue)
        finally:
            del self._answers[xid]

    def _complaints(
        self, refused: Mapping[bytes | None, Any], location_of: Callable[[bytes], str]
    ) -> Iterator[str]:
        flows = {identity: error for identity, error in refused.items() if identity is not None}
        for identity, error in itertools.islice(flows.items(), MOST_COMPLAINTS):
            yield f"{location_of(identity)}: the switch refuses this flow: {self._words(error)}"
        if len(flows) > MOST_COMPLAINTS:
            yield f"and {len(flows) - MOST_COMPLAINTS} more"
        if not flows:
            yield from (
                f"the switch refuses the change: {self._words(error)}" for error in refused.values()
            )

    def _words(self, error: Any) -> str:
        ofproto = self.datapath.ofproto
        if error.type == ofproto.OFPET_EXPERIMENTER:
            nicira = error.experimenter == ofproto_common.NX_EXPERIMENTER_ID
            known = _NICIRA_ERRORS.get(error.exp_type) if nicira else None
            return known or f"experimenter error {error.exp_type}"
        return str(ofproto.ofp_error_code_to_str(error.type, error.code))


def _flows_of(part: Part) -> Iterator[tuple[int, Mapping[bytes, bytes]]]:
    """Yield commands, each with its flows. Adding a flow that exists replaces its value; it keeps
    its counters (OpenFlow 1.3, 6.4).
    """
    if part.added:
        yield ADD, part.added
    if part.changed:
        yield ADD, {identity: both.new for identity, both in part.changed.items()}
    if part.removed:
        yield DELETE_STRICT, part.removed


def _refuse_importance(flows: Mapping[bytes, bytes], location_of: Callable[[bytes], str]) -> None:
    for identity, value in flows.items():
        if importance_of(value):
            location = location_of(identity)
            line = f"{location}: importance needs OpenFlow 1.4; this bridge speaks 1.3"
            raise Refused(line, 1)


def _no_bundles(error: Any, ofproto: Any) -> bool:
    """Whether this error says that the switch does not know bundles at all."""
    unknown = (
        ofproto.OFPBRC_BAD_TYPE,
        ofproto.OFPBRC_BAD_EXPERIMENTER,
        ofproto.OFPBRC_BAD_EXP_TYPE,
    )
    return error.type == ofproto.OFPET_BAD_REQUEST and error.code in unknown
