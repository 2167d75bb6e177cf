"""Netfilter's rules as values, in the terms that iptables and nftables share. Pure.

A packet may leave a field open, and a rule may ask for something that nobody here knows. So a
condition holds, does not hold, or may hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import TypeAlias

from attrs import field, frozen


class Field(Enum):
    """What a condition may look at. Addresses, protocols and ports are numbers; the rest are names,
    types of addresses as in `ip route`, and conntrack's state.
    """

    PROTOCOL = auto()
    SOURCE = auto()
    DESTINATION = auto()
    SOURCE_PORT = auto()
    DESTINATION_PORT = auto()
    IN = auto()
    OUT = auto()
    STATE = auto()
    SOURCE_TYPE = auto()
    DESTINATION_TYPE = auto()
    FAMILY = auto()


Packet: TypeAlias = "Mapping[Field, int | str]"
"""Field → value; a field that may have any value is absent."""

NO_PORT = -1
"""The port of a packet whose protocol has no ports."""

Values: TypeAlias = "tuple[tuple[int, int] | str, ...]"
"""Numbers as ranges, both ends included; names, where * at the end stands for any letters."""


@frozen
class Condition:
    """A field's value is, or is not, among some."""

    field: Field
    values: Values
    negated: bool = False

    def holds(self, packet: Packet) -> bool | None:
        """Whether it holds for a packet; None if it may."""
        value = packet.get(self.field)
        if value is None:
            return None
        return self._has(value) != self.negated

    def _has(self, value: int | str) -> bool:
        for each in self.values:
            if isinstance(each, str):
                if each == value or (each[-1:] == "*" and str(value).startswith(each[:-1])):
                    return True
            elif isinstance(value, int) and each[0] <= value <= each[1]:
                return True
        return False


NEVER = Condition(Field.PROTOCOL, ())


class Action(Enum):
    """How a rule that fits ends."""

    ACCEPT = auto()
    DROP = auto()
    RETURN = auto()
    JUMP = auto()
    GOTO = auto()


@frozen
class Rule:
    """A rule that decides. A condition that is None may hold."""

    text: str
    """As the tool prints it; for nftables, its handle."""
    conditions: tuple[Condition | None, ...]
    action: Action
    target: str = ""
    """The chain of a jump."""

    def fits(self, packet: Packet) -> bool | None:
        """Whether it fits a packet; None if it may."""
        each = [condition and condition.holds(packet) for condition in self.conditions]
        return False if False in each else None if None in each else True


@frozen
class BaseChain:
    """A chain that netfilter itself enters, with the chains to which its rules may jump."""

    hook: str
    """In small letters: prerouting, input, forward, output, postrouting, ingress."""
    table: str
    """As its tool names it: "filter" of iptables, "inet filter" of nft."""
    name: str
    tool: str
    """The program that shows and changes it."""
    drops: bool
    """Its policy."""
    chains: Mapping[str, Sequence[Rule]] = field(repr=False, eq=False)
    """The table's chains, this one among them."""
    sees_connections: bool
    """Whether conntrack has looked at the packet before."""
    devices: tuple[str, ...] | None = ()
    """The only ones whose packets pass it; empty for all, None if its tool does not tell."""
