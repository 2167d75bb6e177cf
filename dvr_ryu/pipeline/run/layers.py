"""Puts outer headers before a packet that is running, and takes them off: MPLS, NSH, Ethernet.

What an outer header hides is held as a packet of its own, so that it is there again when the header
is taken off.
"""

from __future__ import annotations

from attrs import evolve

from dvr_ryu.pipeline.language.fields import IP, IP6, MPLS, MPLS_MULTICAST, NSH
from dvr_ryu.pipeline.run.headers import Fields
from dvr_ryu.pipeline.run.machine import Machine
from dvr_ryu.pipeline.run.packet import Packet, is_metadata

ETHERTYPES = 1 << 16
"""The name space of packet types that are Ethernet types."""
LABELS = (MPLS, MPLS_MULTICAST)
MOST_LABELS = 3
"""Labels that Open vSwitch handles."""
_TAGS = ("vlan_tci", "inner_vlan_tci")
_ETHERNET = ("dl_src", "dl_dst", *_TAGS)
_ETHERNET_SIZE = 14
_KIND = {IP: "IPv4", IP6: "IPv6", NSH: "NSH", **dict.fromkeys(LABELS, "MPLS")}


def hide(machine: Machine, ethernet_too: bool, outer: Fields, size: int) -> None:
    """Put an outer header of `size` bytes before what is above Ethernet; or before all of it. The
    header's fields are `outer`.
    """
    inner: Fields = {}
    for name in list(machine.fields):
        above = name not in (*_ETHERNET, "dl_type") and not is_metadata(name)
        if above or (ethernet_too and not is_metadata(name)):
            inner[name] = machine.fields.pop(name)
    inner.setdefault("dl_type", machine.fields.get("dl_type", 0))
    machine.payload = evolve(machine.packet, fields=inner, payload=machine.payload)
    more = size + (_ETHERNET_SIZE if ethernet_too else 0)
    machine.packet = evolve(machine.packet, size=machine.packet.size + more)
    machine.fields.update(outer)


def reveal(machine: Machine, ethertype: int, size: int) -> None:
    """Take off the outer header above Ethernet: what is behind has this Ethernet type. If it is of
    another kind, or unknown, none of its fields are known.
    """
    payload = machine.payload
    for name in [n for n in machine.fields if n not in _ETHERNET and not is_metadata(n)]:
        del machine.fields[name]
    machine.packet = evolve(machine.packet, size=machine.packet.size - size)
    machine.payload = None
    if payload is not None and _same_kind(payload["dl_type"], ethertype):
        machine.fields.update(payload.fields)
        machine.payload = payload.payload
    machine.fields["dl_type"] = ethertype


def _same_kind(one: int, other: int) -> bool:
    return one == other or (_KIND.get(one) is not None and _KIND.get(one) == _KIND.get(other))


def labels(fields: Fields, payload: Packet | None) -> int:
    """The number of MPLS labels before anything else."""
    if fields.get("dl_type") not in LABELS:
        return 0
    if fields.get("mpls_bos") or payload is None:
        return 1
    return 1 + labels(dict(payload.fields), payload.payload)
