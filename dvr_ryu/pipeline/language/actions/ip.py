"""IP headers: time to live, type of service, ports."""

from __future__ import annotations

from typing import Any

from attrs import frozen
from ryu.ofproto import ofproto_v1_4_parser as parser

from dvr_ryu.pipeline.language.actions.base import Action, Argument, reads
from dvr_ryu.pipeline.language.actions.set_field import SetField, read_whole
from dvr_ryu.pipeline.language.actions.subfields import require_writable
from dvr_ryu.pipeline.language.fields import FIELDS, TRANSPORTS
from dvr_ryu.pipeline.language.flow_file import LineError
from dvr_ryu.pipeline.language.scope import Scope


@frozen
class ModNwTtl(Action):
    """Set the time to live, or IPv6's hop limit."""

    in_action_set = True

    ttl: int

    def __str__(self) -> str:
        return f"mod_nw_ttl:{self.ttl}"

    def build(self) -> list[Any]:
        """Return Ryu's OFPActionSetNwTtl."""
        return [parser.OFPActionSetNwTtl(self.ttl)]


@frozen
class DecTtl(Action):
    """Decrement the time to live. Packets whose time to live runs out go to the controllers with
    these ids (none: with id 0).
    """

    in_action_set = True

    controllers: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"dec_ttl({','.join(map(str, self.controllers))})" if self.controllers else "dec_ttl"

    def build(self) -> list[Any]:
        """Return Ryu's OFPActionDecNwTtl, or NXActionDecTtlCntIds."""
        if not self.controllers:
            return [parser.OFPActionDecNwTtl()]
        return [parser.NXActionDecTtlCntIds(list(self.controllers))]


@reads("mod_nw_ttl", "set_nw_ttl")
def read_mod_nw_ttl(scope: Scope, argument: Argument) -> ModNwTtl:
    """mod_nw_ttl:NUMBER."""
    _require_ip(scope, "mod_nw_ttl", argument)
    return ModNwTtl(scope.plain(argument.present("a number"), 8, argument.at))


@reads("dec_ttl")
def read_dec_ttl(scope: Scope, argument: Argument) -> DecTtl:
    """dec_ttl, dec_ttl(ID,...)."""
    _require_ip(scope, "dec_ttl", argument)
    return DecTtl(tuple(scope.plain(token, 16, at) for token, at in argument.tokens()))


@reads("mod_nw_tos")
def read_mod_nw_tos(scope: Scope, argument: Argument) -> SetField:
    """mod_nw_tos:TOS, without its lowest two bits: those are mod_nw_ecn's."""
    require_writable(scope, FIELDS["ip_dscp"], argument.end)
    tos = scope.plain(argument.present("a number"), 8, argument.at)
    if tos & 3:
        raise LineError(argument.at, "the type of service is a multiple of 4 here; see mod_nw_ecn")
    return SetField(FIELDS["ip_dscp"], tos >> 2)


@reads("mod_nw_ecn")
def read_mod_nw_ecn(scope: Scope, argument: Argument) -> SetField:
    """mod_nw_ecn:NUMBER."""
    return read_whole(scope, "nw_ecn", argument)


@reads("mod_tp_src")
def read_mod_tp_src(scope: Scope, argument: Argument) -> SetField:
    """mod_tp_src:PORT."""
    return read_whole(scope, f"{_transport(scope, 'mod_tp_src', argument)}_src", argument)


@reads("mod_tp_dst")
def read_mod_tp_dst(scope: Scope, argument: Argument) -> SetField:
    """mod_tp_dst:PORT."""
    return read_whole(scope, f"{_transport(scope, 'mod_tp_dst', argument)}_dst", argument)


def _require_ip(scope: Scope, name: str, argument: Argument) -> None:
    if not scope.packet.is_ip and not scope.packet.in_action_set:
        raise LineError(argument.end, f"{name} is only for IP packets: match ip or ipv6 as well")


def _transport(scope: Scope, name: str, argument: Argument) -> str:
    protocol = scope.packet.protocol
    if protocol not in TRANSPORTS:
        hint = "match tcp, udp or sctp (tcp6, udp6, sctp6) as well"
        raise LineError(argument.end, f"{name} is only for packets with ports: {hint}")
    return TRANSPORTS[protocol]
