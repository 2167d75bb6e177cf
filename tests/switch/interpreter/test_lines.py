"""The interpreter runs single lines of the language as ofproto/trace of a real Open vSwitch does:
the lines of action_lines/, random matches, and random combinations of actions.

Each line is in a table of its own, and gets packets that it matches. Outputs, packets and registers
must be alike. Thousands of packets:
``DVR_TRACES=5000 DVR_SEED=7 .venv/bin/pytest -s tests/switch/interpreter``.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import pytest

from dvr_ryu.pipeline.language.numbers import read_int, read_port
from dvr_ryu.pipeline.run.bridge import Bridge
from dvr_ryu.pipeline.run.packet import Packet
from dvr_ryu.pipeline.run.state import BridgeState
from dvr_ryu.shipped import examples_dir
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.view import HostView
from tests.switch.interpreter.lines import BRIDGE, PORTS, Line, packet_for, pipeline, readable
from tests.switch.interpreter.test_shipped import SEED, compared, steps_text
from tests.switch.interpreter.tracer import CannotTrace, Tracer
from tests.switch.test_oracle_actions import COMBINABLE, ENDS, FOLDER
from tests.switch.test_oracle_fields import made_up

TRACES = int(os.environ.get("DVR_TRACES", "400"))
PACKETS = 2
"""Packets for each line."""
PIPELINE = 200
"""Lines of one pipeline."""

NOT_ALIKE = {
    "group": "the language has no groups: the interpreter says so, and stops",
    "multipath": "a hash chooses: the interpreter says that it is one of several",
    "bundle": "a hash chooses: the interpreter says that it is one of several",
    "ct(table=0": "ofproto/trace goes round for ever: the packet comes to the same line again",
    "learn(table=10": "it would add flows to the tables of other lines",
    "learn(table=20": "it would add flows to the tables of other lines",
    "check_pkt_larger": "ofproto/trace follows both answers, as it knows no length",
    "nat(": "ofproto/trace does not translate: see test_ct.py",
    "encap": "ofproto/trace knows no packets without an Ethernet header",
    "decap": "ofproto/trace knows no packets without an Ethernet header",
    "packet_type": "ofproto/trace knows no packets without an Ethernet header",
    "pause": "the packet waits for a controller: the interpreter says so, and stops",
    "tun_metadata": "options need a table of the bridge, which a pipeline does not have",
}
"""Words of lines that are not compared → the reason."""


@pytest.fixture(scope="module")
def view() -> HostView:
    return HostView(load_topology(examples_dir() / "human-defined-dvr.yaml"), "server-233")


def comparable(texts: Iterable[str]) -> list[str]:
    return [text for text in texts if not any(word in text for word in NOT_ALIKE)]


def differences(tracer: Tracer, view: HostView, texts: Iterable[str]) -> tuple[int, list[str]]:
    """The number of packets that were compared, and the first difference of each line."""
    lines = readable(texts)
    flows = [
        flow for line in lines for flow in (line.dispatch(), f"table={line.table},{line.text}")
    ]
    tracer.make(BRIDGE, PORTS, [])
    _add_meters(tracer)
    tracer.add_flows(BRIDGE, flows)
    bridge = Bridge(pipeline(flows), view, PORTS)
    dice = random.Random(SEED)
    count, found = 0, []
    for line in lines:
        for _ in range(PACKETS):
            try:
                difference = _difference(tracer, bridge, line, dice)
            except CannotTrace:
                continue
            count += 1
            if difference:
                found.append(difference)
                break
    return count, found


def _add_meters(tracer: Tracer) -> None:
    for meter in (3, 5):
        rate = f"meter={meter},kbps,band=type=drop,rate=100"
        tracer.ovs.run("ovs-ofctl", "-O", "OpenFlow14", "add-meter", BRIDGE, rate)


def _difference(tracer: Tracer, bridge: Bridge, line: Line, dice: random.Random) -> str | None:
    """Send one packet, to bridges that learned nothing; return how they differ."""
    port, packet = packet_for(line, dice)
    number = bridge.by_name[port].number
    ours = bridge.forward(BridgeState(), packet, port)
    try:
        theirs = tracer.trace(BRIDGE, packet, number)
    finally:
        tracer.forget(BRIDGE, {flow.table for flow in ours.state.learned})
    difference = compared(ours.outputs, theirs.outputs)
    before = {"in_port": number}
    after = before if theirs.final == "unchanged" else registers_in(theirs.final)
    is_dropped = "Translation failed" in theirs.text
    if (
        not difference
        and not is_dropped
        and (kept := registers_of(ours.final, theirs.final)) != after
    ):
        difference = f"registers: {kept}, Open vSwitch: {after}"
    if not difference:
        return None
    return f"{line.text}\n{packet} at {port}: {difference}\n{steps_text(ours)}\n{theirs.text}"


_KEPT = re.compile(r"(?:^|,)(in_port|reg\d+|metadata|pkt_mark|tun_id)=(\w+)")


def registers_in(final: str) -> dict[str, int]:
    """The registers and the like of a flow as ofproto/trace prints it: without those that are 0."""
    numbers = {
        name: read_port(value) if name == "in_port" else read_int(value)
        for name, value in _KEPT.findall(final)
    }
    return {name: value for name, value in numbers.items() if value}


def registers_of(packet: Packet, final: str) -> dict[str, int]:
    """Those of a packet. Open vSwitch does not print tun_id beside other fields of a tunnel."""
    unprinted = "tun_id" if "tun_dst=" in final else ""
    return {
        name: value
        for name, value in packet.fields.items()
        if value and name != unprinted and _KEPT.search(f"{name}={value}")
    }


def accepted_lines() -> list[str]:
    lines = Path(FOLDER / "accepted.txt").read_text(encoding="utf-8").splitlines()
    return comparable(line for line in lines if not line.startswith("#"))


def matches() -> list[str]:
    """Random matches."""
    made = made_up(max(100, TRACES // PACKETS), SEED)
    return comparable(line.replace("actions=drop", "actions=2,IN_PORT") for line in made)


def combinations() -> Iterator[str]:
    """Random combinations of actions."""
    dice = random.Random(SEED)
    actions = comparable(COMBINABLE)
    for _ in range(max(100, TRACES // PACKETS)):
        some = dice.sample(actions, dice.randint(1, 5))
        nested = dice.choice(actions)
        yield f"actions={','.join(some)},clone({nested}),2{dice.choice(ENDS)}"


@pytest.mark.parametrize("source", [accepted_lines, matches, combinations])
def test_lines_do_what_ofproto_trace_says(tracer: Tracer, view: HostView, source) -> None:
    count, found = 0, list[str]()
    remaining = iter(source())
    while texts := list(islice(remaining, PIPELINE)):
        some, differing = differences(tracer, view, texts)
        count, found = count + some, [*found, *differing]
    print(f"{count} packets")
    assert not found, f"{len(found)} lines differ:\n" + "\n\n".join(found)
    assert count > 50
