"""Chooses pairs of a sender and a receiver that stand for all pairs that are alike. Pure.

Two pairs are alike if their ends have the same roles and stand in the same relation: on one host or
on two, on one network or on two that the same routers join, with the SNAT host here, there or
elsewhere, and with the same coincidences of VLAN tags. A class of pairs has one representative, and
its key is the same for edits of the topology, as the numbers of `roles` are.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from functools import cached_property
from itertools import chain

from dvr_ryu.prove.attempt import Attempt, Kind
from dvr_ryu.prove.roles import Cell, Numbering, Roles
from dvr_ryu.topology.expectation import OUTSIDE, Service
from dvr_ryu.topology.model import DHCP, FloatingIp
from dvr_ryu.topology.topology import Topology


class Pairs:
    """The classes of pairs of a topology."""

    def __init__(self, topology: Topology, roles: Roles, numbering: Numbering) -> None:
        self._topology = topology
        self._roles = roles
        self._number = numbering.of
        self._cells: dict[str, list[Cell]] = {}
        for cell in roles.shapes:
            self._cells.setdefault(cell.network, []).append(cell)
        self._chosen: dict[int, Attempt] = {}

    def attempts(self) -> list[Attempt]:
        """An attempt for each class, in no order that means anything."""
        for one, other in self._network_pairs():
            self._choose_instances(one, other)
        self._choose_services()
        self._choose_floating()
        return [*self._chosen.values()]

    # Instances ------------------------------------------------------------------------------------

    def _network_pairs(self) -> Iterator[tuple[str, str]]:
        """Pairs of networks that have instances: one for each class."""
        roles, seen = self._roles, set[Hashable]()
        near: dict[str, set[str]] = {}
        for network in self._cells:
            near[network] = {network, *self._near(network)} & self._cells.keys()
        apart: dict[int, str] = {}
        for network in self._cells:
            apart.setdefault(roles.networks[network], network)
        for one in self._cells:
            for other in chain(sorted(near[one]), apart.values(), self._own_addresses(one)):
                key = roles.networks[one], roles.networks[other], self._joint(one, other)
                if key not in seen:
                    seen.add(key)
                    yield one, other

    def _near(self, network: str) -> Iterator[str]:
        """The networks that routers join with a network, by one router or by several."""
        found, following = set[str](), {*self._roles.routers_of[network]}
        while following - found:
            found |= following
            following |= {
                other
                for name in tuple(following)
                for other in self._topology.routed_to.get(name, ())
            }
        for name in found:
            yield from (foot.network for foot in self._topology.routers[name].interfaces)

    def _own_addresses(self, network: str) -> Iterator[str]:
        """Other networks that have the same addresses: those of another tenant."""
        topology = self._topology
        mine = {subnet.cidr for subnet in topology.networks[network].subnets}
        if len(self._by_cidr) < len(topology.networks):
            for cidr in mine:
                yield from (each for each in self._by_cidr[cidr] if each in self._cells)

    @cached_property
    def _by_cidr(self) -> dict[Hashable, list[str]]:
        found: dict[Hashable, list[str]] = {}
        for network in self._topology.networks.values():
            for subnet in network.subnets:
                found.setdefault(subnet.cidr, []).append(network.name)
        return found

    def _joint(self, one: str, other: str) -> Hashable:
        """The relation between two networks."""
        roles, topology = self._roles, self._topology
        mine, theirs = roles.routers_of[one], roles.routers_of[other]
        common = sorted(
            (
                roles.routers[name],
                tuple(
                    (
                        foot.network == one,
                        topology.gateway_macs[foot.network, foot.cidr] == foot.mac,
                    )
                    for foot in topology.routers[name].interfaces
                    if foot.network in (one, other)
                ),
            )
            for name in mine
            if name in theirs
        )
        routed = topology.routed_to
        to = any(name in routed.get(each, ()) for each in mine for name in theirs)
        back = any(name in routed.get(each, ()) for each in theirs for name in mine)
        cidrs = {subnet.cidr for subnet in topology.networks[one].subnets}
        same = any(subnet.cidr in cidrs for subnet in topology.networks[other].subnets)
        return one == other, tuple(common), to, back, same

    def _choose_instances(self, one: str, other: str) -> None:
        """Choose pairs of instances on two networks. Thousands of pairs of cells are compared here,
        by numbers: most are like others.
        """
        joint, seen = self._joint(one, other), set[Hashable]()
        sides = {
            cell.host: self._side(one, other, cell.host)
            for network in (one, other)
            for cell in self._cells[network]
        }
        inside = {cell: self._inside(cell) for name in (one, other) for cell in self._cells[name]}
        for here in self._cells[one]:
            side, mine, its = sides[here.host]
            for there in self._cells[other]:
                far_side, far_mine, far_its = sides[there.host]
                tags = mine == far_mine, its == far_its, mine == far_its, its == far_mine
                relation = here.host == there.host, side, far_side, tags
                key = relation, inside[here], inside[there]
                if key not in seen:
                    seen.add(key)
                    self._choose_in(here, there, (joint, relation))

    def _side(self, one: str, other: str, host: str) -> tuple[int, int | None, int | None]:
        """The part of a host in the relation of two networks, as a number; and their tags there."""
        roles, tags = self._roles, self._topology.local_vlans[host]
        routers = sorted(
            (
                roles.routers[name],
                name in roles.routers_of[one],
                name in roles.routers_of[other],
                self._topology.routers[name].snat_host == host,
                name in roles.routers_at[host],
            )
            for name in {*roles.routers_of[one], *roles.routers_of[other]}
        )
        mine, its = tags.get(one), tags.get(other)
        number = self._number("side", tuple(routers), mine is None, its is None)
        return number, mine, its

    def _inside(self, cell: Cell) -> int:
        """The roles of the instances of a cell, and whether there are several, as a number."""
        roles = self._roles
        return self._number(
            "inside",
            frozenset(
                (roles.of_instance(cell, shape), roles.sizes[cell, shape] > 1)
                for shape in roles.shapes[cell]
            ),
        )

    def _choose_in(self, here: Cell, there: Cell, relation: Hashable) -> None:
        """Choose a pair of each two shapes of two cells."""
        for shape, source in self._roles.shapes[here].items():
            for target_shape, target in self._roles.shapes[there].items():
                if source == target:
                    target = self._second(there, target_shape, target)
                if target:
                    ends = (here, shape, source), (there, target_shape, target)
                    self._choose_pair(*ends, relation)

    def _second(self, cell: Cell, shape: int, first: str) -> str:
        """Another instance of the same shape in a cell; empty if there is none."""
        if self._roles.sizes[cell, shape] < 2:
            return ""
        return next(
            port.name
            for port in self._topology.ports_on[cell.host]
            if port.network == cell.network and port.name != first and port.number == 0
            if port.name in self._topology.instances
            if self._roles.shape_of(port) == shape
        )

    def _choose_pair(
        self,
        here: tuple[Cell, int, str],
        there: tuple[Cell, int, str],
        relation: Hashable,
    ) -> None:
        (cell, shape, source), (target_cell, target_shape, target) = here, there
        roles = self._roles
        ends = roles.of_instance(cell, shape), roles.of_instance(target_cell, target_shape)
        # Across hosts the largest packet that a tunnel takes: where it arrives, a small one does.
        mtu = self._topology.underlay.overlay_mtu if cell.host != target_cell.host else None
        self._choose(ends, relation, source, target, size=mtu)
        port = self._topology.instances[target]
        for at, fixed in enumerate(port.addresses[1:]):
            self._choose(ends, (relation, "address", at), source, fixed.ip)

    # Routers, DHCP servers, the world ---------------------------------------------------------

    def _choose_services(self) -> None:
        """From each kind of instance to its gateways, its router's other addresses, its network's
        DHCP server and the world.
        """
        topology, roles = self._topology, self._roles
        dhcp = {port.network: port for port in topology.service_ports if port.owner == DHCP}
        worlds = [each for each in topology.networks.values() if each.outside_ip]
        seen = set[Hashable]()
        for cell, shapes in roles.shapes.items():
            for shape, source in shapes.items():
                ends = roles.of_instance(cell, shape), 0
                for name in roles.routers_of[cell.network]:
                    at = topology.routers[name].snat_host == cell.host
                    if (key := (ends, cell.network, name, at)) not in seen:
                        seen.add(key)
                        self._choose_router(ends, cell, name, source)
                if cell.network in dhcp:
                    server = dhcp[cell.network]
                    relation: Hashable = "dhcp", server.host == cell.host, server.distributed
                    self._choose(ends, relation, source, server.ip)
                    if roles.is_served(topology.instances[source]):
                        more = (relation, "lease")
                        self._choose(ends, more, source, cell.network, kind=Kind.DHCP)
                for world in worlds:
                    at = world.gateway_host == cell.host
                    between = tuple(
                        (roles.routers[name], topology.routers[name].external_network == world.name,
                         topology.routers[name].snat_host == cell.host)
                        for name in roles.routers_of[cell.network]
                    )  # fmt: skip
                    relation = "world", roles.networks[world.name], at, between
                    self._choose(ends, relation, source, str(world.outside_ip))

    def _choose_router(self, ends: tuple[int, int], cell: Cell, name: str, source: str) -> None:
        roles, router = self._roles, self._topology.routers[name]
        for foot in router.interfaces:
            own = foot.network == cell.network
            relation: Hashable = "router", roles.routers[name], roles.networks[foot.network], own
            self._choose(ends, relation, source, foot.ip)
            if own:
                self._choose(ends, (relation, "arp"), source, foot.ip, kind=Kind.ARP)
        if router.gateway_port is not None:
            relation = "gateway port", roles.routers[name], router.snat_host == cell.host
            self._choose(ends, relation, source, router.gateway_port.ip)

    # Floating addresses ---------------------------------------------------------------------------

    def _choose_floating(self) -> None:
        topology, roles = self._topology, self._roles
        representatives: dict[Hashable, FloatingIp] = {}
        for each in topology.floating_ips.values():
            representatives.setdefault(self._floating_key(each), each)
        for key, each in representatives.items():
            for service in (None, *self._services(each)):
                world = topology.networks[each.network]
                if world.outside_ip:
                    relation: Hashable = "from outside", key, str(service)
                    self._choose((0, 0), relation, OUTSIDE, each.ip, service=service)
            self._choose_ways_to(each, key)
        for router in topology.routers.values():
            if router.gateway_port is not None:
                world = topology.networks[router.gateway_port.network]
                if world.outside_ip:
                    at = router.snat_host == world.gateway_host
                    relation = "from outside", roles.routers[router.name], at
                    self._choose((0, 0), relation, OUTSIDE, router.gateway_port.ip)

    def _choose_ways_to(self, floating: FloatingIp, key: Hashable) -> None:
        """From each kind of instance to a floating address."""
        roles, topology = self._roles, self._topology
        owner = topology.instances.get(floating.instance or "")
        for network, cells in self._cells.items():
            if not any(
                topology.routers[name].external_network for name in roles.routers_of[network]
            ):
                continue
            for cell in cells:
                relation = (
                    "floating",
                    key,
                    floating.router in roles.routers_of[network],
                    owner and (owner.host == cell.host, owner.network == network),
                    tuple(topology.routers[name].external_network == floating.network
                          for name in roles.routers_of[network]),
                    floating.router
                    and topology.routers[floating.router].snat_host == cell.host,
                )  # fmt: skip
                for shape, source in roles.shapes[cell].items():
                    if source != floating.instance:
                        ends = roles.of_instance(cell, shape), 0
                        for service in (None, *self._services(floating)):
                            more = (relation, str(service))
                            self._choose(ends, more, source, floating.ip, service=service)

    def _floating_key(self, floating: FloatingIp) -> Hashable:
        roles, topology = self._roles, self._topology
        names = [floating.instance, *(each.instance for each in floating.forwardings)]
        cards = [topology.instances[name] for name in names if name is not None]
        return (
            roles.networks[floating.network],
            floating.router and roles.routers[floating.router],
            floating.central,
            floating.rule_priority is not None and bool(floating.instance),
            tuple((each.protocol, each.external_ports.count > 1) for each in floating.forwardings),
            tuple(
                roles.of_instance(Cell(card.network, card.host), roles.shape_of(card))
                for card in cards
            ),
            tuple(card.may_have(floating.fixed_ip or card.ip) for card in cards),
        )

    def _services(self, floating: FloatingIp) -> Iterator[Service]:
        for each in floating.forwardings:
            yield Service(each.protocol, each.external_ports.last)

    def _choose(
        self,
        ends: tuple[int, int],
        relation: Hashable,
        source: str,
        target: str,
        *,
        service: Service | None = None,
        kind: Kind = Kind.PACKET,
        size: int | None = None,
    ) -> None:
        key = self._number("pair", ends, relation)
        if key not in self._chosen:
            self._chosen[key] = Attempt(key, source, target, service, kind, size)
