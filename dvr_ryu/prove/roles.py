"""Finds the objects of a topology that are alike: each gets a role, a number. Pure.

The rows from which flows are made, and the resources of a host, follow from the objects and from
how they refer to each other, never from their names. So two objects are alike if they have the same
values but for their own names, MACs, addresses, tags and ports, and refer to objects that are alike
and are referred to by such. That is refined some times, as one colours a graph: a role knows all
that is up to DEPTH references away.

Assumed, beside that: three of a kind make no difference that two do not make (a line of flows/ is
repeated for each row, whatever their number). A line that names a constant makes a difference:
`literals` tells which objects it fits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from typing import NamedTuple

from dvr_ryu.prove.literals import Literals
from dvr_ryu.topology.model import Network, Port, Router
from dvr_ryu.topology.presence import routers_on
from dvr_ryu.topology.topology import Topology

DEPTH = 2
_MANY = 2


class Numbering:
    """Gives each key a number, the same whenever it is asked: for this topology and for edits."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}

    def of(self, *key: Hashable) -> int:
        """The number of a key."""
        return self._numbers.setdefault(key, len(self._numbers))


class Cell(NamedTuple):
    """A network on a host."""

    network: str
    host: str


class Roles:
    """The roles of a topology's objects. `shapes` has, for each cell, the shapes of its instances
    with the instance that is the first of each; a shape is a role that does not look further.
    """

    def __init__(self, topology: Topology, literals: Literals, numbering: Numbering) -> None:
        self._topology = topology
        self._literals = literals
        self._number = numbering.of
        self._floating = self._floating_shapes()
        self._known: dict[Hashable, int] = {}
        self._several = {card.name for card in topology.more_cards}
        self.shapes: dict[Cell, dict[int, str]] = {}
        self.sizes: Counter[tuple[Cell, int]] = Counter()
        self._read_instances()
        self.routers_of = self._joined()
        self.routers_at = self._present()
        self.hosts: dict[str, int] = {}
        self.networks: dict[str, int] = {}
        self.routers: dict[str, int] = {}
        self._refine()

    def of_instance(self, cell: Cell, shape: int) -> int:
        """The role of the instances of a shape in a cell."""
        return self._number(
            "instance", shape, self.networks[cell.network], self.hosts[cell.host], self.tag(cell)
        )

    def is_served(self, port: Port) -> bool:
        """Whether DHCP serves the subnet of a port."""
        subnets = self._topology.networks[port.network].subnets
        return any(subnet.dhcp and subnet.cidr == port.cidr for subnet in subnets)

    def tag(self, cell: Cell) -> int | None:
        """The local VLAN tag of a cell, if a line of flows/ names that number."""
        tag = self._topology.local_vlans[cell.host].get(cell.network)
        return None if tag is None else self._literals.of_tag(tag)

    # Instances ------------------------------------------------------------------------------------

    def shape_of(self, port: Port) -> int:
        """The shape of an instance, by its first NIC."""
        literals, known = self._literals, self._known
        hits: Hashable = None
        if literals.name_machines:
            hits = (
                literals.of_mac(port.mac),
                tuple(literals.of_ip(fixed.ip) for fixed in port.addresses),
                literals.of_ofport(port.ofport),
            )
        # Most instances are alike: this short key tells them apart.
        special = port.address_pairs or port.dhcp_options or port.name in self._several
        own = self._floating.get(port.name)
        # id(): a subnet's prefix is one object, and its hash takes long.
        at = id(port.addresses[0].cidr) if len(port.addresses) == 1 else port.addresses
        key = (port.network, at, hits, own, port.name if special else "")
        if key not in known:
            known[key] = self._number("shape", *self._details(port), hits)
        return known[key]

    def _read_instances(self) -> None:
        for port in self._topology.instances.values():
            shape = self.shape_of(port)
            cell = Cell(port.network, port.host)
            self.shapes.setdefault(cell, {}).setdefault(shape, port.name)
            self.sizes[cell, shape] += 1

    def _details(self, port: Port) -> tuple[Hashable, ...]:
        subnets = [subnet.cidr for subnet in self._topology.networks[port.network].subnets]
        pairs = tuple(
            (pair.virtual_ip is not None, pair.mac is not None) for pair in port.address_pairs
        )
        more = tuple(
            (card.network, len(card.addresses), len(card.address_pairs))
            for card in self._topology.more_cards
            if card.name == port.name
        )
        at = tuple(subnets.index(fixed.cidr) for fixed in port.addresses)
        options = tuple(number for number, _ in port.dhcp_options)
        return at, pairs, options, more, self._floating.get(port.name)

    def _floating_shapes(self) -> dict[str, tuple[Hashable, ...]]:
        found: dict[str, tuple[Hashable, ...]] = {}
        for each in self._topology.floating_ips.values():
            literal = self._literals.of_ip(each.ip)
            if each.instance is not None:
                port = self._topology.instances[each.instance]
                shape: tuple[Hashable, ...] = (
                    each.central,
                    each.fixed_ip == port.ip,
                    each.network,
                    literal,
                )
                found[each.instance] = (*found.get(each.instance, ()), shape)
            for forwarding in each.forwardings:
                ranged = forwarding.external_ports.count > 1
                shape = ("port", forwarding.protocol, ranged, each.network, literal)
                found[forwarding.instance] = (*found.get(forwarding.instance, ()), shape)
        return found

    # Which router is where ------------------------------------------------------------------------

    def _joined(self) -> Mapping[str, tuple[str, ...]]:
        """Network → the routers that join it."""
        found: dict[str, dict[str, None]] = {name: {} for name in self._topology.networks}
        for router in self._topology.routers.values():
            for foot in router.interfaces:
                found[foot.network][router.name] = None
        return {network: tuple(routers) for network, routers in found.items()}

    def _present(self) -> Mapping[str, frozenset[str]]:
        """Host → its routers."""
        topology = self._topology
        ports: dict[str, list[Port]] = {name: [] for name in topology.hosts}
        for cell, shapes in self.shapes.items():
            ports[cell.host].append(topology.instances[next(iter(shapes.values()))])
        for port in (*topology.more_cards, *topology.service_ports):
            ports[port.host].append(port)
        return {
            host: frozenset(
                router.name for router in routers_on(here, topology.routers, topology.routed_to)
            )
            for host, here in ports.items()
        }

    # Refinement -----------------------------------------------------------------------------------

    def _refine(self) -> None:
        topology, number = self._topology, self._number
        services: dict[Cell, list[str]] = {}
        for port in topology.service_ports:
            services.setdefault(Cell(port.network, port.host), []).append(port.owner)
        cells = {
            cell: number(
                "cell",
                frozenset(self.shapes.get(cell, ())),
                frozenset(services.get(cell, ())),
                self.tag(cell),
            )
            for host, tags in topology.local_vlans.items()
            for cell in (Cell(network, host) for network in tags)
        }
        more = [Cell(card.network, card.host) for card in topology.more_cards]
        for cell in more:
            cells[cell] = number("cell with further NICs", cells[cell])
        self.hosts = {
            host.name: number(
                "host",
                host.snat,
                self._literals.of_mac(host.dvr_mac),
                self._literals.of_ip(host.address),
                frozenset(filter(None, map(self._literals.of_ofport, host.tunnel_ports.values())))
                if self._literals.ofports
                else None,
            )
            for host in topology.hosts.values()
        }
        self.networks = {each.name: self._of_network(each) for each in topology.networks.values()}
        self.routers = {each.name: self._of_router(each) for each in topology.routers.values()}
        for _ in range(DEPTH):
            self._look_further(cells)

    def _of_network(self, network: Network) -> int:
        routed = {
            (foot.cidr, foot.ip)
            for name in self.routers_of[network.name]
            for foot in self._topology.routers[name].interfaces
            if foot.network == network.name
        }
        subnets = tuple(
            (
                subnet.dhcp,
                subnet.gateway_ip is not None,
                (subnet.cidr, subnet.gateway_ip) in routed,
                len(subnet.host_routes),
                len(subnet.dhcp_ranges),
            )
            for subnet in network.subnets
        )
        return self._number(
            "network",
            network.external,
            subnets,
            network.gateway_host is not None,
            network.underlay_access,
            self._literals.of_vni(network.vni),
        )

    def _of_router(self, router: Router) -> int:
        literals = self._literals
        return self._number(
            "router",
            router.external_network is not None,
            tuple(route.outer for route in router.routes),
            _several(
                (
                    literals.of_mac(foot.mac),
                    literals.of_ip(foot.ip),
                    literals.of_ofport(foot.ofport),
                )
                for foot in router.interfaces
            ),
        )

    def _look_further(self, cells: Mapping[Cell, int]) -> None:
        topology, number = self._topology, self._number
        at_host: dict[str, list[Hashable]] = {name: [] for name in topology.hosts}
        in_network: dict[str, list[Hashable]] = {name: [] for name in topology.networks}
        for cell, role in cells.items():
            at_host[cell.host].append((role, self.networks[cell.network]))
            in_network[cell.network].append((role, self.hosts[cell.host]))
        feet: dict[str, list[Hashable]] = {name: [] for name in topology.networks}
        joined: dict[str, list[Hashable]] = {name: [] for name in topology.routers}
        for router in topology.routers.values():
            mine = joined[router.name]
            for foot in router.interfaces:
                is_gateway = topology.gateway_macs.get((foot.network, foot.cidr)) == foot.mac
                feet[foot.network].append((self.routers[router.name], is_gateway))
                mine.append((self.networks[foot.network], is_gateway))
            if router.external_network is not None:
                feet[router.external_network].append((self.routers[router.name], None))
                mine.append((self.networks[router.external_network], None))
            if router.snat_host is not None:
                at_host[router.snat_host].append(("snat", self.routers[router.name]))
                mine.append(("snat", self.hosts[router.snat_host]))
            for other in topology.routed_to.get(router.name, ()):
                mine.append(("to", self.routers[other]))
                joined[other].append(("from", self.routers[router.name]))
        for network in topology.networks.values():
            if network.gateway_host is not None:
                at_host[network.gateway_host].append(("world", self.networks[network.name]))
        self.hosts, self.networks, self.routers = (
            {name: number(before[name], _several(seen)) for name, seen in found.items()}
            for before, found in (
                (self.hosts, at_host),
                (self.networks, {name: in_network[name] + feet[name] for name in in_network}),
                (self.routers, joined),
            )
        )


def _several(keys: Iterable[Hashable]) -> frozenset[tuple[Hashable, int]]:
    """The keys with their number: one, or several."""
    return frozenset((key, min(count, _MANY)) for key, count in Counter(keys).items())
