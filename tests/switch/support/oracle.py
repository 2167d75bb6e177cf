"""Judges our flow lines by ovs-ofctl: it compares the flows of a real switch after our bytes with
those after ovs-ofctl's.

Both fill the same bridge, one after the other, so that ports have the same names. A line agrees if
the dump is the same for our bytes, for the line, and for the line as we print it. Hundreds of lines
are tried together: each has a cookie of its own, which identifies it in the dump.
"""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Iterable, Iterator
from itertools import starmap
from pathlib import Path

from attrs import Factory, asdict, evolve, frozen

from dvr_ryu.errors import DvrError
from dvr_ryu.pipeline.compile.encode import encode
from dvr_ryu.pipeline.compile.flow_bytes import FlowBytes
from dvr_ryu.pipeline.compile.flow_mods import ADD, flow_mods
from dvr_ryu.pipeline.compile.flow_stats import split_flow_stats
from dvr_ryu.pipeline.compile.option_lengths import same_but_option_lengths
from dvr_ryu.pipeline.language.flow import Flow
from dvr_ryu.pipeline.language.operands import PortName, fill
from dvr_ryu.pipeline.language.syntax import parse_flow
from tests.switch.support.ovs import Ovs, flow_file

BRIDGE = "judged"
PORTS = {"p1": 1, "p2": 2, "patch-int": 3}
"""The bridge's ports, which lines may name."""

OPTIONS = (
    "{class=0xffff,type=0,len=4}->tun_metadata0,{class=0xffff,type=1,len=12}->tun_metadata1,"
    "{class=0xffff,type=2,len=124}->tun_metadata2"
)
"""The bridge's table of Geneve options."""

_HELLO, _ERROR, _MULTIPART, _MULTIPART_REPLY, _BARRIER, _BARRIER_REPLY = 0, 1, 18, 19, 20, 21
_HEADER = struct.Struct("!BBHI")
_FLOW_REQUEST = struct.Struct("!HHxxxxBxxxIIxxxxQQHHxxxx")
"""A multipart header, a flow stats request, an empty match."""


@frozen
class Report:
    """The results; every line is in one of them."""

    agree: list[str] = Factory(list)
    """Lines that give the same flow in all three ways."""
    differ: dict[str, str] = Factory(dict)
    """Line → the flows by us, by ovs-ofctl, and by ovs-ofctl from our printed line."""
    unsettled: dict[str, str] = Factory(dict)
    """Line → our bytes, if the switch reports other bytes: the controller would send it again and
    again."""
    refused: dict[str, str] = Factory(dict)
    """Line that only we refuse → our reason."""
    both_refuse: dict[str, str] = Factory(dict)
    """Line that ovs-ofctl refuses as well → both reasons."""
    ovs_refuses: dict[str, str] = Factory(dict)
    """Line that we accept, but ovs-ofctl or the switch refuses → the reason."""

    def __str__(self) -> str:
        counts = {name: len(lines) for name, lines in asdict(self).items()}
        head = f"{sum(counts.values())} lines: " + ", ".join(
            f"{count} {name.replace('_', ' ')}" for name, count in counts.items()
        )
        parts = [head]
        for name in ("differ", "unsettled", "ovs_refuses", "refused", "both_refuse"):
            parts += [f"{name}: {line}\n    {why}" for line, why in getattr(self, name).items()]
        return "\n".join(parts)


class Oracle:
    """A bridge that judges lines. `protocol` is OpenFlow13 or OpenFlow14."""

    def __init__(self, ovs: Ovs, protocol: str = "OpenFlow14") -> None:
        self.ovs = ovs
        self.protocol = protocol
        self.version = {"OpenFlow13": 4, "OpenFlow14": 5}[protocol]
        ovs.add_bridge(BRIDGE, BRIDGE, PORTS, "ptcp:0:127.0.0.1")
        self._ofctl("add-tlv-map", BRIDGE, OPTIONS)

    def judge(self, lines: Iterable[str]) -> Report:
        """Try each line. If a line names a cookie, no other line may have it."""
        report = Report()
        ours: dict[str, Flow] = {}
        for line in dict.fromkeys(lines):
            try:
                ours[line] = parse_flow(line)
            except DvrError as error:
                report.refused[line] = str(error)
        self._both_refuse(report)
        for round_ in _rounds(ours):
            self._judge_round(round_, report)
        return report

    def effects(self, line: str, packet: str) -> tuple[str, str]:
        """The final flow of a packet with our flow, and with the one of ovs-ofctl."""
        self._clear()
        self._send({line: _bytes_of(parse_flow(line))})
        ours = self._trace(packet)
        self._clear()
        assert not self._add([line])
        return ours, self._trace(packet)

    def _trace(self, packet: str) -> str:
        printed = self.ovs.run("ovs-appctl", "ofproto/trace", BRIDGE, packet)
        return next(line for line in printed.splitlines() if line.startswith("Final flow:"))

    def _both_refuse(self, report: Report) -> None:
        self._clear()
        refused = self._add(list(report.refused))
        for line, why in refused.items():
            report.both_refuse[line] = f"{report.refused.pop(line)}\n    ovs-ofctl: {why}"

    def _judge_round(self, flows: dict[str, Flow], report: Report) -> None:
        marks = {line: 1 + at for at, line in enumerate(flows)}
        self._clear()
        ours = {
            line: _bytes_of(flow, _cookie_of(line) or marks[line]) for line, flow in flows.items()
        }
        errors, read_back = self._send(ours)
        by_us = self._dump()
        self._clear()
        refused = self._add([_marked(line, marks[line]) for line in flows])
        theirs = self._dump()
        self._clear()
        reread = self._add([_marked(str(flow), marks[line]) for line, flow in flows.items()])
        again = self._dump()
        for line, flow in flows.items():
            mark = _cookie_of(line) or marks[line]
            if why := refused.get(_marked(line, marks[line])):
                report.ovs_refuses[line] = f"{why}; we: {errors.get(line, by_us.get(mark))}"
                continue
            answers = [errors.get(line) or by_us.get(mark), theirs.get(mark)]
            answers.append(reread.get(_marked(str(flow), marks[line])) or again.get(mark))
            if None in answers or len(set(answers)) > 1:
                report.differ[line] = "\n    ".join(map(str, answers))
            elif not _is_among(ours[line], read_back):
                report.unsettled[line] = _unsettled(ours[line], read_back)
            else:
                report.agree.append(line)

    def _clear(self) -> None:
        self._ofctl("del-flows", BRIDGE)

    def _dump(self) -> dict[int, str]:
        """Cookie → the flow in the switch's dump."""
        flows = self.ovs.flows(BRIDGE, "-O", self.protocol)
        return {_cookie_of(flow): flow for flow in flows}

    def _ofctl(self, *arguments: str, input: str | None = None) -> str:
        return self.ovs.run("ovs-ofctl", "-O", self.protocol, *arguments, input=input)

    def _add(self, lines: list[str]) -> dict[str, str]:
        """Add the lines with ovs-ofctl, which stops at the first that it refuses; return the
        refused lines with its messages.
        """
        if not lines:
            return {}
        try:
            self._ofctl("add-flows", BRIDGE, "-", input=flow_file(lines))
            return {}
        except AssertionError as error:
            if len(lines) == 1:
                return {lines[0]: str(error).partition(": ")[2].strip()}
        half = len(lines) // 2
        return {**self._add(lines[:half]), **self._add(lines[half:])}

    def _send(self, flows: dict[str, FlowBytes]) -> tuple[dict[str, str], set[FlowBytes]]:
        """Send our bytes; return line → the switch's error, and the flows that the switch then
        reports.
        """
        xids = dict(enumerate(flows, 100))
        messages = [
            message
            for xid, flow in zip(xids, flows.values(), strict=True)
            for message in flow_mods(self.version, ADD, dict([flow]), [xid])
        ]
        with Connection(self.ovs.folder / f"{BRIDGE}.mgmt", self.version) as connection:
            errors = connection.send(messages)
            return {xids[xid]: error for xid, error in errors.items()}, connection.flows()


class Connection:
    """An OpenFlow connection to a bridge, as to a service controller."""

    def __init__(self, path: Path, version: int) -> None:
        self.version = version
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(20)
        self._socket.connect(str(path))
        self._socket.sendall(_HEADER.pack(version, _HELLO, _HEADER.size, 0))

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, messages: Iterable[bytes]) -> dict[int, str]:
        """Send messages and wait until the switch has handled all; return xid → error."""
        barrier = _HEADER.pack(self.version, _BARRIER, _HEADER.size, 1)
        self._socket.sendall(b"".join(messages) + barrier)
        errors: dict[int, str] = {}
        for kind, xid, body in self._received():
            if kind == _BARRIER_REPLY:
                break
            if kind == _ERROR:
                errors[xid] = "our bytes are refused: type {}, code {}".format(
                    *struct.unpack_from("!HH", body)
                )
        return errors

    def flows(self) -> set[FlowBytes]:
        """Every flow of the bridge."""
        body = _FLOW_REQUEST.pack(1, 0, 0xFF, 0xFFFFFFFF, 0xFFFFFFFF, 0, 0, 1, 4)
        head = _HEADER.pack(self.version, _MULTIPART, _HEADER.size + len(body), 2)
        self._socket.sendall(head + body)
        flows: set[FlowBytes] = set()
        for kind, _, body in self._received():
            if kind == _MULTIPART_REPLY:
                flows.update(starmap(FlowBytes, split_flow_stats(bytes(_HEADER.size) + body)))
                if not struct.unpack_from("!HH", body)[1]:
                    break
        return flows

    def _received(self) -> Iterator[tuple[int, int, bytes]]:
        while True:
            _, kind, length, xid = _HEADER.unpack(self._exactly(_HEADER.size))
            yield kind, xid, self._exactly(length - _HEADER.size)

    def _exactly(self, count: int) -> bytes:
        content = b""
        while len(content) < count:
            part = self._socket.recv(count - len(content))
            if not part:
                raise AssertionError("the switch hung up")
            content += part
        return content


def _bytes_of(flow: Flow, cookie: int = 0) -> FlowBytes:
    numbered = fill(flow, lambda each: PORTS.get(each.name, 0) if isinstance(each, PortName) else 0)
    return encode(evolve(numbered, settings=evolve(numbered.settings, cookie=cookie)))


def _is_among(ours: FlowBytes, read_back: set[FlowBytes]) -> bool:
    """Whether a controller that reads these flows would find ours among them."""
    values = [flow.value for flow in read_back if flow.identity == ours.identity]
    return any(
        value == ours.value or same_but_option_lengths(value, ours.value) for value in values
    )


def _unsettled(ours: FlowBytes, read_back: set[FlowBytes]) -> str:
    values = [flow.value.hex() for flow in read_back if flow.identity == ours.identity]
    if values:
        return f"actions or settings: {ours.value.hex()}\n    told back: {values[0]}"
    return f"match: {ours.identity.hex()}"


def _rounds(flows: dict[str, Flow]) -> Iterator[dict[str, Flow]]:
    """Flows with the same identity replace each other on a switch, so they are tried in separate
    rounds.
    """
    rest = flows
    while rest:
        now: dict[bytes, str] = {}
        for line, flow in rest.items():
            now.setdefault(_bytes_of(flow).identity, line)
        yield {line: rest[line] for line in now.values()}
        rest = {line: flow for line, flow in rest.items() if line not in now.values()}


def _marked(line: str, mark: int) -> str:
    return line if _cookie_of(line) else f"cookie={mark:#x},{line}"


def _cookie_of(line: str) -> int:
    """The cookie that a line names before its actions, or 0."""
    found = re.search(r"\bcookie=(\w+)", re.split(r"\bactions?=", line)[0])
    return int(found[1], 0) if found else 0
