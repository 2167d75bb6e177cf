"""Asks a bridge for its own trace of a packet, and compares it with the steps of a hop.

`ovs-appctl ofproto/trace` names the flow of each table and its actions. ovs-ofctl writes the flows
of the value in the same form.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from attrs import Factory, define

from dvr_ryu.errors import Location
from dvr_ryu.pipeline.compile.pipelines import Pipelines
from dvr_ryu.pipeline.language.fields import FIELDS
from dvr_ryu.pipeline.language.tokens import split_tokens
from dvr_ryu.pipeline.run.packet import Packet, is_metadata, written_field
from dvr_ryu.pipeline.run.steps import Step
from dvr_ryu.trace.hops import Hop
from dvr_ryu.trace.live.asking import Node, Unanswered

_STEP = re.compile(r"( *\d+)\. (.*)")
_PRIORITY = re.compile(r"\bpriority (\d+)")
_COOKIE = re.compile(r"\bcookie 0x([0-9a-f]+)")
_REMARK = ("->", ">>")
"""The beginnings of lines in a bridge's trace that are neither flows nor actions."""
_MISSED = "no flow matches"


@define
class RealStep:
    """One table in a bridge's own trace. `priority` is None where no flow matches."""

    table: int
    text: str
    indent: int
    actions: list[str] = Factory(list)
    is_cut: bool = False
    """Whether the trace goes on in another bridge before the last of its actions."""

    def does(self, actions: Sequence[str]) -> bool:
        """Whether its actions are these, as far as the trace has them."""
        return self.actions == list(actions[: len(self.actions)] if self.is_cut else actions)

    @property
    def priority(self) -> int | None:
        """The priority of the flow that matched."""
        found = _PRIORITY.search(self.text)
        return int(found[1]) if found else None

    @property
    def cookie(self) -> int:
        """The cookie of the flow that matched, or 0."""
        found = _COOKIE.search(self.text)
        return int(found[1], 16) if found else 0


def departures(hop: Hop, pipelines: Pipelines, node: Node) -> Iterator[tuple[int, str]]:
    """The number of each step where a bridge departs from a hop, and what it does there instead.

    It stops at a flow that the switch has learned and that goes before the value's: a trace begins
    with a switch that has learned nothing. Raises Unanswered.
    """
    steps = [step for step in hop.steps if isinstance(step, Step)]
    priorities = _priorities(hop.node, pipelines)
    command = f"ovs-appctl ofproto/trace {hop.node} {shlex.quote(flow_of(hop.packet, hop.port))}"
    compared: list[tuple[int, Step, RealStep]] = []
    for number, (step, real) in enumerate(zip_longest(steps, real_steps(node.text(command)))):
        if real is None:
            break  # the trace goes on beyond a patch
        if step is None:
            yield number - 1, f"{hop.node} goes on to table {real.table}: {_flow_text(real)}"
            break
        priority = priorities.get(step.location) if step.location and step.matched else None
        if (real.table, real.priority) != (step.table, priority):
            if not _has_learned(real, priority, pipelines):
                yield number, f"{hop.node} takes another flow: {_flow_text(real)}"
            break
        if step.matched and priority is not None:
            compared.append((number, step, real))
    yield from _other_actions(compared, priorities, node)


def _has_learned(real: RealStep, priority: int | None, pipelines: Pipelines) -> bool:
    """Whether the switch has learned a flow that goes before one of that priority."""
    return real.cookie in pipelines.learned and (real.priority or 0) > (priority or 0)


def _priorities(bridge: str, pipelines: Pipelines) -> dict[Location, int]:
    """Location of a flow line → its priority."""
    pipeline = pipelines.by_bridge.get(bridge)
    flows = pipeline.flows() if pipeline else ()
    return {flow.location: flow.priority for _, flow in flows if flow.location}


def _flow_text(real: RealStep) -> str:
    if real.priority is None:
        return f"table {real.table}: {_MISSED}"
    text = re.sub(r",? ?cookie 0x[0-9a-f]+", "", real.text)
    return f"table {real.table}: {text} actions={','.join(real.actions)}"


def flow_of(packet: Packet, port: str | None) -> str:
    """A packet that enters by a port, for ofproto/trace."""
    fields = [
        f"{name}={written_field(name, value)}"
        for name, value in packet.fields.items()
        if name in FIELDS and (not is_metadata(name) or name.startswith("tun_"))
    ]
    return ",".join([f"in_port={port}", *fields])


def real_steps(trace: str) -> list[RealStep]:
    """The steps of the first bridge in the output of ofproto/trace, and the actions of each. A step
    within another's actions, as of resubmit, is indented more.

    The steps of other bridges, beyond a patch or a tunnel's socket, are left out. They stand in the
    midst of the actions, or at the end: then OVS prints no further actions.
    """
    steps: list[RealStep] = []
    open_steps: list[RealStep] = []
    for line in _of_first_bridge(trace):
        indent = len(line) - len(line.lstrip())
        if found := _STEP.fullmatch(line):
            step = RealStep(int(found[1]), found[2], len(found[1]) - 2)
            open_steps = [*(each for each in open_steps if each.indent < step.indent), step]
            steps.append(step)
        elif line.startswith("bridge("):
            for each in open_steps:
                each.is_cut = True
        elif not line.strip().startswith(_REMARK):
            open_steps = [each for each in open_steps if each.indent < indent]
            if open_steps:
                open_steps[-1].actions.append(line.strip())
    return steps


def _of_first_bridge(trace: str) -> Iterator[str]:
    """The lines of the first bridge, and the heading of a second one that ends them."""
    heading = re.search(r"^bridge\(.*\n-+\n", trace, re.MULTILINE)
    other: int | None = None
    for line in trace[heading.end() :].splitlines() if heading else ():
        text, indent = line.strip(), len(line) - len(line.lstrip())
        if text.startswith("bridge(") and other is None:
            other = indent
        is_others = other is not None and (indent > other or _STEP.fullmatch(line) is not None)
        if not indent and text and not _STEP.fullmatch(line):
            yield line  # another bridge, or the end
            return
        if text and not is_others and not text.startswith(("bridge(", "---")):
            other = None
            yield line


def _other_actions(
    compared: Sequence[tuple[int, Step, RealStep]],
    priorities: dict[Location, int],
    node: Node,
) -> Iterator[tuple[int, str]]:
    """Where the flow is the value's, but its actions are not."""
    lines = []
    for _, step, _ in compared:
        assert step.location, "only flows of lines are compared"
        match = f",{step.match}" if step.match else ""
        head = f"table={step.table},priority={priorities[step.location]}{match}"
        lines.append(f"{head} actions={step.actions or 'drop'}")
    written = _as_ovs_writes(lines, node)
    for (number, _, real), actions in zip(compared, written, strict=True):
        if not real.does(actions):
            yield number, f"its actions there are {','.join(real.actions)}"


def _as_ovs_writes(lines: Sequence[str], node: Node) -> list[list[str]]:
    """The actions of flows as ovs-ofctl writes them."""
    if not lines:
        return []
    script = 'printf "%s\\n" "$@" | ovs-ofctl -O OpenFlow14 parse-flows -'
    text = node.text(shlex.join(["sh", "-c", script, "sh", *lines]))
    found = re.findall(r"actions=(.*)", text)
    if len(found) != len(lines):
        raise Unanswered(f"{node.host}: ovs-ofctl parse-flows does not know all of these flows")
    return [[token for token, _ in split_tokens(each, 0, ",")] for each in found]
