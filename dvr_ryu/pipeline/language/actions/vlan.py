"""Actions on VLAN tags: push, pop, write."""

from __future__ import annotations

from typing import Any

from attrs import frozen
from ryu.ofproto import ofproto_v1_4_parser as parser

from dvr_ryu.pipeline.language import numbers
from dvr_ryu.pipeline.language.actions.base import Action, Argument, reads
from dvr_ryu.pipeline.language.fields import VLAN_PRESENT
from dvr_ryu.pipeline.language.flow_file import LineError
from dvr_ryu.pipeline.language.operands import Operand, number, written
from dvr_ryu.pipeline.language.scope import Scope
from dvr_ryu.topology.relations import Kind


@frozen
class ModVlanVid(Action):
    """Give the packet this VLAN tag. `push`: it has no tag yet, so it gets one first.

    This is an action of OpenFlow 1.0. ovs-ofctl carries it over later protocols in the same way.
    """

    in_action_set = True

    tag: Operand
    push: bool

    def __str__(self) -> str:
        return f"mod_vlan_vid:{written(numbers.DECIMAL, self.tag)}"

    def build(self) -> list[Any]:
        """Return Ryu's OFPActionSetField, after an OFPActionPushVlan where there is no tag."""
        tag = parser.OFPActionSetField(vlan_vid=number(self.tag) | VLAN_PRESENT)
        return [parser.OFPActionPushVlan(), tag] if self.push else [tag]


@frozen
class ModVlanPcp(Action):
    """Give the packet's VLAN tag this priority; `push` as in ModVlanVid."""

    in_action_set = True

    priority: int
    push: bool

    def __str__(self) -> str:
        return f"mod_vlan_pcp:{self.priority}"

    def build(self) -> list[Any]:
        """Return Ryu's OFPActionSetField, after an OFPActionPushVlan where there is no tag."""
        priority = parser.OFPActionSetField(vlan_pcp=self.priority)
        return [parser.OFPActionPushVlan(), priority] if self.push else [priority]


@frozen
class PushVlan(Action):
    """Put an empty VLAN tag before the packet."""

    in_action_set = True

    ethertype: int

    def __str__(self) -> str:
        return f"push_vlan:{self.ethertype:#06x}"

    def build(self) -> list[Any]:
        """Return Ryu's OFPActionPushVlan."""
        return [parser.OFPActionPushVlan(self.ethertype)]


@frozen
class PopVlan(Action):
    """Take the outer VLAN tag off."""

    in_action_set = True

    def __str__(self) -> str:
        return "pop_vlan"

    def build(self) -> list[Any]:
        """Return Ryu's OFPActionPopVlan."""
        return [parser.OFPActionPopVlan()]


@reads("mod_vlan_vid")
def read_mod_vlan_vid(scope: Scope, argument: Argument) -> ModVlanVid:
    """mod_vlan_vid:TAG; a packet that has no tag gets one."""
    return _mod_vlan_vid(scope, argument)


def _mod_vlan_vid(scope: Scope, argument: Argument) -> ModVlanVid:
    text = argument.present("a tag", ":2")
    tag = scope.operand(numbers.DECIMAL, Kind.VLAN, 12, text, argument.at)
    return ModVlanVid(tag, _pushes(scope, argument))


@reads("mod_vlan_pcp")
def read_mod_vlan_pcp(scope: Scope, argument: Argument) -> ModVlanPcp:
    """mod_vlan_pcp:PRIORITY; a packet that has no tag gets one."""
    return _mod_vlan_pcp(scope, argument)


def _mod_vlan_pcp(scope: Scope, argument: Argument) -> ModVlanPcp:
    priority = scope.plain(argument.present("a priority", ":2"), 3, argument.at)
    return ModVlanPcp(priority, _pushes(scope, argument))


def _pushes(scope: Scope, argument: Argument) -> bool:
    if not scope.packet.ethernet:
        raise LineError(argument.end, "a tag needs an Ethernet header: write encap(ethernet) first")
    tagged, scope.packet.tagged = scope.packet.tagged, True
    return not tagged


@reads("set_vlan_vid")
def read_set_vlan_vid(scope: Scope, argument: Argument) -> ModVlanVid:
    """set_vlan_vid:TAG, of a packet that has a tag."""
    _require_tagged(scope, argument)
    return _mod_vlan_vid(scope, argument)


@reads("set_vlan_pcp")
def read_set_vlan_pcp(scope: Scope, argument: Argument) -> ModVlanPcp:
    """set_vlan_pcp:PRIORITY, of a packet that has a tag."""
    _require_tagged(scope, argument)
    return _mod_vlan_pcp(scope, argument)


def _require_tagged(scope: Scope, argument: Argument) -> None:
    if not scope.packet.tagged and not scope.packet.in_action_set:
        raise LineError(argument.end, "there may be no VLAN tag: match dl_vlan as well")


@reads("push_vlan")
def read_push_vlan(scope: Scope, argument: Argument) -> PushVlan:
    """push_vlan:ETHERTYPE."""
    ethertype = scope.plain(argument.present("an Ethernet type", ":0x8100"), 16, argument.at)
    if ethertype not in (0x8100, 0x88A8):
        raise LineError(argument.at, "a VLAN tag's Ethernet type is 0x8100 or 0x88a8")
    scope.packet.tagged = True
    return PushVlan(ethertype)


@reads("pop_vlan", "strip_vlan")
def read_pop_vlan(scope: Scope, argument: Argument) -> PopVlan:
    """pop_vlan, or strip_vlan."""
    argument.absent("strip_vlan or pop_vlan")
    _require_tagged(scope, argument)
    scope.packet.tagged = False
    return PopVlan()
