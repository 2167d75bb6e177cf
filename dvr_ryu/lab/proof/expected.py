"""Lists the checks of a topology's `expect:` lines. Pure: probes carry them out."""

from __future__ import annotations

from dvr_ryu.lab.proof.checks import Check
from dvr_ryu.lab.proof.connections import Connects, NoConnection, Server
from dvr_ryu.lab.proof.probes import Endpoint, NoPing, Ping, Probe
from dvr_ryu.topology.expectation import Expectation, Service
from dvr_ryu.topology.model import Port, instance_namespace
from dvr_ryu.topology.topology import Topology
from dvr_ryu.trace.endpoints import Receiver, Sender, ends


def expected_checks(topology: Topology) -> list[Check]:
    """A check for each line, in the file's order."""
    return [_check(topology, each) for each in topology.expected]


def _check(topology: Topology, line: Expectation) -> Check:
    sender, receiver = ends(topology, line.source, line.target)
    endpoint = Endpoint(sender.host, sender.namespace or None, sender.address)
    target = f"{line.target}:{line.service}" if line.service else line.target
    probe = _probe(topology, line, endpoint, sender, receiver)
    return Check("expected", line.source, target, probe)


def _probe(
    topology: Topology, line: Expectation, endpoint: Endpoint, sender: Sender, receiver: Receiver
) -> Probe:
    address, service = receiver.address, line.service
    if service is None and line.seen_as is None:
        return Ping(endpoint, address) if line.reach else NoPing(endpoint, address)
    server = _server(topology, sender, address, service)
    if line.reach:
        port, protocol = (service.port, service.protocol) if service else (None, "tcp")
        return Connects(endpoint, address, server, port, line.seen_as, protocol)
    assert service is not None, "the schema takes seen_as only of packets that arrive"
    return NoConnection(endpoint, address, service.protocol, service.port, server)


def _serving(at: Endpoint, address: str, service: Service | None) -> Server:
    return Server(at, address, service.protocol, service.port) if service else Server(at, address)


def _server(
    topology: Topology, sender: Sender, address: str, service: Service | None
) -> Server | None:
    """The server that should answer at an address, and at the service's port of it."""
    floating = topology.floating_ips.get(address)
    if floating and floating.instance and floating.fixed_ip:
        owner = topology.instances[floating.instance]
        return _serving(_endpoint(owner), floating.fixed_ip, service)
    for each in floating.forwardings if floating and service else ():
        assert service is not None
        outer, shift = each.external_ports, service.port - each.external_ports.first
        if each.protocol == service.protocol and 0 <= shift < outer.count:
            inner = Service(service.protocol, each.internal_ports.first + shift)
            return _serving(_endpoint(topology.instances[each.instance]), each.fixed_ip, inner)
    machine = _machine(topology, sender, address)
    return None if machine is None else _serving(machine, address, service)


def _machine(topology: Topology, sender: Sender, address: str) -> Endpoint | None:
    """The machine with an address: of several, one on a network of the sender; else the host that
    carries an external network's gateway there.
    """
    own = {card.network for card in topology.cards if _endpoint(card).namespace == sender.namespace}
    having = [card for card in topology.cards if any(each.ip == address for each in card.addresses)]
    for card in sorted(having, key=lambda card: card.network not in own):
        return _endpoint(card)
    for host in topology.hosts.values():
        if host.address == address:
            return Endpoint(host.name)
    for network in topology.networks.values():
        if network.gateway_host and any(subnet.gateway_ip == address for subnet in network.subnets):
            return Endpoint(network.gateway_host)
    return None


def _endpoint(card: Port) -> Endpoint:
    return Endpoint(card.host, instance_namespace(card.name))
