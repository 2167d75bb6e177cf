"""Random packets for a bridge: their addresses are mostly those that its host's view names."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from dvr_ryu.pipeline.language.numbers import read_ipv4, read_mac
from dvr_ryu.pipeline.run.packet import (
    ARP_REPLY,
    BROADCAST,
    Packet,
    arp_request,
    icmp_echo,
    tcp,
    udp,
)
from dvr_ryu.topology.relations import RELATIONS, Kind, fields_of
from dvr_ryu.topology.view import HostView

DHCP_CLIENT, DHCP_SERVER = 68, 67


class PacketMaker:
    """Makes packets. The dice decide all, so that a seed gives the same packets again."""

    def __init__(self, view: HostView, dice: random.Random) -> None:
        self.dice = dice
        values = _values(view)
        self.macs = [*values[Kind.MAC], BROADCAST, 0x01005E000001, 0x0200000000FF]
        self.ips = [*values[Kind.IPV4], 0xC0A80AFE]
        self.vlans = [*values[Kind.VLAN], 77]
        self.vnis = [*values[Kind.VNI], 4000]
        self._kinds: Sequence[Callable[[], Packet]] = (
            self._arp, self._arp, self._arp_reply, self._echo, self._tcp, self._udp, self._dhcp,
            self._other,
        )  # fmt: skip

    def packet(self, tagged: float = 0, tunnelled: bool = False) -> Packet:
        """A packet; `tagged` is the likelihood of a VLAN tag."""
        made = self.dice.choice(self._kinds)()
        if self.dice.random() < tagged:
            made = made.tagged(self.dice.choice(self.vlans))
            if self.dice.random() < 0.1:
                made = made.having(vlan_tci=made["vlan_tci"] | 0x6000)
        return made.having(tun_id=self.dice.choice(self.vnis)) if tunnelled else made

    def _mac(self) -> int:
        return self.dice.choice(self.macs)

    def _ip(self) -> int:
        return self.dice.choice(self.ips)

    def _ends(self) -> tuple[int, int, int, int]:
        return self._mac(), self._mac(), self._ip(), self._ip()

    def _arp(self) -> Packet:
        target = self.dice.choice([BROADCAST, BROADCAST, self._mac()])
        source, own, asked = self._mac(), self._ip(), self._ip()
        if self.dice.random() < 0.3:
            asked = own
        return arp_request(source, own, asked, dst_mac=target)

    def _arp_reply(self) -> Packet:
        request = self._arp()
        target = self.dice.choice([BROADCAST, self._mac(), self._mac()])
        return request.having(arp_op=ARP_REPLY, dl_dst=target, arp_tha=self._mac())

    def _echo(self) -> Packet:
        return icmp_echo(*self._ends())

    def _tcp(self) -> Packet:
        return tcp(*self._ends(), self.dice.choice([22, 80]))

    def _udp(self) -> Packet:
        return udp(*self._ends(), self.dice.choice([53, 67]))

    def _dhcp(self) -> Packet:
        source, _, own, other = self._ends()
        return udp(source, BROADCAST, own, other, DHCP_SERVER, src_port=DHCP_CLIENT)

    def _other(self) -> Packet:
        return Packet({"dl_src": self._mac(), "dl_dst": self._mac(), "dl_type": 0x88B5})


def _values(view: HostView) -> dict[Kind, list[int]]:
    """The numbers that rows of the view have, by kind."""
    found: dict[Kind, set[int]] = {
        Kind.MAC: {_number(Kind.MAC, view.this_host.dvr_mac)},
        Kind.IPV4: set(),
        Kind.VLAN: set(),
        Kind.VNI: set(),
    }
    for name, row_type in RELATIONS.items():
        kinds = {field: doc.kind for field, doc in fields_of(row_type).items()}
        for row in getattr(view, name):
            for field, kind in kinds.items():
                if kind in found:
                    found[kind].add(_number(kind, getattr(row, field)))
    return {kind: sorted(numbers) for kind, numbers in found.items()}


def _number(kind: Kind, value: Any) -> int:
    if kind is Kind.MAC:
        return read_mac(value)
    return read_ipv4(value) if kind is Kind.IPV4 else int(value)
