"""Rules of iptables as values, from text in the form of `iptables -S`. Pure.

It knows the matches and targets that dvr_ryu's own chains have, and names any other in an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from attrs import frozen

from dvr_ryu.errors import DvrError
from dvr_ryu.pipeline.run.packet import TCP, UDP, Packet
from dvr_ryu.trace.kernel.addresses import Prefix, ip_number

PORTS = {TCP: "tcp", UDP: "udp"}
"""Protocols that have ports: number → the fields' beginning."""
_PROTOCOLS = {"icmp": 1, "tcp": TCP, "udp": UDP}
_FLAGS = {"FIN": 1, "SYN": 2, "RST": 4, "PSH": 8, "ACK": 16, "URG": 32}
_STATES = {"RELATED", "INVALID", "UNTRACKED", "SNAT", "DNAT"}
_EXTENSIONS = {"tcp", "udp", "conntrack"}


class UnknownRule(DvrError):
    """A rule has a part that this module does not know; the text names both."""


class Facts(NamedTuple):
    """What the conditions of a rule can see."""

    packet: Packet
    in_device: str | None
    out_device: str | None
    states: frozenset[str]
    """The packet's connection, in the words of --ctstate."""


class Verdict(Enum):
    """A target that decides."""

    ACCEPT = "ACCEPT"
    DROP = "DROP"
    RETURN = "RETURN"


@frozen
class Jump:
    """A target: the rules of another chain."""

    chain: str


@frozen
class NoTrack:
    """A target: conntrack does not see the packet. The next rule follows."""


@frozen
class Nat:
    """A target: another source (SNAT) or destination (DNAT).

    Without `first`, the port stays. With it, the port becomes one from `first` to `last`; with
    `base`, as far from `first` as the packet's port is from `base`.
    """

    is_source: bool
    ip: int
    first: int | None = None
    last: int | None = None
    base: int | None = None
    at_random: bool = False


Target: TypeAlias = Verdict | Jump | NoTrack | Nat
Condition: TypeAlias = Callable[[Facts], bool]


@frozen(eq=False)
class Rule:
    """A rule: all conditions must hold for its target to count."""

    text: str
    conditions: tuple[Condition, ...]
    target: Target | None

    def matches(self, facts: Facts) -> bool:
        """Whether all of its conditions hold."""
        return all(condition(facts) for condition in self.conditions)


@lru_cache(maxsize=1 << 12)
def parse(text: str) -> Rule:
    """A rule from its text without `-A CHAIN`. Raises UnknownRule."""
    return _Reader(text).rule()


class _Reader:
    """Reads one rule from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = text.split()[::-1]
        self._protocol = 0

    def rule(self) -> Rule:
        conditions = tuple(self._conditions())
        return Rule(self._text, conditions, self._target() if self._tokens else None)

    def _conditions(self) -> Iterator[Condition]:
        while self._tokens:
            is_inverted = self._tokens[-1] == "!"
            if is_inverted:
                self._tokens.pop()
            option = self._tokens.pop()
            if option == "-j":
                return
            if option == "-m":
                self._extension()
                continue
            condition = self._condition(option)
            yield _inverse(condition) if is_inverted else condition

    def _extension(self) -> None:
        name = self._value("-m")
        if name not in _EXTENSIONS:
            raise self._unknown(f"the match -m {name}")

    def _condition(self, option: str) -> Condition:
        match option:
            case "-s":
                return _in_prefix("nw_src", Prefix.of(self._value(option)))
            case "-d":
                return _in_prefix("nw_dst", Prefix.of(self._value(option)))
            case "-i":
                return _by_device("in_device", self._value(option))
            case "-o":
                return _by_device("out_device", self._value(option))
            case "-p":
                self._protocol = self._protocol_number(self._value(option))
                return _equal("nw_proto", self._protocol)
            case "--dport" | "--sport":
                return self._ports(option)
            case "--ctstate":
                return self._states(option)
            case "--tcp-flags":
                return _flags(self._bits(option), self._bits(option))
        raise self._unknown(f"the match {option}")

    def _protocol_number(self, name: str) -> int:
        if name.isdigit():
            return int(name)
        if name not in _PROTOCOLS:
            raise self._unknown(f"the protocol {name}")
        return _PROTOCOLS[name]

    def _ports(self, option: str) -> Condition:
        if self._protocol not in PORTS:
            raise self._unknown(f"{option} without -p tcp or -p udp")
        first, _, last = self._value(option).partition(":")
        end = "dst" if option == "--dport" else "src"
        return _in_range(f"{PORTS[self._protocol]}_{end}", int(first), int(last or first))

    def _states(self, option: str) -> Condition:
        states = frozenset(self._value(option).split(","))
        if states - _STATES:
            raise self._unknown(f"the state {min(states - _STATES)}")
        return lambda facts: bool(states & facts.states)

    def _bits(self, option: str) -> int:
        names = self._value(option).split(",")
        if {*names} - _FLAGS.keys():
            raise self._unknown(f"the flags {','.join(names)}")
        return sum(_FLAGS[name] for name in names)

    def _target(self) -> Target:
        name = self._value("-j")
        match name:
            case "ACCEPT" | "DROP" | "RETURN":
                target: Target = Verdict(name)
            case "SNAT" | "DNAT":
                target = self._nat(name)
            case "CT":
                self._expect("--notrack")
                target = NoTrack()
            case _:
                if name.isupper():
                    raise self._unknown(f"the target {name}")
                target = Jump(name)
        if self._tokens:
            raise self._unknown(f"{self._tokens[-1]} after the target {name}")
        return target

    def _nat(self, name: str) -> Nat:
        is_source = name == "SNAT"
        self._expect("--to-source" if is_source else "--to-destination")
        ip, colon, ports = self._value(name).partition(":")
        ports, _, base = ports.partition("/")
        first, _, last = ports.partition("-")
        at_random = bool(self._tokens) and self._tokens[-1] == "--random-fully"
        if at_random:
            self._tokens.pop()
        return Nat(
            is_source,
            ip_number(ip),
            int(first) if colon else None,
            int(last or first) if colon else None,
            int(base) if base else None,
            at_random,
        )

    def _value(self, option: str) -> str:
        if not self._tokens:
            raise self._unknown(f"{option} without a value")
        return self._tokens.pop()

    def _expect(self, option: str) -> None:
        if not self._tokens or self._tokens.pop() != option:
            raise self._unknown(f"a target without {option}")

    def _unknown(self, part: str) -> UnknownRule:
        return UnknownRule(f"cannot compute the rule of iptables `{self._text}`: {part} is unknown")


def _inverse(condition: Condition) -> Condition:
    return lambda facts: not condition(facts)


def _in_prefix(field: str, prefix: Prefix) -> Condition:
    return lambda facts: facts.packet[field] in prefix


def _equal(field: str, value: int) -> Condition:
    return lambda facts: facts.packet[field] == value


def _in_range(field: str, first: int, last: int) -> Condition:
    return lambda facts: field in facts.packet and first <= facts.packet[field] <= last


def _flags(mask: int, value: int) -> Condition:
    return lambda facts: facts.packet["tcp_flags"] & mask == value


def _by_device(side: str, name: str) -> Condition:
    """A device's condition; a name that ends with + stands for all that begin with it."""

    def holds(facts: Facts) -> bool:
        device: str = getattr(facts, side) or ""
        return device.startswith(name[:-1]) if name.endswith("+") else device == name

    return holds
