"""The way of a DHCP client's question to the server, and of the server's answer. Pure.

The frames are those of a DISCOVER and of an OFFER; what dnsmasq answers is not computed here.
"""

from __future__ import annotations

from attrs import evolve

from dvr_ryu.companion.desired.dhcp import dhcp_namespace
from dvr_ryu.pipeline.run import packet as packets
from dvr_ryu.pipeline.run.packet import BROADCAST
from dvr_ryu.topology.model import DHCP, Port, instance_namespace
from dvr_ryu.trace.endpoints import Receiver, Sender
from dvr_ryu.trace.hops import UDP, Hop, Kind, Outcome, Probe, Trace, Verdict
from dvr_ryu.trace.judging import end_of, verdict
from dvr_ryu.trace.kernel.addresses import ip_number, mac_number
from dvr_ryu.trace.network import Network
from dvr_ryu.trace.walk import Walk
from dvr_ryu.trace.wording import on_host

SERVER_PORT, CLIENT_PORT = 67, 68
_EVERYBODY = "255.255.255.255"
_PROBE = Probe(UDP, SERVER_PORT)


def lease(network: Network, client: Port) -> Trace:
    """The trace of a question from an instance's NIC to its network's server, with the answer's.

    Its verdict is that of the server which the client should have: its host's own, if each host has
    one. The question has arrived if it came to that server; other servers must not get it then. On
    a network without servers it is lost.
    """
    topology = network.topology
    namespace = dhcp_namespace(topology.networks[client.network])
    servers = [
        port
        for port in topology.service_ports
        if port.owner == DHCP and port.network == client.network
    ]
    near = [port for port in servers if port.host == client.host]
    server = next(iter([*near, *servers]), None)
    question = packets.udp(
        mac_number(client.mac), BROADCAST, 0, ip_number(_EVERYBODY), SERVER_PORT,
        src_port=CLIENT_PORT, size=328,
    )  # fmt: skip
    sender = Sender(client.name, client.host, instance_namespace(client.name))
    receiver = Receiver(f"the DHCP server of {client.network}", _EVERYBODY)
    walk = Walk(network.hosts)
    walk.emit(sender.host, sender.namespace, client.card, question)
    asked = Trace(
        sender, receiver, _PROBE, tuple(walk.hops),
        _ended(network, walk, server.host, namespace, "the DHCP server gets it")
        if server else _unserved(client),
    )  # fmt: skip
    if server is None or not asked.verdict.delivered:
        return asked
    answer = packets.udp(
        mac_number(server.mac), mac_number(client.mac), ip_number(server.ip), ip_number(client.ip),
        CLIENT_PORT, src_port=SERVER_PORT, size=328,
    )  # fmt: skip
    back = Walk(network.hosts, walk)
    back.emit(server.host, namespace, server.device, answer)
    reply = Trace(
        Sender(receiver.name, server.host, namespace),
        Receiver(client.name, client.ip),
        Probe(UDP, CLIENT_PORT),
        tuple(back.hops),
        _ended(network, back, client.host, sender.namespace, f"{client.name} gets the answer"),
    )
    return evolve(asked, reply=reply)


def arrivals(trace: Trace, namespace: str) -> list[Hop]:
    """The visits of a trace's packet to a namespace, on any host."""
    return [hop for hop in trace.hops[1:] if hop.node == namespace and not hop.packet.is_arp]


def _unserved(client: Port) -> Verdict:
    namespace, reason = instance_namespace(client.name), f"{client.network} has no DHCP server"
    return Verdict(Outcome.UNANSWERED, 0, client.host, namespace, None, reason)


def _ended(network: Network, walk: Walk, host: str, namespace: str, reason: str) -> Verdict:
    for hop in walk.hops[1:]:
        if (hop.host, hop.node) == (host, namespace):
            return Verdict(Outcome.DELIVERED, hop.number, host, namespace, None, reason)
    ends = [hop for hop in walk.hops if hop.kind is Kind.BRIDGE and not hop.outputs]
    if not ends:
        return verdict(network.topology, walk)
    last, target = ends[-1], on_host(network.topology, host, namespace)
    text = f"it does not come to {target}; {end_of(last)}"
    return Verdict(Outcome.DROPPED, last.number, last.host, last.node, None, text)
