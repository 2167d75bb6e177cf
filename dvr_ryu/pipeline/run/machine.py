"""The machine that runs the actions of flows on one packet: frames, and the packet as it is now.

It knows no action: the families in `actions` register a function for each. There is no recursion:
each look-up in a table, and each action with actions in it, is a frame on a stack.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from attrs import Factory, define, evolve, frozen

from dvr_ryu.pipeline.language.actions.base import Action
from dvr_ryu.pipeline.language.fields import FIELDS, VLAN_PRESENT
from dvr_ryu.pipeline.language.flow import Flow
from dvr_ryu.pipeline.language.numbers import PORT
from dvr_ryu.pipeline.run.headers import Fields
from dvr_ryu.pipeline.run.lookup import Found, Lookup
from dvr_ryu.pipeline.run.packet import Packet
from dvr_ryu.pipeline.run.ports import BridgePort
from dvr_ryu.pipeline.run.state import BridgeState
from dvr_ryu.pipeline.run.steps import Change, Step

MOST_RESUBMITS = 4096
"""Look-ups for one packet: after that Open vSwitch drops it everywhere."""
DEEPEST = 64
"""Look-ups within each other that do not lead to a later table."""

_L4 = frozenset(
    name
    for name, field in FIELDS.items()
    if (field.in_transport or name.startswith("icmp")) and name != "tcp_flags"
)
_NO_FLOW = Found(Flow(0, 0, (), ()), (), "", "", learned=False)
"""Of a packet that matches no flow."""
_Saved = tuple[Fields, Packet, "Packet | None", list[int], list[Action]]

Perform = Callable[["Machine", Any], None]
PERFORM: dict[type[Action], Perform] = {}
"""Action → the function that runs it."""


def runs(*kinds: type[Action]) -> Callable[[Perform], Perform]:
    """Register a function that runs actions of these types."""

    def add(perform: Perform) -> Perform:
        PERFORM.update(dict.fromkeys(kinds, perform))
        return perform

    return add


class Dropped(Exception):
    """Open vSwitch cannot go on with the packet: it drops it, also where it was sent already."""


@frozen(eq=False)
class Environment:
    """What does not change while packets run through a bridge."""

    lookup: Lookup
    ports: Mapping[int, BridgePort]
    """By number."""
    by_name: Mapping[str, BridgePort]
    table_names: Mapping[int, str]


@define(eq=False)
class StepInWork:
    """A step to which the actions of its flow add."""

    found: Found
    table: int
    name: str
    depth: int
    changes: dict[str, tuple[int | None, int | None]] = Factory(dict)
    notes: list[str] = Factory(list)
    outputs: list[str] = Factory(list)

    def changed(self, before: Fields, after: Fields) -> None:
        """Add the fields that an action wrote."""
        for name in (name for name in {**before, **after} if before.get(name) != after.get(name)):
            first = self.changes.get(name, (before.get(name), None))[0]
            self.changes[name] = first, after.get(name)

    def done(self) -> Step:
        """The step as a value."""
        changes = tuple(
            Change(name, before, after)
            for name, (before, after) in self.changes.items()
            if before != after
        )
        found, flow = self.found, self.found.flow
        return Step(
            self.table, self.name, flow.location, flow.sentence, found.match_text,
            found.actions_text, changes, tuple(self.notes), tuple(self.outputs), self.depth,
            found is not _NO_FLOW, found.learned,
        )  # fmt: skip


@define(eq=False)
class Frame:
    """Actions that are running, and what happens when they are done."""

    actions: Iterator[Action]
    step: StepInWork
    table: int
    deepness: int
    """Look-ups around this one that did not lead to a later table."""
    leave: Callable[[], None] | None = None
    stops_exit: bool = False
    """Whether `exit` ends only the actions within."""


class Machine:
    """One packet on its way through one bridge. Actions change `fields`, `payload` and the rest."""

    def __init__(
        self,
        environment: Environment,
        perform: Mapping[type[Action], Perform],
        state: BridgeState,
        packet: Packet,
    ) -> None:
        self.environment = environment
        self._perform = perform
        self.state = state
        self.packet = packet
        self.fields: Fields = dict(packet.fields)
        self.payload = packet.payload
        self.outputs: list[tuple[str, Packet]] = []
        self.steps: list[StepInWork] = []
        self.stack: list[int] = []
        self.action_set: list[Action] = []
        self._learned = state
        """The state with the flows that this packet teaches: packets after it match them."""
        self.frames: list[Frame] = []
        self.exiting = False
        self.resubmits = 0

    # The packet and the step ------------------------------------------------------------------

    @property
    def frame(self) -> Frame:
        """The frame whose action is running."""
        return self.frames[-1]

    @property
    def step(self) -> StepInWork:
        """The step whose action is running."""
        return self.frame.step

    def note(self, text: str) -> None:
        """Add a sentence to the step."""
        self.step.notes.append(text)

    def port_name(self, number: int) -> str:
        """A port's name, or its number or reserved name if the bridge has no such port."""
        port = self.environment.ports.get(number)
        return port.name if port else PORT.write(number)

    def table_name(self, number: int) -> str:
        """A table's name, or its number if the flow file lacks it."""
        return self.environment.table_names.get(number, str(number))

    def as_it_is(self) -> Packet:
        """The packet now, with its registers and the like."""
        return evolve(self.packet, fields=self.fields, payload=self.payload)

    def leaving(self, tunnel: bool) -> Packet:
        """The packet as it leaves now: its headers, and through a tunnel the tunnel's fields."""
        fields = {n: v for n, v in self.fields.items() if tunnel and n.startswith("tun_")}
        headers = self._headers()
        if not headers.get("vlan_tci", VLAN_PRESENT) & VLAN_PRESENT:
            del headers["vlan_tci"]
        return evolve(self.packet, fields={**headers, **fields}, payload=self.payload)

    def _headers(self) -> Fields:
        return dict(Packet(self.fields).without_metadata().fields)

    def learning(self) -> tuple[Flow, ...]:
        """All learned flows, also those that this packet taught."""
        return self._learned.learned

    def learn(self, flow: Flow) -> None:
        """Add a flow for the packets after this one."""
        self._learned = self._learned.with_flow(flow)

    def state_after(self) -> BridgeState:
        """The bridge's state after the packet."""
        return evolve(self.state, learned=self._learned.learned)

    # Running ----------------------------------------------------------------------------------

    def run(self, table: int) -> None:
        """Look the packet up in a table, and run all that follows. Raises Dropped."""
        self.look_up(table, depth=0)
        self.finish()

    def start(self, actions: tuple[Action, ...], sentence: str, table: int) -> None:
        """Run actions that no look-up found, as a step of their own."""
        flow, text = Flow(table, 0, (), actions, sentence=sentence), ",".join(map(str, actions))
        self._begin(Found(flow, actions, "", text, learned=False), table, depth=0)

    def _begin(self, found: Found, table: int, depth: int) -> None:
        step = StepInWork(found, table, self.table_name(table), depth)
        self.steps.append(step)
        self.push(found.actions, step, table)

    def finish(self) -> None:
        """Run until no frame is left."""
        while self.frames:
            frame = self.frames[-1]
            action = None if self.exiting else next(frame.actions, None)
            if action is None:
                self._leave(frame)
            else:
                self.perform(action)

    def _leave(self, frame: Frame) -> None:
        self.frames.pop()
        if frame.stops_exit:
            self.exiting = False
        if frame.leave:
            frame.leave()

    def perform(self, action: Action) -> None:
        """Run one action in the frame that is running."""
        step, before = self.step, dict(self.fields)
        self.run_action(action)
        if self.fields != before:
            step.changed(before, self.fields)

    def run_action(self, action: Action) -> None:
        """Run one action, without a note of the fields that it writes."""
        self._perform[type(action)](self, action)

    def end_actions(self) -> None:
        """End the actions of this frame; the flows that led to it go on."""
        self.frame.actions = iter(())

    def end_all(self) -> None:
        """End all actions, also of the flows that led here; a copy that ct made ends alone."""
        self.exiting = True

    def save(self) -> _Saved:
        """The packet as it is now."""
        return dict(self.fields), self.packet, self.payload, list(self.stack), list(self.action_set)

    def restore(self, saved: _Saved) -> None:
        """Go on with the packet as it was. What `save` returned serves once."""
        self.fields, self.packet, self.payload, self.stack, self.action_set = saved

    def look_up(self, table: int, depth: int, seen_as: Mapping[str, int] | None = None) -> None:
        """Look the packet up, and push a frame with the actions of the flow that matches. `seen_as`
        are other numbers of some fields, for the look-up only.
        """
        self._count()
        fields = self._as_looked_up(seen_as)
        found = self.environment.lookup.find(table, fields, self.state.learned)
        self._begin(found or _NO_FLOW, table, depth)

    def push(
        self,
        actions: Iterable[Action],
        step: StepInWork,
        table: int,
        leave: Callable[[], None] | None = None,
        stops_exit: bool = False,
    ) -> None:
        """Run these actions next."""
        deepness = 0
        if self.frames:
            deepness = self.frame.deepness + (table <= self.frame.table and step is not self.step)
        self.frames.append(Frame(iter(actions), step, table, deepness, leave, stops_exit))

    def _as_looked_up(self, seen_as: Mapping[str, int] | None) -> Fields:
        """The fields that flows match: of a fragment, even the first, none of its L4 header."""
        if not seen_as and not self.fields.get("nw_frag", 0):
            return self.fields
        fields = {**self.fields, **(seen_as or {})}
        if fields.get("nw_frag", 0):
            fields = {n: v for n, v in fields.items() if n not in _L4}
        return fields

    def _count(self) -> None:
        if self.frames:
            if self.frame.deepness >= DEEPEST:
                raise Dropped(f"there are over {DEEPEST} look-ups within each other")
            if self.resubmits >= MOST_RESUBMITS:
                raise Dropped(f"there are over {MOST_RESUBMITS} look-ups")
        self.resubmits += 1
