"""A topology file, or its text, → the model; or all that is wrong with it, each with its place."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dvr_ryu.errors import DvrError, FileError, Place, Problem
from dvr_ryu.topology.allocation import NoRoom, allocate
from dvr_ryu.topology.assembly import assemble
from dvr_ryu.topology.checks import check
from dvr_ryu.topology.model import Topology
from dvr_ryu.topology.ports import wanted_ports
from dvr_ryu.topology.schema_errors import declare
from dvr_ryu.topology.yaml_nodes import Document


def load_topology(path: str | Path) -> Topology:
    """The topology that a file declares. Raise FileError; DvrError if it cannot be read."""
    return parse_topology(_read(path), str(path))


def parse_topology(text: str, file: str) -> Topology:
    """The topology that a text declares; `file` is what errors call it. Raise FileError."""
    with _collector_at_rest():
        return _parsed(text, file)


def _parsed(text: str, file: str) -> Topology:
    document = Document(text, file)
    words = declare(document)
    ports = wanted_ports(words)
    check(words, ports, document)
    try:
        numbers = allocate(words, ports)
    except NoRoom as no_room:
        shortages = no_room.shortages
        raise FileError(Problem(document.key(path), said) for path, said in shortages) from None
    return assemble(words, ports, numbers)


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Python's garbage collector looks for cycles each time that much was made, at all that there
    is. Of a topology nothing is in a cycle, and to look takes a third of the time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _read(path: str | Path) -> str:
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise DvrError(f"{path}: cannot be read: {error.strerror}; name a topology file") from None
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode()
        line = data.split(b"\n")[before.count("\n")].decode(errors="replace")
        column = len(before) - (before.rfind("\n") + 1) + 1
        place = Place(str(path), before.count("\n") + 1, column, line)
        raise FileError([Problem(place, "is not UTF-8 text; save the file as UTF-8")]) from None
