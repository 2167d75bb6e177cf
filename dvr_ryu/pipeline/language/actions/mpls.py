"""Actions on MPLS labels: push, pop, write."""

from __future__ import annotations

from typing import Any

from attrs import frozen
from ryu.ofproto import ofproto_v1_4_parser as parser

from dvr_ryu.pipeline.language.actions.base import Action, Argument, reads
from dvr_ryu.pipeline.language.actions.set_field import SetField, read_whole
from dvr_ryu.pipeline.language.fields import MPLS, MPLS_MULTICAST
from dvr_ryu.pipeline.language.flow_file import LineError
from dvr_ryu.pipeline.language.scope import Scope

_TYPES = (MPLS, MPLS_MULTICAST)


@frozen
class PushMpls(Action):
    """Put a label before the packet, of an Ethernet type."""

    in_action_set = True

    ethertype: int

    def __str__(self) -> str:
        return f"push_mpls:{self.ethertype:#06x}"

    def build(self) -> list[Any]:
        """Return Ryu's OFPActionPushMpls."""
        return [parser.OFPActionPushMpls(self.ethertype)]


@frozen
class PopMpls(Action):
    """Take the outer label off; the packet gets this Ethernet type."""

    in_action_set = True

    ethertype: int

    def __str__(self) -> str:
        return f"pop_mpls:{self.ethertype:#06x}"

    def build(self) -> list[Any]:
        """Return Ryu's OFPActionPopMpls."""
        return [parser.OFPActionPopMpls(self.ethertype)]


@frozen
class SetMplsTtl(Action):
    """Set the outer label's time to live."""

    ttl: int

    def __str__(self) -> str:
        return f"set_mpls_ttl({self.ttl})"

    def build(self) -> list[Any]:
        """Return Ryu's OFPActionSetMplsTtl."""
        return [parser.OFPActionSetMplsTtl(self.ttl)]


@frozen
class DecMplsTtl(Action):
    """Decrement the outer label's time to live."""

    in_action_set = True

    def __str__(self) -> str:
        return "dec_mpls_ttl"

    def build(self) -> list[Any]:
        """Return Ryu's OFPActionDecMplsTtl."""
        return [parser.OFPActionDecMplsTtl()]


@reads("push_mpls")
def read_push_mpls(scope: Scope, argument: Argument) -> PushMpls:
    """push_mpls:ETHERTYPE."""
    ethertype = _ethertype(scope, argument)
    if ethertype not in _TYPES:
        raise LineError(argument.at, "a label's Ethernet type is 0x8847 or 0x8848")
    _require_ethernet(scope, "push_mpls", argument)
    scope.packet.set_ethertype(ethertype)
    return PushMpls(ethertype)


@reads("pop_mpls")
def read_pop_mpls(scope: Scope, argument: Argument) -> PopMpls:
    """pop_mpls:ETHERTYPE."""
    _require_label(scope, "pop_mpls", argument)
    _require_ethernet(scope, "pop_mpls", argument)
    ethertype = _ethertype(scope, argument)
    scope.packet.set_ethertype(ethertype)
    return PopMpls(ethertype)


@reads("set_mpls_label")
def read_set_mpls_label(scope: Scope, argument: Argument) -> SetField:
    """set_mpls_label:LABEL."""
    return read_whole(scope, "mpls_label", argument)


@reads("set_mpls_tc")
def read_set_mpls_tc(scope: Scope, argument: Argument) -> SetField:
    """set_mpls_tc:CLASS."""
    return read_whole(scope, "mpls_tc", argument)


@reads("set_mpls_ttl")
def read_set_mpls_ttl(scope: Scope, argument: Argument) -> SetMplsTtl:
    """set_mpls_ttl:NUMBER."""
    _require_label(scope, "set_mpls_ttl", argument)
    return SetMplsTtl(scope.plain(argument.present("a number"), 8, argument.at))


@reads("dec_mpls_ttl")
def read_dec_mpls_ttl(scope: Scope, argument: Argument) -> DecMplsTtl:
    """dec_mpls_ttl."""
    argument.absent("dec_mpls_ttl")
    _require_label(scope, "dec_mpls_ttl", argument)
    return DecMplsTtl()


def _ethertype(scope: Scope, argument: Argument) -> int:
    return scope.plain(argument.present("an Ethernet type", ":0x8847"), 16, argument.at)


def _require_ethernet(scope: Scope, name: str, argument: Argument) -> None:
    if not scope.packet.ethernet:
        raise LineError(
            argument.end, f"{name} needs an Ethernet header: write encap(ethernet) first"
        )


def _require_label(scope: Scope, name: str, argument: Argument) -> None:
    if scope.packet.ethertype not in _TYPES and not scope.packet.in_action_set:
        raise LineError(argument.end, f"{name} is only for labelled packets: match mpls as well")
