"""VLAN tags: put one on, take it off, write it."""

from __future__ import annotations

from typing import Any

from attrs import frozen
from ryu.ofproto import ofproto_v1_4_parser as parser

from dvr_ryu.pipeline import numbers
from dvr_ryu.pipeline.fields import VLAN_PRESENT
from dvr_ryu.pipeline.operands import Operand, number, written
from dvr_ryu.pipeline.scope import Scope
from dvr_ryu.pipeline.source import Wrong
from dvr_ryu.topology.relations import Kind


@frozen
class ModVlanVid:
    """Give the packet this VLAN tag; `push`: it has none yet, so it gets one first.

    OpenFlow 1.0's word, which ovs-ofctl carries over later protocols just so.
    """

    tag: Operand
    push: bool

    def __str__(self) -> str:
        return f"mod_vlan_vid:{written(numbers.DECIMAL, self.tag)}"

    def build(self) -> list[Any]:
        """Return Ryu's OFPActionSetField, after an OFPActionPushVlan where there is no tag."""
        tag = parser.OFPActionSetField(vlan_vid=number(self.tag) | VLAN_PRESENT)
        return [parser.OFPActionPushVlan(), tag] if self.push else [tag]


@frozen
class PushVlan:
    """Put an empty VLAN tag before the packet."""

    ethertype: int

    def __str__(self) -> str:
        return f"push_vlan:{self.ethertype:#06x}"

    def build(self) -> list[Any]:
        """Return Ryu's OFPActionPushVlan."""
        return [parser.OFPActionPushVlan(self.ethertype)]


@frozen
class PopVlan:
    """Take the outer VLAN tag off."""

    def __str__(self) -> str:
        return "pop_vlan"

    def build(self) -> list[Any]:
        """Return Ryu's OFPActionPopVlan."""
        return [parser.OFPActionPopVlan()]


def read_mod_vlan_vid(scope: Scope, rest: str, at: int) -> ModVlanVid:
    """mod_vlan_vid:TAG; a packet that has no tag gets one."""
    tag = scope.argument(numbers.DECIMAL, Kind.VLAN, 12, rest, at)
    action = ModVlanVid(tag, push=not scope.tagged)
    scope.tagged = True
    return action


def read_push_vlan(scope: Scope, rest: str, at: int) -> PushVlan:
    """push_vlan:ETHERTYPE."""
    ethertype = scope.argument(numbers.HEX, None, 16, rest, at)
    if ethertype not in (0x8100, 0x88A8):
        raise Wrong(at + 1, "a VLAN tag's Ethernet type is 0x8100 or 0x88a8")
    action = PushVlan(int(ethertype))
    scope.tagged = True
    return action


def read_pop_vlan(scope: Scope, rest: str, at: int) -> PopVlan:
    """pop_vlan, or strip_vlan."""
    if rest:
        raise Wrong(at, "nothing follows strip_vlan or pop_vlan")
    action = PopVlan()
    scope.tagged = False
    return action
