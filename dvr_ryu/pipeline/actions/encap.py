"""Headers around a whole packet: Ethernet's around what has none, and NSH's time to live."""

from __future__ import annotations

from typing import Any

from attrs import frozen
from ryu.ofproto import ofproto_v1_4_parser as parser

from dvr_ryu.pipeline.actions.base import Action, Argument, reads
from dvr_ryu.pipeline.fields import NSH
from dvr_ryu.pipeline.scope import Scope
from dvr_ryu.pipeline.source import Wrong


@frozen
class EncapEthernet(Action):
    """Put an Ethernet header before a packet that has none."""

    in_action_set = True

    def __str__(self) -> str:
        return "encap(ethernet)"

    def build(self) -> list[Any]:
        """Return Ryu's NXActionEncapEther."""
        return [parser.NXActionEncapEther()]


@frozen
class DecNshTtl(Action):
    """Take one off the time to live of the packet's NSH header."""

    in_action_set = True

    def __str__(self) -> str:
        return "dec_nsh_ttl"

    def build(self) -> list[Any]:
        """Return Ryu's NXActionDecNshTtl."""
        return [parser.NXActionDecNshTtl()]


@reads("encap")
def read_encap(scope: Scope, argument: Argument) -> EncapEthernet:
    """encap(ethernet)."""
    if argument.text != "ethernet":
        raise Wrong(argument.at, "Ryu 4.34 cannot carry encap but as encap(ethernet)")
    return EncapEthernet()


@reads("dec_nsh_ttl")
def read_dec_nsh_ttl(scope: Scope, argument: Argument) -> DecNshTtl:
    """dec_nsh_ttl."""
    argument.absent("dec_nsh_ttl")
    if scope.packet.ethertype != NSH and not scope.packet.later:
        raise Wrong(argument.end, f"dec_nsh_ttl is only for NSH: match dl_type={NSH:#x} as well")
    return DecNshTtl()
