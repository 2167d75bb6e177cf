"""Choose an address for every port that pins none: from its subnet, by its name's hash. Pure.

Of several subnets a port takes the lowest that may hold it and has room. The order in the file does
not matter. A router's port takes the subnet's gateway_ip, unless another router's port has it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network

from dvr_ryu.topology import model
from dvr_ryu.topology.allocation.ports import WantedPort
from dvr_ryu.topology.allocation.slots import Exhausted, Slots
from dvr_ryu.topology.spec.declaration import NetworkSpec, SubnetSpec, TopologySpec
from dvr_ryu.topology.spec.yaml_nodes import Path

Shortages = list[tuple[Path, str]]


def choose_addresses(
    spec: TopologySpec, ports: list[WantedPort], shortages: Shortages
) -> dict[str, IPv4Address]:
    """WantedPort.key, or `further_key` → address, of every port that has a host; a shortage is
    added to `shortages`.
    """
    by_network: dict[str, list[WantedPort]] = defaultdict(list)
    # Instances come last: one more of them takes no address from a service of the network.
    for port in sorted(ports, key=lambda each: (each.owner == model.COMPUTE, each.key)):
        by_network[port.network].append(port)
    others: dict[str | None, list[IPv4Address]] = defaultdict(list)
    for ip, each in spec.floating_ips.items():
        others[spec.network_of(each)].append(ip)
    for router in spec.routers.values():
        others[router.external_network] += [route.nexthop for route in router.routes]
    chosen: dict[str, IPv4Address] = {}
    for name, network in spec.networks.items():
        plan = _AddressPlan(network, by_network[name], others[name])
        chosen |= plan.ips
        if plan.unallocated:
            first = f"{plan.unallocated[0]} gets none"
            message = f"'{name}' has too few addresses: {first}; add a subnet or widen one"
            shortages.append((("networks", name, "subnets"), message))
    return chosen


class _AddressPlan:
    """The addresses of one network: `ips` by WantedPort.key, and the ports that found no room."""

    def __init__(
        self, network: NetworkSpec, ports: list[WantedPort], others: list[IPv4Address]
    ) -> None:
        """`others` are the addresses of objects that are not ports."""
        self.ips = {port.key: port.pinned_ips[0] for port in ports if port.pinned_ips}
        self.unallocated: list[WantedPort] = []
        self._network = network
        self._subnets = sorted(network.subnets, key=lambda each: each.cidr)
        pinned = (ip for port in ports for ip in port.pinned_ips)
        taken = {int(ip) for ip in (*pinned, *others)}
        pairs = (each.ip for port in ports for each in port.address_pairs)
        taken |= {int(each[0]) for each in pairs if each.prefixlen == 32}
        taken |= {int(subnet.gateway) for subnet in self._subnets if subnet.gateway}
        self._slots = {subnet.cidr: _slots(subnet, taken) for subnet in self._subnets}
        self._allocate(ports)

    def _allocate(self, ports: list[WantedPort]) -> None:
        interfaces = [port for port in ports if port.owner == model.ROUTER_INTERFACE]
        gateways = set(self.ips.values())
        for port in interfaces:
            gateway = next((each.gateway for each in self._subnets_for(port)), None)
            if port.key not in self.ips and gateway and gateway not in gateways:
                self.ips[port.key] = gateway
                gateways.add(gateway)
        others = [port for port in ports if port.host]
        for port in (*interfaces, *others):
            if port.key not in self.ips:
                self._take(port, port.key, self._subnets_for(port))
            if port.owner == model.DHCP:
                self._take_in_each(port)

    def _take(self, port: WantedPort, key: str, subnets: Iterable[SubnetSpec]) -> None:
        for subnet in subnets:
            try:
                self.ips[key] = IPv4Address(self._slots[subnet.cidr].take(key))
                return
            except Exhausted:
                continue
        self.unallocated.append(port)

    def _take_in_each(self, port: WantedPort) -> None:
        """A DHCP server has an address in every subnet that it serves."""
        for subnet in self._subnets_for(port):
            having = [*port.pinned_ips, self.ips[port.key]] if port.key in self.ips else []
            if having and not any(ip in subnet.cidr for ip in having):
                self._take(port, further_key(port, subnet.cidr), [subnet])

    def _subnets_for(self, port: WantedPort) -> Iterator[SubnetSpec]:
        """The subnets that may hold the port: for DHCP those served, for SNAT its interface's."""
        for subnet in self._subnets:
            if port.owner == model.DHCP and not self._network.has_dhcp(subnet):
                continue
            if port.subnet is not None and port.subnet != subnet.cidr:
                continue
            if port.owner == model.ROUTER_SNAT:
                interface = self.ips.get(port.key.removesuffix("/snat_port"))
                if interface not in subnet.cidr:
                    continue
            yield subnet


def further_key(port: WantedPort, cidr: IPv4Network) -> str:
    """The key of a port's address in a further subnet."""
    return f"{port.key}/{cidr}"


def _slots(subnet: SubnetSpec, taken: set[int]) -> Slots:
    """The subnet's addresses for ports: all but the network's own, the broadcast address and the
    ranges that DHCP may lease.
    """
    first, last = int(subnet.cidr.network_address), int(subnet.cidr.broadcast_address)
    leased = [range(int(each.start), int(each.end) + 1) for each in subnet.dhcp_ranges]
    return Slots(range(first + 1, last), taken, leased)
