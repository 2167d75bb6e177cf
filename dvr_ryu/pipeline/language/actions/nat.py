"""nat(...) within ct(...): translates a connection's addresses and ports."""

from __future__ import annotations

import re
from typing import Any

from attrs import evolve, frozen
from ryu.ofproto import ofproto_v1_4_parser as parser

from dvr_ryu.pipeline.language import numbers
from dvr_ryu.pipeline.language.actions.base import Action, Argument
from dvr_ryu.pipeline.language.fields import IP, IP6, shorthand
from dvr_ryu.pipeline.language.flow_file import LineError
from dvr_ryu.pipeline.language.operands import number
from dvr_ryu.pipeline.language.scope import Scope
from dvr_ryu.pipeline.language.tokens import KeyValue

_SIDES = {"src": 1, "dst": 2}
_FLAGS = {"persistent": 4, "hash": 8, "random": 16}
"""NX_NAT_F_*, in the order that ovs-ofctl prints them in."""

_PORTS = r"(?::(?P<low>[0-9]+)(?:-(?P<high>[0-9]+))?)?"
_RANGES = [
    (4, r"(?P<first>[0-9.]+)(?:-(?P<last>[0-9.]+))?" + _PORTS),
    (6, r"\[(?P<first>[^]]+)\](?:-\[(?P<last>[^]]+)\])?" + _PORTS),
    (6, r"(?P<first>[0-9a-fA-F:.]+)(?:-(?P<last>[0-9a-fA-F:.]+))?(?P<low>)(?P<high>)"),
]
"""The notations of addresses and ports, by the version of IP."""


@frozen
class Nat(Action):
    """Translate the `side` (src or dst; empty: as the connection was committed) to addresses first
    to last and ports low to high, each of which may be None. `version` is that of IP: 4 or 6.
    """

    side: str = ""
    version: int = 4
    first: int | None = None
    last: int | None = None
    low: int | None = None
    high: int | None = None
    flags: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not self.side:
            return "nat"
        tokens = [f"{self.side}={self._range()}" if self.first is not None else self.side]
        return f"nat({','.join([*tokens, *self.flags])})"

    def _range(self) -> str:
        write = numbers.IPV4.write if self.version == 4 else numbers.IPV6.write
        notation = "[{}]" if self.version == 6 and self.low is not None else "{}"
        ends = [notation.format(write(end)) for end in (self.first, self.last) if end is not None]
        ports = [str(port) for port in (self.low, self.high) if port is not None]
        return "-".join(ends) + (f":{'-'.join(ports)}" if ports else "")

    def build(self) -> list[Any]:
        """Return Ryu's NXActionNAT."""
        notation = numbers.IPV4 if self.version == 4 else numbers.IPV6
        ends = {"min": self.first, "max": self.last}
        addresses = {
            f"range_ipv{self.version}_{end}": notation.write(address)
            for end, address in ends.items()
            if address is not None
        }
        flags = sum(_FLAGS[flag] for flag in self.flags) | _SIDES.get(self.side, 0)
        ports = {"range_proto_min": self.low, "range_proto_max": self.high}
        return [parser.NXActionNAT(flags, **addresses, **ports)]


def read_nat(scope: Scope, setting: KeyValue) -> Nat:
    """nat, nat(src=ADDRESSES:PORTS,FLAG,...) or nat(dst=...)."""
    nat, flags = Nat(), set()
    for each in Argument(setting.value, setting.value_at, setting.value_at).settings():
        if each.key in _SIDES and not nat.side:
            nat = evolve(nat, side=each.key)
            if each.value:
                nat = _with_range(scope, nat, each.value, each.value_at)
        elif each.key in _FLAGS:
            flags.add(each.key)
        else:
            raise LineError(each.at, "nat has one of src and dst, then persistent, hash or random")
    if flags and not nat.side:
        raise LineError(setting.at, "persistent, hash and random need src or dst")
    if {"hash", "random"} <= flags:
        raise LineError(setting.at, "nat chooses a port by hash or at random, not by both")
    _require_same_protocol(scope, nat, setting.at)
    return evolve(nat, flags=tuple(flag for flag in _FLAGS if flag in flags))


def _with_range(scope: Scope, nat: Nat, text: str, at: int) -> Nat:
    matches = ((version, re.fullmatch(notation, text)) for version, notation in _RANGES)
    version, found = next((notation for notation in matches if notation[1]), (0, None))
    if not found:
        raise LineError(at, "write ADDRESS-ADDRESS:PORT-PORT, such as 10.0.0.1-10.0.0.9:1024-2047")
    notation, bits = (numbers.IPV6, 128) if version == 6 else (numbers.IPV4, 32)

    def address(group: str) -> int | None:
        if not found[group]:
            return None
        return number(scope.operand(notation, None, bits, found[group], at + found.start(group)))

    def port(group: str) -> int | None:
        return scope.plain(found[group], 16, at + found.start(group)) if found[group] else None

    first, last, low, high = address("first"), address("last"), port("low"), port("high")
    for lower, upper, group in ((first, last, "last"), (low, high, "high")):
        if lower is not None and upper is not None and upper < lower:
            raise LineError(at + found.start(group), "write the lower end first")
    if not first and (last or (low is not None and low > 0)):
        raise LineError(at, f"{found['first']} is no address: neither a range nor ports go with it")
    if high and not low:
        raise LineError(
            at + found.start("low"), "port 0 is any port: a range begins with 1 or more"
        )
    # A dump leaves out an end that equals the beginning, port 0 (any port) and the address of
    # zeroes (no address).
    return evolve(
        nat,
        version=version,
        first=first or None,
        last=None if last == first else last,
        low=low or None,
        high=None if high == low else high,
    )


def _require_same_protocol(scope: Scope, nat: Nat, at: int) -> None:
    ethertype = IP if nat.version == 4 else IP6
    if nat.first is not None and scope.packet.ethertype != ethertype:
        packets = shorthand((("dl_type", ethertype),))
        raise LineError(at, f"these are IPv{nat.version} addresses: match {packets} as well")
