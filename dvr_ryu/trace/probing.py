"""Makes the packet that a trace sends, and finds its device. Pure."""

from __future__ import annotations

from ipaddress import IPv4Address

from dvr_ryu.pipeline.run import packet as packets
from dvr_ryu.pipeline.run.packet import Packet
from dvr_ryu.topology.model import COMPUTE
from dvr_ryu.topology.topology import Topology
from dvr_ryu.trace.endpoints import Receiver, Sender, UnknownEndpoint, namespace_of
from dvr_ryu.trace.hops import TCP, UDP, Probe
from dvr_ryu.trace.kernel.addresses import ip_number


def packet_of(sender: Sender, receiver: Receiver, probe: Probe) -> Packet:
    """The IP packet of a probe, for a kernel that adds the rest. A source address of 0 is for the
    kernel to choose.
    """
    ends = 0, 0, ip_number(sender.address or "0.0.0.0"), ip_number(receiver.address)
    size = {} if probe.size is None else {"size": probe.size}
    if probe.protocol == TCP:
        return packets.tcp(*ends, probe.port, **size)
    if probe.protocol == UDP:
        return packets.udp(*ends, probe.port, **size)
    return packets.icmp_echo(*ends, **size)


def device_towards(topology: Topology, sender: Sender, address: str) -> str:
    """The device by which a sender asks for an address by ARP: one in its subnet, else the first.
    Raises UnknownEndpoint for a sender without a port on a network.
    """
    asked = IPv4Address(address)
    own = [
        (asked not in fixed.cidr, number, port.card if port.owner == COMPUTE else port.device)
        for number, port in enumerate(topology.ports_on[sender.host])
        if namespace_of(topology, port) == sender.namespace
        for fixed in port.addresses
        if sender.address in (None, fixed.ip)
    ]
    if not own:
        raise UnknownEndpoint(f"{sender.name} has no port on a network: it asks nothing by ARP")
    return min(own)[2]
