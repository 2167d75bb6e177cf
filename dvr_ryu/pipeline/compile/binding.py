"""Finds the values of holes and port names: numbers from one row of a relation and from a bridge's
ports; in a sentence, the row's text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from dvr_ryu.pipeline.language.numbers import read_ipv6
from dvr_ryu.pipeline.language.operands import Hole, MaskOf, PortAt, PortName, Unknown
from dvr_ryu.topology.relations import RELATIONS, Kind, MaskedNumber, ThisHost

Ports = Mapping[str, int]
"""A bridge's ports: name → OpenFlow port number."""


class BridgeContext(NamedTuple):
    """The values that all flows of one bridge share, for all rows."""

    host: ThisHost
    ports: Ports


class NoSuchPort(LookupError):
    """The bridge has no port of that name yet, so it cannot have the flow."""


def _mac(text: str) -> int:
    """The model's MACs and addresses are canonical: this module does not check them again."""
    return int(text.replace(":", ""), 16)


def _ipv4(text: str) -> int:
    a, b, c, d = text.split(".")
    return int(a) << 24 | int(b) << 16 | int(c) << 8 | int(d)


def masked_value(masked: MaskedNumber) -> int:
    """The value in the bits of the mask, as a switch stores it."""
    return masked.value & masked.mask


_NUMBER: dict[Kind, Callable[[Any], int]] = {
    Kind.MAC: _mac,
    Kind.IPV4: _ipv4,
    Kind.VLAN: int,
    Kind.VNI: int,
    Kind.IPV6: read_ipv6,
    Kind.PROTOCOL: int,
    Kind.L4_PORT: int,
    Kind.MASKED: masked_value,
}


def field_index(hole: Hole) -> int:
    """The index, in a row of the relation, of the value that fills the hole."""
    row_type = ThisHost if hole.relation == "host" else RELATIONS[hole.relation]
    at: int = row_type._fields.index(hole.field)
    return at


def port_numbers(names: Iterable[str], ports: Ports) -> list[int]:
    """The numbers of those ports that the bridge has, in order."""
    return sorted(ports[name] for name in names if name in ports)


def value_of(unknown: Unknown, row: Any, context: BridgeContext) -> Any:
    """The unknown's number, or list of port numbers. Raises NoSuchPort if the bridge lacks the
    port.
    """
    if isinstance(unknown, PortName):
        return _port_number(unknown.name, context.ports)
    if isinstance(unknown, PortAt):
        return value_of(unknown.ports, row, context)[unknown.index]
    if isinstance(unknown, MaskOf):
        return row[field_index(unknown.masked)].mask
    value: Any = (context.host if unknown.relation == "host" else row)[field_index(unknown)]
    if unknown.kind is Kind.PORT:
        return _port_number(value, context.ports)
    if unknown.kind is Kind.PORTS:
        return _existing_ports(value, context.ports)
    return _NUMBER[unknown.kind](value)


def _port_number(name: str, ports: Ports) -> int:
    try:
        return ports[name]
    except KeyError:
        raise NoSuchPort(name) from None


def _existing_ports(names: tuple[str, ...], ports: Ports) -> list[int]:
    """The numbers of the ports that the bridge has. Raises NoSuchPort if it has none of them."""
    found = port_numbers(names, ports)
    if not found:
        raise NoSuchPort(", ".join(names))
    return found


_HOLE = re.compile(r"\{(\w+)\.(\w+)\}")


def filled_sentence(sentence: str, row: Any, host: ThisHost) -> str:
    """A flow's sentence for one row. Braces that are no hole of the row stay as they are."""
    rows = {name: row for name, row_type in RELATIONS.items() if isinstance(row, row_type)}
    rows["host"] = host

    def value(hole: re.Match[str]) -> str:
        found = getattr(rows.get(hole[1]), hole[2], hole[0])
        return ", ".join(found) if isinstance(found, tuple) else str(found)

    return _HOLE.sub(value, sentence)
