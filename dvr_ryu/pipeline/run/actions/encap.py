"""Runs encap and decap: headers of Ethernet, NSH and MPLS; and dec_nsh_ttl.

A packet without an Ethernet header has a packet_type, and ordinary ports send none of these.
"""

from __future__ import annotations

from collections.abc import Callable

from dvr_ryu.pipeline.language.actions.encap import Decap, DecNshTtl, Encap
from dvr_ryu.pipeline.language.fields import IP, IP6, MPLS, MPLS_MULTICAST, NSH, VLAN_PRESENT
from dvr_ryu.pipeline.run.actions.headers import decrement
from dvr_ryu.pipeline.run.layers import ETHERTYPES, LABELS, hide, reveal
from dvr_ryu.pipeline.run.machine import Dropped, Machine, runs

_NEXT_PROTOCOL = {ETHERTYPES | IP: 1, ETHERTYPES | IP6: 2, 0: 3, ETHERTYPES | NSH: 4}
"""Packet type → nsh_np."""
_NSH_TTL, _NSH_INDEX = 63, 255
_NSH_SIZE, _NSH_CONTEXT_SIZE = 8, 16
_LABEL_SIZE, _ETHERNET_SIZE = 4, 14


@runs(Encap)
def encap(machine: Machine, action: Encap) -> None:
    """Put a header before the packet."""
    _HEADERS[action.header](machine, action)


def _ethernet(machine: Machine, action: Encap) -> None:
    del action
    packet_type = machine.fields.pop("packet_type", 0)
    if not packet_type:
        raise Dropped("Open vSwitch puts no Ethernet header before another")
    machine.fields |= {"dl_src": 0, "dl_dst": 0, "dl_type": packet_type % ETHERTYPES}


def _nsh(machine: Machine, action: Encap) -> None:
    packet_type = machine.fields.pop("packet_type", 0)
    if packet_type not in _NEXT_PROTOCOL:
        raise Dropped("NSH carries no packets of this type")
    md_type = action.md_type or 1
    size = _NSH_SIZE + (_NSH_CONTEXT_SIZE if md_type == 1 else 0)
    size += sum(4 + len(each.content) + -len(each.content) % 4 for each in action.tlvs)
    header = {"packet_type": ETHERTYPES | NSH, "dl_type": NSH, "nsh_flags": 0, "nsh_ttl": _NSH_TTL}
    header |= {"nsh_mdtype": md_type, "nsh_np": _NEXT_PROTOCOL[packet_type]}
    header |= {"nsh_spi": 0, "nsh_si": _NSH_INDEX}
    header |= {f"nsh_c{at}": 0 for at in range(1, 5)} if md_type == 1 else {}
    hide(machine, not packet_type, header, size)


def _mpls(machine: Machine, action: Encap) -> None:
    ethertype = MPLS if action.header == "mpls" else MPLS_MULTICAST
    packet_type = machine.fields.pop("packet_type", 0)
    header = {"packet_type": ETHERTYPES | ethertype, "dl_type": ethertype}
    header |= {"mpls_label": 0, "mpls_tc": 0, "mpls_ttl": 0, "mpls_bos": 0}
    hide(machine, not packet_type, header, _LABEL_SIZE)


_HEADERS: dict[str, Callable[[Machine, Encap], None]] = {
    "ethernet": _ethernet,
    "nsh": _nsh,
    "mpls": _mpls,
    "mpls_mc": _mpls,
}


@runs(Decap)
def decap(machine: Machine, action: Decap) -> None:
    """Take the outer header off."""
    packet_type = machine.fields.get("packet_type", 0)
    if not packet_type:
        _decap_ethernet(machine, action)
    elif packet_type == ETHERTYPES | NSH:
        _decap_nsh(machine)
    elif packet_type % ETHERTYPES in LABELS:
        _decap_mpls(machine, action)
    else:
        raise Dropped("Open vSwitch takes no header of this type off")


def _decap_ethernet(machine: Machine, action: Decap) -> None:
    if machine.fields.get("vlan_tci", 0) & VLAN_PRESENT:
        raise Dropped("decap takes off no Ethernet header that has a VLAN tag")
    inner = ETHERTYPES | machine.fields.get("dl_type", 0)
    if action.packet_type not in (None, inner):
        raise Dropped("the packet inside is of another type than decap names")
    for name in ("dl_src", "dl_dst"):
        machine.fields.pop(name, None)
    machine.fields["packet_type"] = inner


def _decap_nsh(machine: Machine) -> None:
    inner = {np: kind for kind, np in _NEXT_PROTOCOL.items()}[machine.fields["nsh_np"]]
    _go_inside(machine, inner)


def _decap_mpls(machine: Machine, action: Decap) -> None:
    if action.packet_type is None:
        raise Dropped("a label does not tell what is behind it: decap names no type here")
    _go_inside(machine, action.packet_type)


def _go_inside(machine: Machine, packet_type: int) -> None:
    """Go on with the packet behind the header; packet type 0 has an Ethernet header of its own."""
    payload = machine.payload
    size = machine.packet.size - (payload.size if payload else 0)
    ethertype = packet_type % ETHERTYPES
    if not packet_type and payload is not None:
        ethertype = payload["dl_type"]
        size -= _ETHERNET_SIZE
    del machine.fields["packet_type"]
    reveal(machine, ethertype, size)
    if packet_type:
        machine.fields["packet_type"] = packet_type


@runs(DecNshTtl)
def dec_nsh_ttl(machine: Machine, action: DecNshTtl) -> None:
    """Decrement the time to live of the NSH header."""
    del action
    if machine.fields.get("dl_type") == NSH:
        decrement(machine, "nsh_ttl", "the NSH header's time to live")
