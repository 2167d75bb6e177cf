"""Lists the checks of a topology's lab. Pure: probes carry them out.

Instances do not ping all other instances. Each kind of check covers, for each network or router,
pairs of hosts (a host with itself, too) and pairs of networks. It covers all pairs of a few; of
many, it covers enough pairs that each host and network is in some (`sparse`). So the number of
checks grows with hosts and networks, not with their pairs and not with instances.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from itertools import chain, combinations
from typing import TypeVar

from attrs import frozen

from dvr_ryu.companion.desired.dhcp import dhcp_namespace
from dvr_ryu.companion.resources.dhcp.files import leases_file
from dvr_ryu.lab.proof import sparse
from dvr_ryu.lab.proof.connections import Connects, Server
from dvr_ryu.lab.proof.probes import (
    Endpoint,
    GatewayAnswers,
    Leased,
    NoPing,
    Ping,
    Probe,
)
from dvr_ryu.lab.proof.reach import Reach
from dvr_ryu.topology.model import (
    DHCP,
    PLUGGED,
    FloatingIp,
    Port,
    PortForwarding,
    instance_namespace,
)
from dvr_ryu.topology.topology import Topology

Pair = tuple[Port, Port]
Cover = tuple[Hashable, sparse.Names]
"""Two names within a scope, such as a router, that a check covers; or one name with itself."""
Candidate = TypeVar("Candidate")


@frozen
class Check:
    """A check: its kind, its source, its target, and the probe that carries it out."""

    what: str
    source: str
    target: str
    probe: Probe


def address_checks(topology: Topology) -> list[Check]:
    """Checks that instances have their addresses; all other checks need them."""
    return list(_leases(topology, Reach(topology)))


def reach_checks(topology: Topology) -> list[Check]:
    """Checks of connectivity, and of the source addresses that targets see."""
    kinds = (
        _gateways,
        _layer_2,
        _layer_3,
        _whole_packets,
        _inbound,
        _forwarded,
        _outbound,
        _isolation,
    )
    reach = Reach(topology)
    return [check for kind in kinds for check in kind(topology, reach)]


def _leases(topology: Topology, reach: Reach) -> Iterator[Check]:
    ports = [port for port in topology.service_ports if port.owner == DHCP]
    servers = {port.network: port.host for port in ports}
    own = {(port.network, port.host) for port in ports}
    for each in topology.instances.values():
        subnet = reach.subnet(each)
        if subnet.dhcp and each.network in servers and each.guest != PLUGGED:
            file = leases_file(dhcp_namespace(topology.networks[each.network]))
            server = each.host if (each.network, each.host) in own else servers[each.network]
            address = f"{each.ip}/{each.prefixlen}"
            probe = Leased(_endpoint(each), address, subnet.gateway_ip, server, file)
            yield Check("DHCP lease", each.name, each.network, probe)


def _gateways(topology: Topology, reach: Reach) -> Iterator[Check]:
    """Check the gateway once on every host of a network, because each host has it."""
    instances = topology.instances.values()
    for each in _covering(instances, lambda each: {(each.network, each.host)}):
        gateway = reach.gateway(each)
        if gateway is not None:
            probe = GatewayAnswers(_endpoint(each), gateway.ip, gateway.mac)
            yield Check("gateway's ARP", each.name, gateway.ip, probe)


def _layer_2(topology: Topology, reach: Reach) -> Iterator[Check]:
    pairs = [pair for pair in _pairs(topology.cards) if reach.adjacent(*pair)]
    for one, other in _covering_some(pairs, lambda pair: {(pair[0].network, _hosts(pair))}):
        yield _ping(f"layer 2, {_span(one, other)}", one, other)


def _layer_3(topology: Topology, reach: Reach) -> Iterator[Check]:
    def covers(pair: Pair) -> set[Cover]:
        router = reach.router(pair[0])
        name = router and router.name
        return {(("hosts", name), _hosts(pair)), (("networks", name), _networks(pair))}

    pairs = [pair for pair in _pairs(topology.instances.values()) if reach.routed(*pair)]
    for one, other in _covering_some(pairs, covers):
        yield _ping(f"layer 3, {_span(one, other)}", one, other)


def _whole_packets(topology: Topology, reach: Reach) -> Iterator[Check]:
    """Check that the largest packet that should pass between two hosts does pass."""
    pairs = [
        pair
        for pair in _pairs(topology.instances.values())
        if pair[0].host != pair[1].host and (reach.adjacent(*pair) or reach.routed(*pair))
    ]
    for one, other in _covering_some(pairs, lambda pair: {("hosts", _hosts(pair))}):
        yield _ping("largest packet", one, other, topology.underlay.overlay_mtu)


def _inbound(topology: Topology, reach: Reach) -> Iterator[Check]:
    """Check floating IPs from the external gateway's host, which stands for the world."""
    for floating in topology.floating_ips.values():
        if floating.router is not None and not _roaming(topology, floating):
            world = reach.world(topology.routers[floating.router])
            if world is not None:
                probe = Ping(Endpoint(world), floating.ip)
                yield Check("floating IP, inbound", world, floating.ip, probe)


def _roaming(topology: Topology, binding: FloatingIp | PortForwarding) -> bool:
    """Whether the target is a virtual address: any instance, or none, may have announced it."""
    cards = [card for card in topology.cards if card.name == binding.instance]
    return any((card.network, binding.fixed_ip) in topology.virtual_ips for card in cards)


def _forwarded(topology: Topology, reach: Reach) -> Iterator[Check]:
    """Check the last port of each range, from there too: it shows that the ranges are aligned."""
    for floating in topology.floating_ips.values():
        world = reach.world(topology.routers[floating.router]) if floating.router else None
        for each in floating.forwardings:
            if world is None or _roaming(topology, each):
                continue
            instance = _endpoint(topology.instances[each.instance])
            outer, inner = each.external_ports.last, each.internal_ports.last
            server = Server(instance, each.fixed_ip, each.protocol, inner)
            probe = Connects(Endpoint(world), floating.ip, server, outer, protocol=each.protocol)
            target = f"{floating.ip}:{outer}/{each.protocol}"
            yield Check("forwarded port", world, target, probe)


def _outbound(topology: Topology, reach: Reach) -> Iterator[Check]:
    """Connect to the underlay address of that host, which answers with the source address."""
    floating = {
        each.instance: each.ip
        for each in topology.floating_ips.values()
        if each.instance and each.fixed_ip == topology.instances[each.instance].ip
    }

    def covers(instance: Port) -> set[Hashable]:
        return {floating.get(instance.name) or (instance.network, instance.host)}

    for each in _covering(topology.instances.values(), covers):
        router = reach.router(each)
        world = reach.world(router)
        if router is None or router.gateway_port is None or world is None:
            continue
        what = "floating IP, outbound" if each.name in floating else "SNAT"
        source = floating.get(each.name, router.gateway_port.ip)
        address = topology.hosts[world].address
        server = Server(Endpoint(world), address)
        probe = Connects(_endpoint(each), address, server, source=source)
        yield Check(what, each.name, world, probe)


def _isolation(topology: Topology, reach: Reach) -> Iterator[Check]:
    """Check once for two networks that no router joins."""
    pairs = [pair for pair in _pairs(topology.instances.values()) if reach.apart(*pair)]
    for one, other in _covering_some(pairs, lambda pair: {("networks", _networks(pair))}):
        yield Check("isolation", one.name, other.name, NoPing(_endpoint(one), other.ip))


def _endpoint(instance: Port) -> Endpoint:
    return Endpoint(instance.host, instance_namespace(instance.name))


def _ping(what: str, one: Port, other: Port, size: int | None = None) -> Check:
    return Check(what, one.name, other.name, Ping(_endpoint(one), other.ip, size))


def _span(one: Port, other: Port) -> str:
    return "on one host" if one.host == other.host else "across hosts"


def _hosts(pair: Pair) -> frozenset[str]:
    return frozenset(port.host for port in pair)


def _networks(pair: Pair) -> frozenset[str]:
    return frozenset(port.network for port in pair)


def _pairs(ports: Iterable[Port]) -> Iterator[Pair]:
    """Pairs of instances. The first two of a network on a host stand for all of them."""
    groups: dict[tuple[str, str], list[Port]] = defaultdict(list)
    for port in ports:
        groups[port.network, port.host].append(port)
    return combinations([port for group in groups.values() for port in group[:2]], 2)


def _covering_some(pairs: list[Pair], covers: Callable[[Pair], set[Cover]]) -> Iterator[Pair]:
    """The pairs that cover a chosen combination that no earlier pair covers."""
    some = sparse.chosen(chain.from_iterable(map(covers, pairs)))
    return _covering(pairs, lambda pair: {*some.intersection(covers(pair))})


def _covering(
    candidates: Iterable[Candidate], covers: Callable[[Candidate], set[Hashable]]
) -> Iterator[Candidate]:
    """The candidates that cover something that no earlier candidate covers."""
    covered: set[Hashable] = set()
    for candidate in candidates:
        if not covers(candidate) <= covered:
            covered |= covers(candidate)
            yield candidate
