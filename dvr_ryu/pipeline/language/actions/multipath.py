"""multipath and bundle: choose a link's number, or a port, by a hash over the packet."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from dvr_ryu.pipeline.language import numbers
from dvr_ryu.pipeline.language.actions.base import (
    Action,
    Argument,
    one_of,
    port16,
    read_port,
    reads,
)
from dvr_ryu.pipeline.language.actions.subfields import read_target, require_short_name
from dvr_ryu.pipeline.language.encoding import nicira
from dvr_ryu.pipeline.language.fields import Subfield
from dvr_ryu.pipeline.language.flow_file import LineError
from dvr_ryu.pipeline.language.operands import Operand, written
from dvr_ryu.pipeline.language.scope import Scope

HASHES = {
    "eth_src": 0,
    "symmetric_l4": 1,
    "symmetric_l3l4": 2,
    "symmetric_l3l4+udp": 3,
    "nw_src": 4,
    "nw_dst": 5,
    "symmetric_l3": 6,
}
"""The hashed fields: NX_HASH_FIELDS_*."""

LINKS = {"modulo_n": 0, "hash_threshold": 1, "hrw": 2, "iter_hash": 3}
"""multipath's algorithms: NX_MP_ALG_*."""

MEMBERS = {"active_backup": 0, "hrw": 1}
"""bundle's algorithms: NX_BD_ALG_*."""

_MOST_MEMBERS = 2048


@frozen
class Multipath(Action):
    """Write the number of one of `links` links."""

    hash: str
    basis: int
    algorithm: str
    links: int
    argument: int
    target: Subfield

    def __str__(self) -> str:
        numbers_ = f"{self.basis},{self.algorithm},{self.links},{self.argument}"
        return f"multipath({self.hash},{numbers_},{self.target})"

    def build(self) -> list[Any]:
        """Return Nicira's multipath."""
        how = HASHES[self.hash], self.basis, LINKS[self.algorithm]
        return [nicira.multipath(*how, self.links, self.argument, self.target)]


@frozen
class Bundle(Action):
    """Send the packet to one of the members that are up; with a target, write its number there."""

    hash: str
    basis: int
    algorithm: str
    members: tuple[Operand, ...]
    target: Subfield | None = None

    def __str__(self) -> str:
        head = f"{self.hash},{self.basis},{self.algorithm},ofport"
        ports = ",".join(written(numbers.PORT, port) for port in self.members)
        if self.target is None:
            return f"bundle({head},members:{ports})"
        return f"bundle_load({head},{self.target},members:{ports})"

    def build(self) -> list[Any]:
        """Return Nicira's bundle or bundle_load."""
        how = MEMBERS[self.algorithm], HASHES[self.hash], self.basis
        return [nicira.bundle(*how, [port16(port) for port in self.members], self.target)]


@reads("multipath")
def read_multipath(scope: Scope, argument: Argument) -> Multipath:
    """multipath(HASH,BASIS,ALGORITHM,LINKS,ARGUMENT,FIELD[BITS])."""
    tokens = argument.tokens()
    if len(tokens) != 6:
        notation = "multipath(symmetric_l4,1024,modulo_n,4,0,NXM_NX_REG0[])"
        raise LineError(argument.end, f"multipath has six parts: {notation}")
    links = scope.plain(*_sized(tokens[3], 17))
    target = read_target(scope, *tokens[5])
    require_short_name(target.field, tokens[5][1])
    if not 1 <= links <= 1 << min(target.width, 16):
        raise LineError(
            tokens[3][1], f"there are 1 to {1 << min(target.width, 16)} links for {target}"
        )
    return Multipath(
        *_choice(scope, tokens[:3], LINKS), links, scope.plain(*_sized(tokens[4], 32)), target
    )


@reads("bundle")
def read_bundle(scope: Scope, argument: Argument) -> Bundle:
    """bundle(HASH,BASIS,ALGORITHM,ofport,members:PORT,...)."""
    tokens = argument.tokens()
    _require_ofport(tokens, argument.end, "bundle(eth_src,0,hrw,ofport,members:4,8)")
    return Bundle(*_choice(scope, tokens[:3], MEMBERS), _members(scope, tokens[4:], argument.end))


@reads("bundle_load")
def read_bundle_load(scope: Scope, argument: Argument) -> Bundle:
    """bundle_load(HASH,BASIS,ALGORITHM,ofport,FIELD[BITS],members:PORT,...)."""
    tokens = argument.tokens()
    notation = "bundle_load(eth_src,0,hrw,ofport,NXM_NX_REG0[],members:4,8)"
    _require_ofport(tokens, argument.end, notation)
    target = read_target(scope, *tokens[4])
    require_short_name(target.field, tokens[4][1])
    if target.width < 16:
        raise LineError(tokens[4][1], f"a port's number has 16 bits, {target} has {target.width}")
    choice = _choice(scope, tokens[:3], MEMBERS)
    return Bundle(*choice, _members(scope, tokens[5:], argument.end), target)


def _choice(
    scope: Scope, tokens: list[tuple[str, int]], algorithms: dict[str, int]
) -> tuple[str, int, str]:
    """The first three parts: the hashed fields, the hash's basis, the algorithm."""
    return (
        one_of(HASHES, *tokens[0], "hash"),
        scope.plain(*_sized(tokens[1], 16)),
        one_of(algorithms, *tokens[2], "way to choose"),
    )


def _sized(token: tuple[str, int], bits: int) -> tuple[str, int, int]:
    text, at = token
    return text, bits, at


def _require_ofport(tokens: list[tuple[str, int]], end: int, example: str) -> None:
    if len(tokens) < 5 or tokens[3][0] != "ofport":
        raise LineError(end, f"write it as {example}")


def _members(scope: Scope, tokens: list[tuple[str, int]], end: int) -> tuple[Operand, ...]:
    head, at = tokens[0] if tokens else ("", end)
    name, colon, first = head.partition(":")
    # Open vSwitch named them `slaves` before 2.15.
    if name not in ("members", "slaves") or not colon:
        raise LineError(at, "the ports come last: members:4,8")
    ports = ([(first, at + len(name) + 1)] if first else []) + tokens[1:]
    if first.startswith("["):
        ports = _without_brackets(ports)
    if len(ports) > _MOST_MEMBERS:
        raise LineError(at, f"a bundle has up to {_MOST_MEMBERS} members")
    return tuple(read_port(scope, *port) for port in ports)


def _without_brackets(ports: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """[4,8] as ovs-ofctl reads it, without the brackets."""
    (first, first_at), (last, last_at) = ports[0], ports[-1]
    if not last.endswith("]"):
        raise LineError(first_at, "this is never closed")
    inner = [(first[1:], first_at + 1), *ports[1:]]
    inner[-1] = inner[-1][0][:-1], last_at + (last_at == first_at)
    return [port for port in inner if port[0]]
