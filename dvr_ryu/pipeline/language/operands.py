"""The operands of a flow: a number, a hole, or the name of a port.

All numbers are ints: a MAC has 48 bits, an IPv4 address 32. Holes and port names become numbers
when a flow is filled: holes from a row of a relation, port names from the bridge's ports.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, TypeVar, cast

from attrs import evolve, fields, frozen, has

from dvr_ryu.errors import Location
from dvr_ryu.pipeline.language.fields import Field
from dvr_ryu.pipeline.language.numbers import PORT_NUMBERS, Notation
from dvr_ryu.topology.relations import Kind

BITS = {
    Kind.MAC: 48,
    Kind.IPV4: 32,
    Kind.IPV6: 128,
    Kind.VLAN: 12,
    Kind.VNI: 24,
    Kind.PROTOCOL: 8,
    Kind.L4_PORT: 16,
    Kind.PORT: 32,
    Kind.PORTS: 32,
    Kind.NAME: 0,
}
"""Bits of each kind's values. For a masked number, the relation defines them."""

PLAIN_NAME = re.compile(r"[A-Za-z][\w.-]*")
"""The names of ports that need no quotes."""


@frozen
class Hole:
    """{relation.field}: a value that each row of the relation has."""

    relation: str
    field: str
    kind: Kind
    bits: int

    def __str__(self) -> str:
        return f"{{{self.relation}.{self.field}}}"


@frozen
class PortName:
    """A port by the name in the switch's port description. In quotes, any text is a name."""

    name: str

    def __str__(self) -> str:
        plain = PLAIN_NAME.fullmatch(self.name) and self.name.upper() not in PORT_NUMBERS
        return self.name if plain else f'"{self.name}"'


@frozen
class PortAt:
    """One port of a hole whose kind is a list of ports."""

    ports: Hole
    index: int


@frozen
class MaskOf:
    """The mask of a hole that is a masked number. The hole itself stands for the value."""

    masked: Hole

    @property
    def bits(self) -> int:
        """The number of its bits."""
        return self.masked.bits


Unknown = Hole | PortName | PortAt | MaskOf
Operand = int | Hole | PortName | PortAt | MaskOf

Node = TypeVar("Node")


def nodes(node: object) -> Iterator[object]:
    """The nodes of a tree of attrs values and tuples, from left to right, each before its parts. An
    unknown counts as one node.
    """
    yield node
    if isinstance(node, tuple):
        for each in node:
            yield from nodes(each)
    else:
        for name in _parts(cast(Any, type(node))):
            yield from nodes(getattr(node, name))


def unknowns(node: object) -> Iterator[Unknown]:
    """The holes and port names in such a tree."""
    return (each for each in nodes(node) if isinstance(each, Unknown))


Value = int | Unknown
ValueOf = Callable[[Unknown], "Value | Sequence[Value]"]


def fill(node: Node, value_of: ValueOf) -> Node:
    """The tree with every unknown replaced by its value. `value_of` is called from left to right.

    An action with a list of ports is repeated, once for each port.
    """
    return cast(Node, _filled(node, value_of))


def _filled(node: Any, value_of: ValueOf) -> Any:
    if isinstance(node, Unknown):
        return value_of(node)
    if isinstance(node, tuple):
        return tuple(each for item in node for each in _repeated(item, value_of))
    if parts := _parts(cast(Any, type(node))):
        return evolve(node, **{name: _filled(getattr(node, name), value_of) for name in parts})
    return node


@cache
def _parts(kind: Any) -> tuple[str, ...]:
    """The names of a type's attributes that may contain holes."""
    if not has(kind) or kind in _WHOLE:
        return ()
    return tuple(attribute.name for attribute in fields(kind))


_WHOLE = (Hole, PortName, PortAt, MaskOf, Field, Location)
"""Types whose values count as one node."""


def _repeated(item: Any, value_of: ValueOf) -> Iterator[Any]:
    ports = port_list(item)
    if ports is None:
        yield _filled(item, value_of)
        return
    for port in cast("Sequence[Value]", value_of(ports)):
        yield _filled(item, _always(port))


def _always(value: Value) -> ValueOf:
    return lambda _: value


def port_list(node: object) -> Hole | None:
    """The hole in the tree that is a list of ports, if there is one."""
    holes = (each for each in unknowns(node) if isinstance(each, Hole))
    return next((hole for hole in holes if hole.kind is Kind.PORTS), None)


def masked_numbers(node: object) -> tuple[Hole, ...]:
    """The holes in the tree that are masked numbers, from left to right."""
    return tuple(each.masked for each in unknowns(node) if isinstance(each, MaskOf))


def written(notation: Notation, value: Operand) -> str:
    """An operand as text: a number in the notation, a hole or a port name as it is."""
    return notation.write(value) if isinstance(value, int) else str(value)


def number(value: Operand) -> int:
    """The operand's number. A hole or a port name here is our own mistake: raises TypeError."""
    if isinstance(value, Unknown):
        raise TypeError(f"{value} is not filled")
    return value
