"""What a hole or a port name stands for: the numbers of one row of a relation, on a bridge with its
ports; or, in a sentence, the row's own words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from dvr_ryu.pipeline import numbers
from dvr_ryu.pipeline.operands import Hole, PortName, Unknown
from dvr_ryu.topology.relations import RELATIONS, Kind, ThisHost

Ports = Mapping[str, int]
"""A bridge's ports: name → OpenFlow port number."""

BITS = {Kind.MAC: 48, Kind.IPV4: 32, Kind.VLAN: 12, Kind.VNI: 24, Kind.PORT: 32, Kind.PORTS: 32}
"""How wide a value of each kind is."""


class NoSuchPort(LookupError):
    """The bridge has no port of that name (yet): the flow that names it cannot be."""


_read_mac = lru_cache(maxsize=1 << 17)(numbers.read_mac)
_read_ipv4 = lru_cache(maxsize=1 << 17)(numbers.read_ipv4)


def _port(name: str, ports: Ports) -> int:
    try:
        return ports[name]
    except KeyError:
        raise NoSuchPort(name) from None


def _existing(names: tuple[str, ...], ports: Ports) -> list[int]:
    """The numbers of those ports that the bridge has, in order; none at all is as good as no such
    port.
    """
    found = sorted(ports[name] for name in names if name in ports)
    if not found:
        raise NoSuchPort(", ".join(names))
    return found


_NUMBER: dict[Kind, Callable[[Any, Ports], Any]] = {
    Kind.MAC: lambda text, _: _read_mac(text),
    Kind.IPV4: lambda text, _: _read_ipv4(text),
    Kind.VLAN: lambda tag, _: tag,
    Kind.VNI: lambda vni, _: vni,
    Kind.PORT: _port,
    Kind.PORTS: _existing,
}

_RELATION_OF = {row_type: name for name, row_type in RELATIONS.items()}

Getter = Callable[[Any, ThisHost, Ports], Any]


def getter(unknown: Unknown) -> Getter:
    """A function of (row, this host, ports) that gives the unknown's number, or list of port
    numbers.

    It raises NoSuchPort where the bridge lacks the port.
    """
    if isinstance(unknown, PortName):
        name = unknown.name
        return lambda _row, _host, ports: _port(name, ports)
    if not isinstance(unknown, Hole):
        return _element(unknown.index, getter(unknown.ports))
    number = _NUMBER[unknown.kind]
    if unknown.relation == "host":
        at = ThisHost._fields.index(unknown.field)
        return lambda _row, host, ports: number(host[at], ports)
    at = RELATIONS[unknown.relation]._fields.index(unknown.field)
    return lambda row, _host, ports: number(row[at], ports)


_HOLE = re.compile(r"\{(\w+)\.(\w+)\}")


def said(sentence: str, row: Any, host: ThisHost) -> str:
    """A flow's sentence for one row. What is in braces and is no hole of the row stays."""
    rows = {"host": host, **({_RELATION_OF[type(row)]: row} if row is not None else {})}

    def value(hole: re.Match[str]) -> str:
        found = getattr(rows.get(hole[1]), hole[2], hole[0])
        return ", ".join(found) if isinstance(found, tuple) else str(found)

    return _HOLE.sub(value, sentence)


def _element(index: int, whole: Getter) -> Getter:
    return lambda row, host, ports: whole(row, host, ports)[index]
