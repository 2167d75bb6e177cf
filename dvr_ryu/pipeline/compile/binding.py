"""What a hole or a port name stands for: the numbers of one row of a relation, on a bridge with its
ports; or, in a sentence, the row's own words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from dvr_ryu.pipeline.language.operands import Hole, PortAt, PortName, Unknown
from dvr_ryu.topology.relations import RELATIONS, Kind, ThisHost

Ports = Mapping[str, int]
"""A bridge's ports: name → OpenFlow port number."""


class BridgeContext(NamedTuple):
    """What all flows of one bridge are filled from, besides their rows."""

    host: ThisHost
    ports: Ports


class NoSuchPort(LookupError):
    """The bridge has no port of that name (yet): the flow that names it cannot be."""


def _mac(text: str) -> int:
    """A model's MACs and addresses are in canonical form: nothing is checked again, row by row."""
    return int(text.replace(":", ""), 16)


def _ipv4(text: str) -> int:
    a, b, c, d = text.split(".")
    return int(a) << 24 | int(b) << 16 | int(c) << 8 | int(d)


_NUMBER: dict[Kind, Callable[[Any], int]] = {
    Kind.MAC: _mac,
    Kind.IPV4: _ipv4,
    Kind.VLAN: int,
    Kind.VNI: int,
}


def field_at(hole: Hole) -> int:
    """Which value of its relation's row fills the hole."""
    row_type = ThisHost if hole.relation == "host" else RELATIONS[hole.relation]
    at: int = row_type._fields.index(hole.field)
    return at


def ports_of(names: Iterable[str], ports: Ports) -> list[int]:
    """The numbers of those ports that the bridge has, in order."""
    return sorted(ports[name] for name in names if name in ports)


def value_of(unknown: Unknown, row: Any, context: BridgeContext) -> Any:
    """The unknown's number, or list of port numbers. Raises NoSuchPort where the bridge lacks the
    port.
    """
    if isinstance(unknown, PortName):
        return _port(unknown.name, context.ports)
    if isinstance(unknown, PortAt):
        return value_of(unknown.ports, row, context)[unknown.index]
    value: Any = (context.host if unknown.relation == "host" else row)[field_at(unknown)]
    if unknown.kind is Kind.PORT:
        return _port(value, context.ports)
    if unknown.kind is Kind.PORTS:
        return _some(value, context.ports)
    return _NUMBER[unknown.kind](value)


def _port(name: str, ports: Ports) -> int:
    try:
        return ports[name]
    except KeyError:
        raise NoSuchPort(name) from None


def _some(names: tuple[str, ...], ports: Ports) -> list[int]:
    """None at all is as good as no such port."""
    found = ports_of(names, ports)
    if not found:
        raise NoSuchPort(", ".join(names))
    return found


_RELATION_OF = {row_type: name for name, row_type in RELATIONS.items()}
_HOLE = re.compile(r"\{(\w+)\.(\w+)\}")


def said(sentence: str, row: Any, host: ThisHost) -> str:
    """A flow's sentence for one row. What is in braces and is no hole of the row stays."""
    rows = {"host": host, **({_RELATION_OF[type(row)]: row} if row is not None else {})}

    def value(hole: re.Match[str]) -> str:
        found = getattr(rows.get(hole[1]), hole[2], hole[0])
        return ", ".join(found) if isinstance(found, tuple) else str(found)

    return _HOLE.sub(value, sentence)
