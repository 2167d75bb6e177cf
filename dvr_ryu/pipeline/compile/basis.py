"""Makes a bridge's flows of its lines, its view of a host and its ports. Finds the flows that an
edit of any of the three may change. Pure.

All flows are filled in groups, so that a switch gets the first groups before the last are made.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice
from operator import attrgetter
from typing import Any, NamedTuple

from attrs import frozen

from dvr_ryu.errors import FileError, Problem
from dvr_ryu.pipeline.compile.binding import BridgeContext, NoSuchPort, Ports, field_index
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
"""Rows that are filled at a time: one or two milliseconds' work."""

_LEARNED_FROM = {"network": attrgetter("vlan", "vni"), "tunnel": attrgetter("port")}
"""Relations that learned flows depend on → the values of a row that they use."""

Lines = tuple[tuple[str | None, Template], ...]
"""The lines of a pipeline, each with the relation of its block."""


class FlowDelta(NamedTuple):
    """The flows that an edit removes and adds. An unchanged flow may be in both."""

    removed: Collection[Filled]
    added: Collection[Filled]
    outdates_learned: bool
    """Whether flows that switches learned may use a network's tag, a tunnel or a port number that
    the edit removed.
    """


@frozen(eq=False)
class Basis:
    """One bridge's lines, view and ports."""

    lines: Lines
    view: HostView
    ports: Ports

    def all(self) -> Iterator[Filled]:
        """Every flow that the bridge should have, except those that name a port which it lacks."""
        for relation in dict.fromkeys(relation for relation, _ in self.lines):
            yield from self.filled(relation, self._rows(relation))

    def filled(self, relation: str | None, rows: Iterable[Any]) -> Iterator[Filled]:
        """The flows that these rows of a relation make."""
        templates = [template for each, template in self.lines if each == relation]
        remaining = iter(rows)
        while templates and (group := list(islice(remaining, GROUP))):
            columns = Columns(group, self._context)
            for template in templates:
                yield from template.filled(columns)

    def desired(self) -> dict[bytes, bytes]:
        """Identity → value of every flow. Raises FileError if two lines make flows of one identity
        with different values.
        """
        flows = DesiredFlows()
        try:
            for filled in self.all():
                flows.add(filled)
        except Contradiction as contradiction:
            raise self.explained(contradiction) from None
        return flows.flows

    def explained(self, contradiction: Contradiction) -> FileError:
        """The error that names the two lines, and the row for which they contradict each other."""
        found = list(self.find({contradiction.identity}))
        first, first_at = found[0]
        value = first.values[first_at]
        second, at = next(pair for pair in found if pair[0].values[pair[1]] != value)
        assert first.flow.location and second.flow.location
        return FileError(
            [
                Problem(
                    second.flow.location,
                    f"for {second.columns.rows[at]}, this line and line "
                    f"{first.flow.location.line} make the same flow, with different actions",
                )
            ]
        )

    def find(self, identities: Collection[bytes]) -> Iterator[tuple[Filled, int]]:
        """The flows with these identities: their group, and the index in it."""
        for filled in self.all():
            for at, identity in enumerate(filled.identities):
                if identity in identities:
                    yield filled, at

    def flows(self) -> Iterator[Flow]:
        """The flows as values that can be printed, in the order of the file."""
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
        """The flows that are removed and added when `after` replaces this basis; `change` is the
        difference of their topologies. None if every flow may change.
        """
        if self.lines is not after.lines or self.view.this_host != after.view.this_host:
            return None
        removed: list[Filled] = []
        added: list[Filled] = []
        touched: dict[str, set[Any]] = {}
        outdates_learned = False
        for each in row_changes(self.view, after.view, change):
            outdates_learned |= _outdates_learned(each)
            removed.extend(self.filled(each.relation, each.removed))
            added.extend(after.filled(each.relation, each.added))
            touched[each.relation] = set(each.added)
        lost = {name for name, _ in self.ports.items() - after.ports.items()}
        outdates_learned |= any(tunnel.port in lost for tunnel in self.view.tunnel)
        renumbered = {name for name, _ in self.ports.items() ^ after.ports.items()}
        for template, rows in after._naming(renumbered, touched) if renumbered else ():
            removed.extend(template.filled(Columns(rows, self._context)))
            added.extend(template.filled(Columns(rows, after._context)))
        return FlowDelta(removed, added, outdates_learned)

    def _naming(
        self, names: set[str], touched: Mapping[str, set[Any]]
    ) -> Iterator[tuple[Template, list[Any]]]:
        """Each line, with the untouched rows for which it names one of these ports."""
        for relation, template in self.lines:
            if template.ports:
                others = touched.get(relation or "", ())
                yield (
                    template,
                    [
                        row
                        for row in self._rows(relation)
                        if row not in others and _names_port(template, row, names)
                    ],
                )


def _outdates_learned(change: RowChange) -> bool:
    used = _LEARNED_FROM.get(change.relation)
    return used is not None and not set(map(used, change.removed)) <= set(map(used, change.added))


def _names_port(template: Template, row: Any, names: set[str]) -> bool:
    for unknown in template.ports:
        if isinstance(unknown, PortName):
            if unknown.name in names:
                return True
        elif isinstance(unknown, Hole):
            value = row[field_index(unknown)]
            if not names.isdisjoint(value) if unknown.kind is Kind.PORTS else value in names:
                return True
    return False
