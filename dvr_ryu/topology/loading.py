"""Load a topology file, or its text, into the model; else report every problem and location."""

from __future__ import annotations

import gc
import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import evolve

from dvr_ryu.errors import FileError, Problem
from dvr_ryu.topology.allocation.numbers import NoRoom, allocate
from dvr_ryu.topology.allocation.ports import WantedPort, wanted_ports
from dvr_ryu.topology.assembly import assemble
from dvr_ryu.topology.checks import check
from dvr_ryu.topology.controller import CONTROLLER_VARIABLE
from dvr_ryu.topology.placement import Placement, departed
from dvr_ryu.topology.spec.declaration import HostSpec, TopologySpec
from dvr_ryu.topology.spec.schema_errors import declare
from dvr_ryu.topology.spec.text_file import read_text
from dvr_ryu.topology.spec.yaml_nodes import Document
from dvr_ryu.topology.topology import Topology


class Declaration:
    """A file that is right, and the topologies that it declares: with every instance on its
    declared host, or with some of them still on others, perhaps on hosts that the file no longer
    has.
    """

    def __init__(
        self, text: str, file: str, before: Declaration | None = None, controller: str | None = None
    ) -> None:
        """Errors name it `file`. It replaces `before`, which is in force. `controller` is the
        default if the file names none. Raise FileError.
        """
        self._spec: TopologySpec
        self.text = text
        with _collector_at_rest():
            # Not stored: it is as large as the text and the topology together.
            document = Document(text, file)
            in_force = before.hosts if before else ()
            self._spec, ports = _right(document, in_force)
            if controller and self._spec.controller is None:
                self._spec = evolve(self._spec, controller=controller)
            try:
                self.topology = _numbered(self._spec, ports)
            except NoRoom as no_room:
                problems = [
                    Problem(document.key(path), message) for path, message in no_room.shortages
                ]
                raise FileError(problems) from None
        was: dict[str, HostSpec] = before._known_hosts if before else {}
        self._departed = departed(was, self._spec.hosts)
        self._known_hosts: dict[str, HostSpec] = {**self._departed, **self._spec.hosts}

    @property
    def hosts(self) -> Collection[str]:
        """The names of the hosts that the file has."""
        return self._spec.hosts.keys()

    @property
    def departed(self) -> Collection[str]:
        """The hosts that the file had earlier, and whose numbers no other host has now."""
        return self._departed.keys()

    def placed(self, placement: Placement) -> Topology:
        """The topology with instances on their present hosts. It also has the hosts that have
        `departed` and are retained, or have such an instance. Raise NoRoom if numbers run out then.
        """
        return self._placed(placement).with_roaming(placement.roaming)

    def _placed(self, placement: Placement) -> Topology:
        moving = placement.moving
        names = self._departed.keys() & {*moving.values(), *placement.retained}
        back = {name: self._departed[name] for name in sorted(names)}
        if not moving and not back:
            return self.topology
        instances = self._spec.instances
        elsewhere = {
            name: evolve(instances[name], host=host)
            for name, host in moving.items()
            if name in instances
        }
        with _collector_at_rest():
            spec = evolve(
                self._spec,
                instances={**instances, **elsewhere},
                hosts={**self._spec.hosts, **back},
            )
            made = _numbered(spec, wanted_ports(spec))
        return made.with_roaming({card.name: card.host for card in self.topology.roaming})


def _right(document: Document, in_force: Collection[str]) -> tuple[TopologySpec, list[WantedPort]]:
    """The declaration and its ports; FileError with all that is wrong with the document."""
    declared = declare(document)
    spec, ports = declared.spec, list[WantedPort]()
    problems = [*document.problems]
    _add(problems, declared.problems)
    if spec:
        ports = wanted_ports(spec)
        _add(problems, check(spec, ports, document, declared.unread, in_force))
    if problems or not spec:
        raise FileError(problems)
    return spec, ports


def _add(problems: list[Problem], further: Iterable[Problem]) -> None:
    """Add problems, each once, though an alias repeats it; but none at a location that has one
    already: that may be its cause.
    """
    known = {each.location for each in problems}
    problems += [each for each in dict.fromkeys(further) if each.location not in known]


def _numbered(spec: TopologySpec, ports: list[WantedPort]) -> Topology:
    return assemble(spec, ports, allocate(spec, ports))


def declaration_of(text: str, file: str, before: Declaration | None = None) -> Declaration:
    """The declaration of a text, which replaces `before`, which is in force. Errors name it `file`.
    A file that names no controller has that of the environment. Raise FileError.
    """
    return Declaration(text, file, before, os.environ.get(CONTROLLER_VARIABLE))


def load_topology(path: str | Path) -> Topology:
    """The topology that a file declares. Raise FileError; DvrError if it cannot be read."""
    return declaration_of(read_text(path), str(path)).topology


def parse_topology(text: str, file: str) -> Topology:
    """The topology that a text declares. Errors name it `file`. Raise FileError."""
    return Declaration(text, file).topology


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Stop Python's garbage collector for the block. After many allocations it searches all objects
    for cycles. A topology has no cycle, and the search takes a third of the time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
