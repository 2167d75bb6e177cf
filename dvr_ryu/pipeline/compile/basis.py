"""What the flows of one bridge are made from (lines, the view of a host, ports), the flows, and
which of them an edit touches. Pure.

All flows are filled in groups, so that whoever sends them need not wait for the last one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice
from operator import attrgetter
from typing import Any, NamedTuple

from attrs import frozen

from dvr_ryu.errors import FileError, Problem
from dvr_ryu.pipeline.compile.binding import BridgeContext, NoSuchPort, Ports, field_at
from dvr_ryu.pipeline.compile.columns import Columns
from dvr_ryu.pipeline.compile.desired_flows import Contradiction, DesiredFlows
from dvr_ryu.pipeline.compile.template import Filled, Template, filled_flow
from dvr_ryu.pipeline.language.flow import Flow
from dvr_ryu.pipeline.language.operands import Hole, PortName
from dvr_ryu.topology.changes import TopologyChange
from dvr_ryu.topology.relations import Kind
from dvr_ryu.topology.row_changes import RowChange, row_changes
from dvr_ryu.topology.view import HostView

GROUP = 1000
"""How many rows are filled at a time: one or two milliseconds' work."""

_WAYS = {"network": attrgetter("vlan", "vni"), "tunnel": attrgetter("port")}
"""The relations of which learned flows are made, and what they have of a row."""

Lines = tuple[tuple[str | None, Template], ...]
"""The lines of a pipeline, each with the relation of its block."""


class FlowDelta(NamedTuple):
    """Flows that an edit takes away and flows that it brings. What it leaves alone may be in
    both.
    """

    removed: Collection[Filled]
    added: Collection[Filled]
    outdates_learned: bool
    """Whether a network's tag, or a tunnel or its port's number is gone, which switches may have
    learned to use.
    """


@frozen(eq=False)
class Basis:
    """One bridge's lines, view and ports."""

    lines: Lines
    view: HostView
    ports: Ports

    def all(self) -> Iterator[Filled]:
        """Every flow that the bridge shall have; without those that name a port which is not there
        yet.
        """
        for relation in dict.fromkeys(relation for relation, _ in self.lines):
            yield from self.of(relation, self._rows(relation))

    def of(self, relation: str | None, rows: Iterable[Any]) -> Iterator[Filled]:
        """The flows that some rows of a relation make."""
        templates = [template for each, template in self.lines if each == relation]
        remaining = iter(rows)
        while templates and (group := list(islice(remaining, GROUP))):
            columns = Columns(group, self._context)
            for template in templates:
                yield from template.filled(columns)

    def desired(self) -> dict[bytes, bytes]:
        """Identity → value of every flow. Raises FileError where two lines, filled, make flows of
        one identity that do different things.
        """
        wanted = DesiredFlows()
        try:
            for filled in self.all():
                wanted.add(filled)
        except Contradiction as contradiction:
            raise self.explained(contradiction) from None
        return wanted.flows

    def explained(self, contradiction: Contradiction) -> FileError:
        """Which lines contradict each other, and for which row."""
        found = list(self.find({contradiction.identity}))
        first, first_at = found[0]
        value = first.values[first_at]
        second, at = next(pair for pair in found if pair[0].values[pair[1]] != value)
        assert first.flow.location and second.flow.location
        return FileError(
            [
                Problem(
                    second.flow.location,
                    f"for {second.columns.rows[at]}, this is the same flow as that of line "
                    f"{first.flow.location.line}, with other actions",
                )
            ]
        )

    def find(self, identities: Collection[bytes]) -> Iterator[tuple[Filled, int]]:
        """Where the flows with these identities are filled: a group, and the position in it."""
        for filled in self.all():
            for at, identity in enumerate(filled.identities):
                if identity in identities:
                    yield filled, at

    def flows(self) -> Iterator[Flow]:
        """The same flows as values that can be printed, in the order of the file."""
        for relation, template in self.lines:
            for row in self._rows(relation):
                try:
                    yield filled_flow(template.flow, row, self._context)
                except NoSuchPort:
                    continue

    @property
    def _context(self) -> BridgeContext:
        return BridgeContext(self.view.this_host, self.ports)

    def _rows(self, relation: str | None) -> Iterable[Any]:
        return (None,) if relation is None else getattr(self.view, relation)

    # Edits ----------------------------------------------------------------------------------------

    def edited(self, after: Basis, change: TopologyChange) -> FlowDelta | None:
        """What becomes of the flows when the basis becomes `after`, whose topology differs by
        `change`. None if every flow may become another one.
        """
        if self.lines is not after.lines or self.view.this_host != after.view.this_host:
            return None
        removed: list[Filled] = []
        added: list[Filled] = []
        already: dict[str, set[Any]] = {}
        outdates_learned = False
        for each in row_changes(self.view, after.view, change):
            outdates_learned |= _loses_a_way(each)
            removed.extend(self.of(each.relation, each.removed))
            added.extend(after.of(each.relation, each.added))
            already[each.relation] = set(each.added)
        lost = {name for name, _ in self.ports.items() - after.ports.items()}
        outdates_learned |= any(tunnel.port in lost for tunnel in self.view.tunnel)
        names = {name for name, _ in self.ports.items() ^ after.ports.items()}
        for template, rows in after._naming(names, already) if names else ():
            removed.extend(template.filled(Columns(rows, self._context)))
            added.extend(template.filled(Columns(rows, after._context)))
        return FlowDelta(removed, added, outdates_learned)

    def _naming(
        self, names: set[str], already: Mapping[str, set[Any]]
    ) -> Iterator[tuple[Template, list[Any]]]:
        """The rows, but those that are touched already, for which a line names such a port."""
        for relation, template in self.lines:
            if template.ports:
                others = already.get(relation or "", ())
                yield (
                    template,
                    [
                        row
                        for row in self._rows(relation)
                        if row not in others and _names(template, row, names)
                    ],
                )


def _loses_a_way(change: RowChange) -> bool:
    way = _WAYS.get(change.relation)
    return way is not None and not set(map(way, change.removed)) <= set(map(way, change.added))


def _names(template: Template, row: Any, names: set[str]) -> bool:
    for unknown in template.ports:
        if isinstance(unknown, PortName):
            if unknown.name in names:
                return True
        elif isinstance(unknown, Hole):
            value = row[field_at(unknown)]
            if not names.isdisjoint(value) if unknown.kind is Kind.PORTS else value in names:
                return True
    return False
