"""Routing tables and rules of a namespace, and the kernel's look-up in them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import NamedTuple

from dvr_ryu.companion.resources.routing.tables import LOCAL_TABLE, NAMES
from dvr_ryu.trace.kernel.addresses import BITS, Prefix, ip_text, mask

LOOPBACK = "lo"


class Type(Enum):
    """The type of a route."""

    UNICAST = "unicast"
    LOCAL = "local"
    BROADCAST = "broadcast"


class Route(NamedTuple):
    """A route. `source` is the address of the namespace's own packets there, if it names one."""

    table: int
    prefix: Prefix
    device: str
    via: int | None = None
    source: int | None = None
    metric: int = 0
    type: Type = Type.UNICAST

    def __str__(self) -> str:
        """The route in iproute2's words, without its table."""
        type = "" if self.type is Type.UNICAST else f"{self.type.value} "
        via = "" if self.via is None else f" via {ip_text(self.via)}"
        source = "" if self.source is None else f" src {ip_text(self.source)}"
        metric = f" metric {self.metric}" if self.metric else ""
        return f"{type}{self.prefix}{via} dev {self.device}{source}{metric}"


class Rule(NamedTuple):
    """A rule: packets from `source`, or that enter by `iif`, look into a table."""

    priority: int
    table: int
    source: Prefix | None = None
    iif: str | None = None

    def __str__(self) -> str:
        """The rule as `ip rule` lists it."""
        iif = f" iif {self.iif}" if self.iif else ""
        source = "all" if self.source is None else str(self.source)
        return f"{self.priority}: from {source}{iif} lookup {table_name(self.table)}"


def table_name(table: int) -> str:
    """A table's name for iproute2, or its number."""
    return NAMES.get(table, str(table))


class Found(NamedTuple):
    """A route, and the rule that led to its table."""

    rule: Rule
    route: Route


class Tables:
    """The rules and tables of a namespace. The first of two routes to one prefix, with one metric,
    counts.
    """

    def __init__(self, rules: Iterable[Rule], routes: Iterable[Route]) -> None:
        self._rules = sorted(rules, key=lambda rule: rule.priority)
        self._tables: dict[int, dict[int, dict[int, list[Route]]]] = {}
        for route in routes:
            table = self._tables.setdefault(route.table, {})
            same = table.setdefault(route.prefix.length, {}).setdefault(route.prefix.network, [])
            same.append(route)
            same.sort(key=lambda each: each.metric)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules, by priority."""
        return tuple(self._rules)

    @property
    def has_own_rules(self) -> bool:
        """Whether there are rules besides the kernel's: then the kernel checks sources fully."""
        return any(rule.source is not None or rule.iif is not None for rule in self._rules)

    def look_up(
        self, destination: int, source: int = 0, iif: str = LOOPBACK, oif: str | None = None
    ) -> Found | None:
        """The route of a packet that enters by `iif` (LOOPBACK: the namespace's own); None if no
        table has one. `oif` is the only device that it may leave by.
        """
        for rule in self._rules:
            if rule.iif not in (None, iif) or (rule.source and source not in rule.source):
                continue
            for route in self._matching(rule.table, destination):
                if oif is None or route.device == oif:
                    return Found(rule, route)
        return None

    def _matching(self, table: int, destination: int) -> Iterator[Route]:
        lengths = self._tables.get(table, {})
        for length in sorted(lengths, reverse=True):
            yield from lengths[length].get(destination & mask(length), ())

    def __iter__(self) -> Iterator[Route]:
        """Every route of every table."""
        for lengths in self._tables.values():
            for networks in lengths.values():
                for routes in networks.values():
                    yield from routes

    def is_local(self, ip: int) -> bool:
        """Whether the namespace itself has an address."""
        found = next(self._matching(LOCAL_TABLE, ip), None)
        return found is not None and found.type is Type.LOCAL


def single(ip: int) -> Prefix:
    """The prefix of one address."""
    return Prefix(ip, BITS)
