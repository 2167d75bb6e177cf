"""Finds the flow line, and the row, that a packet matches in a table.

It works on lines and rows: a line's constants are compared first, then the fields of its holes are
looked up in an index of the relation's rows, which is made at its first use and shared by all lines
with the same holes. No flow is filled before a packet matches it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from attrs import frozen

from dvr_ryu.pipeline.compile.binding import BridgeContext, NoSuchPort, value_of
from dvr_ryu.pipeline.compile.template import filled_flow
from dvr_ryu.pipeline.language.actions.base import Action
from dvr_ryu.pipeline.language.actions.special import Conjunction
from dvr_ryu.pipeline.language.field_match import FieldMatch
from dvr_ryu.pipeline.language.fields import VLAN_ID, VLAN_PCP, VLAN_PCP_AT, VLAN_PRESENT
from dvr_ryu.pipeline.language.flow import Flow
from dvr_ryu.pipeline.language.operands import Hole, MaskOf, PortName, Unknown, number, unknowns
from dvr_ryu.pipeline.language.pipeline import Pipeline
from dvr_ryu.pipeline.run.headers import Fields
from dvr_ryu.topology.relations import Kind

_VID_AND_PRESENT = VLAN_ID | VLAN_PRESENT


class Condition(NamedTuple):
    """A packet's field must have this value in the bits of the mask; `present`: it must have the
    field.
    """

    name: str
    value: int
    mask: int
    present: bool = False

    def holds(self, fields: Fields) -> bool:
        """Whether a packet with these fields meets it."""
        if self.present and self.name not in fields:
            return False
        return fields.get(self.name, 0) & self.mask == self.value


def condition(match: FieldMatch) -> Condition:
    """The condition of a filled match."""
    name, value, mask = match.field.name, number(match.value), match.whole_mask
    match name:
        case "dl_vlan":
            return Condition("vlan_tci", value | VLAN_PRESENT, _VID_AND_PRESENT)
        case "vlan_vid":
            return Condition("vlan_tci", value & mask, mask & _VID_AND_PRESENT)
        case "vlan_pcp":
            return Condition("vlan_tci", value << VLAN_PCP_AT, VLAN_PCP)
        case "in_port_oxm":
            return Condition("in_port", value, mask)
    return Condition(name, value & mask, mask, match.field.variable)


class _Slot(NamedTuple):
    """A hole of a match: the packet's field, and whether it is a VLAN tag."""

    name: str
    is_tag: bool

    def key(self, fields: Fields) -> int | None:
        """The number that the hole must have for this packet; None: no number."""
        value = fields.get(self.name, 0)
        if not self.is_tag:
            return value
        return value & VLAN_ID if value & VLAN_PRESENT else None


@frozen(eq=False)
class Line:
    """One flow line of a bridge, ready for look-ups."""

    relation: str | None
    flow: Flow
    constants: tuple[Condition, ...]
    slots: tuple[_Slot, ...]
    """The fields that holes of the relation match whole."""
    holes: tuple[Hole, ...]
    """The holes in these slots."""
    masked: tuple[FieldMatch, ...]
    """The matches of masked numbers."""
    ports: tuple[Unknown, ...]
    """The ports that the bridge must have for the flow."""

    def may_match(self, fields: Fields) -> bool:
        """Whether a packet meets the line's constants."""
        for name, value, mask, present in self.constants:
            if fields.get(name, 0) & mask != value or (present and name not in fields):
                return False
        return True


@frozen(eq=False)
class Found:
    """A flow that a packet matches, with its holes filled, and its texts. A learned flow has no
    location.
    """

    flow: Flow
    actions: tuple[Action, ...]
    """Its actions, with its goto_table."""
    match_text: str
    actions_text: str
    learned: bool


def found(flow: Flow, learned: bool = False) -> Found:
    """A filled flow as look-ups find it."""
    actions = (*flow.actions, *((flow.goto,) if flow.goto else ()))
    match_text = ",".join([f"priority={flow.priority}", *flow.match_tokens()])
    return Found(flow, actions, match_text, ",".join(map(str, actions)) or "drop", learned)


class Lookup:
    """The look-ups of one bridge, in its lines and in flows that it learned."""

    def __init__(
        self, pipeline: Pipeline, rows_of: Callable[[str], Iterable[Any]], context: BridgeContext
    ) -> None:
        self._context = context
        self._rows_of = rows_of
        self._rows: dict[str, Sequence[Any]] = {}
        self._indexes: dict[tuple[str, tuple[Hole, ...]], Mapping[Any, list[Any]]] = {}
        self._found: dict[tuple[int, Any], Found] = {}
        self._tables: dict[int, tuple[Line, ...]] = {}
        for table in pipeline.tables:
            lines = [
                line
                for relation, flow in table.flows_with_relations()
                if (line := _line(relation, flow, context))
            ]
            self._tables[table.number] = tuple(sorted(lines, key=lambda line: -line.flow.priority))

    def find(self, table: int, fields: Fields, learned: Sequence[Flow] = ()) -> Found | None:
        """The flow of the highest priority in the table that matches a packet with these fields.

        Flows with a conjunction match together: if a packet matches one of each clause, it is
        looked up once more with the conjunction's conj_id.
        """
        clauses: dict[int, list[Conjunction]] = defaultdict(list)
        whole: Found | None = None
        for each in self._matching(table, fields, learned):
            if parts := conjunctions(each.flow):
                clauses[each.flow.priority] += parts
            else:
                whole = each
                break
        if clauses:
            least = whole.flow.priority if whole else -1
            for priority in (each for each in clauses if each > least):
                for conj_id in complete(clauses[priority]):
                    seen = {**fields, "conj_id": conj_id}
                    others = self._matching(table, seen, learned)
                    if joint := next((f for f in others if not conjunctions(f.flow)), None):
                        return joint
        return whole

    def _matching(self, table: int, fields: Fields, learned: Sequence[Flow]) -> Iterator[Found]:
        """The flows that match, the highest priority first; a learned one before a line, because it
        may have replaced that.
        """
        taught = [flow for flow in learned if flow.table == table and matches(flow, fields)]
        taught.sort(key=lambda flow: -flow.priority)
        for line in self._tables.get(table, ()):
            while taught and taught[0].priority >= line.flow.priority:
                yield found(taught.pop(0), learned=True)
            if line.may_match(fields):
                yield from self._of_rows(line, fields)
        for flow in taught:
            yield found(flow, learned=True)

    def _of_rows(self, line: Line, fields: Fields) -> Iterator[Found]:
        """The line's flows for the rows that the packet matches."""
        for row in self._candidates(line, fields):
            if self._masked_match(line, row, fields) and self._has_ports(line, row):
                yield self._of_row(line, row)

    def _candidates(self, line: Line, fields: Fields) -> Sequence[Any]:
        if line.relation is None:
            return (None,)
        if not line.holes:
            return self._relation(line.relation)
        key = tuple(slot.key(fields) for slot in line.slots)
        return self._index(line.relation, line.holes).get(key, ())

    def _relation(self, relation: str) -> Sequence[Any]:
        rows = self._rows.get(relation)
        if rows is None:
            rows = self._rows[relation] = tuple(self._rows_of(relation))
        return rows

    def _index(self, relation: str, holes: tuple[Hole, ...]) -> Mapping[Any, list[Any]]:
        index = self._indexes.get((relation, holes))
        if index is None:
            made = defaultdict[Any, list[Any]](list)
            for row in self._relation(relation):
                try:
                    made[tuple(value_of(hole, row, self._context) for hole in holes)].append(row)
                except NoSuchPort:
                    continue
            index = self._indexes[relation, holes] = dict(made)
        return index

    def _masked_match(self, line: Line, row: Any, fields: Fields) -> bool:
        for each in line.masked:
            assert isinstance(each.mask, MaskOf)
            mask = value_of(each.mask, row, self._context)
            if fields.get(each.field.name, 0) & mask != value_of(
                each.mask.masked, row, self._context
            ):
                return False
        return True

    def _has_ports(self, line: Line, row: Any) -> bool:
        try:
            for unknown in line.ports:
                value_of(unknown, row, self._context)
        except NoSuchPort:
            return False
        return True

    def _of_row(self, line: Line, row: Any) -> Found:
        key = id(line), row
        known = self._found.get(key)
        if known is None:
            known = self._found[key] = found(filled_flow(line.flow, row, self._context))
        return known


def conjunctions(flow: Flow) -> list[Conjunction]:
    """The conjunctions that a flow is a clause of."""
    return [each for each in flow.actions if isinstance(each, Conjunction)]


def complete(clauses: Iterable[Conjunction]) -> Iterator[int]:
    """The ids of the conjunctions of which each clause is there."""
    there: dict[tuple[int, int], set[int]] = defaultdict(set)
    for each in clauses:
        there[each.id, each.clauses].add(each.clause)
    return (id_ for (id_, count), found in there.items() if len(found) == count)


def matches(flow: Flow, fields: Fields) -> bool:
    """Whether a filled flow matches a packet with these fields."""
    return all(condition(each).holds(fields) for each in flow.match)


def _line(relation: str | None, flow: Flow, context: BridgeContext) -> Line | None:
    """The line, or None if it names a port that the bridge lacks."""
    constants: list[Condition] = []
    slots: list[_Slot] = []
    holes: list[Hole] = []
    masked: list[FieldMatch] = []
    try:
        for each in flow.match:
            if isinstance(each.mask, MaskOf):
                masked.append(each)
            elif isinstance(each.value, Hole) and each.value.relation != "host":
                holes.append(each.value)
                slots.append(_slot(each))
            else:
                constants.append(condition(_with_value(each, context)))
    except NoSuchPort:
        return None
    ports = tuple(each for each in unknowns(flow) if _is_port(each))
    return Line(relation, flow, tuple(constants), tuple(slots), tuple(holes), tuple(masked), ports)


def _slot(match: FieldMatch) -> _Slot:
    name = match.field.name
    is_tag = name in ("dl_vlan", "vlan_vid")
    return _Slot("vlan_tci" if is_tag else name, is_tag)


def _with_value(match: FieldMatch, context: BridgeContext) -> FieldMatch:
    if isinstance(match.value, int):
        return match
    return FieldMatch(match.field, value_of(match.value, None, context), match.mask)


def _is_port(unknown: Unknown) -> bool:
    return isinstance(unknown, PortName) or (
        isinstance(unknown, Hole) and unknown.kind in (Kind.PORT, Kind.PORTS)
    )
