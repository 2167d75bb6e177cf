"""Random frames for the ports of a host's namespaces, many of which mean something there."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from attrs import evolve

from dvr_ryu.pipeline.run.packet import (
    ARP_REPLY,
    ARP_REQUEST,
    BROADCAST,
    Packet,
    arp_request,
    icmp_echo,
    tcp,
    udp,
)
from dvr_ryu.topology.view import HostView
from dvr_ryu.trace.kernel.addresses import ip_number, mac_number
from dvr_ryu.trace.kernel.host import HostKernel
from dvr_ryu.trace.kernel.request import Request

_REMEMBERED = 40
_STRANGE = ("8.8.8.8", "127.0.0.1", "224.0.0.1", "239.1.2.3", "255.255.255.255", "0.0.0.0")
_ACK, _RST, _SYN_ACK = 0x10, 0x04, 0x12


class RandomFrames:
    """Frames in the order in which they go in; what came out may be answered."""

    def __init__(
        self,
        view: HostView,
        kernel: HostKernel,
        inner: Mapping[str, tuple[str, str]],
        random: Random,
    ) -> None:
        self._random = random
        self._inner = inner
        self._devices = sorted(inner)
        self._mtu = view.topology.underlay.mtu
        self._macs_of = {
            device: kernel.namespace(namespace).devices[name].mac
            for device, (namespace, name) in inner.items()
        }
        self._own = {
            name: [each.ip for each in kernel.namespace(name).addresses]
            for name in kernel.namespaces
        }
        self._arp: list[tuple[str, Packet]] = []
        self._packets: list[tuple[str, Packet]] = []
        topology = view.topology
        self._subnets = [s.cidr for network in topology.networks.values() for s in network.subnets]
        macs = {mac_number(port.mac) for port in topology.ports}
        self._macs = sorted(macs | {0x020000000001, 0x020000000002})
        own = {each.ip for port in topology.ports for each in port.addresses}
        own |= {each.ip for router in topology.routers.values() for each in router.interfaces}
        own |= {host.address for host in topology.hosts.values()} | topology.floating_ips.keys()
        own |= {str(subnet.broadcast_address) for subnet in self._subnets}
        own |= {ip for _, ip in topology.virtual_ips}
        forwardings = [f for each in topology.floating_ips.values() for f in each.forwardings]
        ports = {port for f in forwardings for port in (f.external_ports, f.internal_ports)}
        self._ports = sorted({22, 67, *(p.first for p in ports), *(p.last for p in ports)})
        self.addresses = sorted({ip_number(ip) for ip in (*own, *_STRANGE)})

    def heard(self, frames: list[tuple[str, Packet]]) -> None:
        """Note what came out of the host."""
        for device, packet in frames:
            noted = self._arp if packet.is_arp else self._packets
            if device in self._inner and packet["dl_dst"] != 0 and not packet["nw_frag"]:
                noted.append((device, packet))
                del noted[:-_REMEMBERED]

    def next(self) -> tuple[str, Packet]:
        """An outer device, and the frame that goes in there."""
        chance = self._random.random()
        if self._arp and chance < 0.3:
            return self._arp_answer(*self._arp.pop())
        if self._packets and chance < 0.5:
            return self._answer(*self._random.choice(self._packets))
        device = self._random.choice(self._devices)
        return device, self._arp_frame(device) if chance < 0.65 else self._ip_frame(device)

    def request(self, namespace: str) -> Request:
        """What a program there sends: mostly from the address that the kernel chooses."""
        random = self._random
        own = self._own[namespace]
        unicast = [each for each in self.addresses if 0 < each >> 24 < 224]
        # A program that takes a broadcast address for its own gets another one without a word.
        stranger = random.choice([each for each in unicast if each & 0xFF != 0xFF])
        source = random.choice([0, 0, 0, stranger, *own])
        ends = 0, 0, source, random.choice(unicast)
        size = random.choice([84, 84, 84, self._mtu - 50, self._mtu - 49, 3000])
        if random.random() < 0.5:
            port = random.randrange(1024, 1 << 16)
            packet = udp(*ends, random.choice(self._ports), src_port=port, size=size)
        else:
            packet = icmp_echo(*ends, size=size, id=random.randrange(1 << 16))
        return Request(packet, dont_fragment=random.random() < 0.6)

    def _arp_answer(self, device: str, asked: Packet) -> tuple[str, Packet]:
        if asked["arp_op"] != ARP_REQUEST:
            return device, self._ip_frame(device)
        return device, asked.reply(self._random.choice(self._macs))

    def _answer(self, device: str, packet: Packet) -> tuple[str, Packet]:
        """An answer to a packet, or an ICMP error about it."""
        if self._random.random() < 0.3 and packet.quoted is None:
            code = self._random.choice([(3, 1), (3, 3), (3, 4), (11, 0), (5, 1)])
            about = Packet({**packet.reply().fields, "nw_ttl": 64, "nw_proto": 1}, 56, packet)
            names = [name for name in about.fields if name.startswith(("tcp_", "udp_", "icmp_"))]
            about = about.having(**dict.fromkeys(names), nw_df=None)
            about = about.having(icmp_type=code[0], icmp_code=code[1], nw_tos=0)
            if code == (3, 4):
                about = about.having(icmp_mtu=self._random.choice([600, 1400]))
            return device, about
        if packet.quoted is not None:
            return device, self._ip_frame(device)
        answer = packet.reply()
        if "tcp_flags" in answer:
            flags = self._random.choice([answer["tcp_flags"], _ACK, _RST, _SYN_ACK])
            answer = evolve(answer.having(tcp_flags=flags), size=60)
        return device, answer

    def _arp_frame(self, device: str) -> Packet:
        mac = self._random.choice(self._macs)
        frame = arp_request(mac, self._address(0.5, device), self._address(0.3, device))
        kind = self._random.random()
        if kind < 0.1:
            frame = frame.having(arp_spa=0)
        elif kind < 0.2:
            frame = frame.having(arp_tpa=frame["arp_spa"])
        elif kind < 0.4:
            frame = frame.having(arp_op=ARP_REPLY, arp_tha=self._macs_of[device])
        return frame.having(dl_dst=self._receiver(device, 0.4))

    def _ip_frame(self, device: str) -> Packet:
        ends = (
            self._random.choice(self._macs),
            self._receiver(device, 0.05),
            self._address(0.6, device),
            self._address(0.2, device),
        )
        random = self._random
        # If another sender has the same port, the kernel chooses at random: so few have it.
        port, own = random.choice([*self._ports, 80]), random.randrange(1024, 1 << 16)
        match random.randrange(4):
            case 0:
                packet = tcp(*ends, port, src_port=own)
            case 1:
                packet = udp(*ends, port, src_port=own)
            case _:
                packet = icmp_echo(*ends, id=random.randrange(1 << 16))
        if random.random() < 0.1 and "tcp_flags" in packet:
            packet = packet.having(tcp_flags=random.choice([_ACK, _RST, _SYN_ACK, 0x11]))
        if random.random() < 0.1 and "icmp_type" in packet:
            packet = packet.having(icmp_type=0)
        sizes = [packet.size] * 5 + [
            self._mtu - extra for extra in (0, 20, 46, 47, 49, 50, 51, 100, 200)
        ]
        size = random.choice(sizes)
        ttl = random.choice([64] * 8 + [1, 2, 3])
        fragmentable = random.random() < 0.4
        packet = packet.having(nw_ttl=ttl, nw_df=None if fragmentable else 1)
        return evolve(packet, size=size)

    def _address(self, near: float, device: str) -> int:
        """An address; with the probability `near`, one that a neighbour of the device has."""
        random = self._random
        if random.random() < 0.15:
            subnet = random.choice(self._subnets)
            return int(subnet.network_address) + random.randrange(subnet.num_addresses)
        if random.random() < near and self._packets:
            return random.choice(self._packets)[1]["nw_dst"]
        return random.choice(self.addresses)

    def _receiver(self, device: str, to_all: float) -> int:
        chance = self._random.random()
        if chance < to_all:
            return BROADCAST
        return self._random.choice(self._macs) if chance > 0.95 else self._macs_of[device]
