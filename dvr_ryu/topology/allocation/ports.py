"""List every port that a declaration names or implies, with its host and its pins. Pure.

Instances' ports are named; DHCP, SNAT and gateway ports follow from networks, routers and floating
addresses. If the file names no host, rendezvous hashing chooses one. This module chooses no number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network

from attrs import frozen

from dvr_ryu.topology import model
from dvr_ryu.topology.allocation.slots import preferred
from dvr_ryu.topology.spec.declaration import (
    AddressPairSpec,
    InstanceSpec,
    InterfaceSpec,
    NetworkSpec,
    PortSpec,
    RouterSpec,
    TopologySpec,
)
from dvr_ryu.topology.spec.yaml_nodes import Path


@frozen
class WantedPort:
    """A port before its numbers: the file pins them at `path`, and they depend on `key`.

    The key holds names only, so that a port keeps its numbers when it is moved or a list is
    reordered. `host` is None for a router's interface, which is everywhere, and for a port that is
    nowhere yet: a DHCP port without instances, an agent gateway without floating addresses, SNAT
    without a host for it.
    """

    path: Path
    key: str
    owner: str
    name: str
    network: str
    host: str | None
    pins: PortSpec
    subnet: IPv4Network | None = None
    """The subnet of its address, if the file names one."""
    number: int = 0
    """Its number among its instance's network cards."""
    address_pairs: Sequence[AddressPairSpec] = ()
    dhcp_options: Mapping[str, object] = {}
    distributed: bool = False
    """Whether each of its hosts has its own copy of the port."""
    further_hosts: tuple[str, ...] = ()
    """The other hosts of a distributed port."""
    guest: str = model.NAMESPACE
    roams: bool = False
    """Whether others may plug it in on any host: `host` is then the one that its name chooses."""

    @property
    def hosts(self) -> tuple[str, ...]:
        """Its hosts."""
        return (self.host, *self.further_hosts) if self.host else ()

    @property
    def pinned_ips(self) -> list[IPv4Address]:
        """The addresses that the file names."""
        return [ip for _, ip in self.pins.pinned_ips]

    def __str__(self) -> str:
        return _CALLED[self.owner].format(port=self)


_CALLED = {
    model.COMPUTE: "instance '{port.name}'",
    model.DHCP: "the DHCP port of '{port.network}'",
    model.ROUTER_INTERFACE: "the port of '{port.name}' on '{port.network}'",
    model.ROUTER_SNAT: "the SNAT port of '{port.name}' on '{port.network}'",
    model.ROUTER_GATEWAY: "the gateway port of '{port.name}'",
    model.AGENT_GATEWAY: "an agent gateway of '{port.network}'",
    model.EXTERNAL_GATEWAY: "the gateway of '{port.network}'",
}


def wanted_ports(spec: TopologySpec) -> list[WantedPort]:
    """All ports, with hosts as far as the declaration allows; it need not have been checked."""
    return [
        *_instances(spec),
        *_dhcp_ports(spec),
        *_router_ports(spec),
        *_agent_gateways(spec),
        *_external_gateways(spec),
    ]


def _instances(spec: TopologySpec) -> Iterator[WantedPort]:
    for name, instance in spec.instances.items():
        earlier: list[str] = []
        for number, (path, card) in enumerate(instance.cards):
            yield WantedPort(
                ("instances", name, *path),
                card_key(name, number, card.network, earlier.count(card.network)),
                model.COMPUTE,
                name,
                card.network,
                instance.host or preferred(f"instances/{name}/host", spec.hosts),
                card,
                number=number,
                address_pairs=card.allowed_address_pairs,
                dhcp_options=card.dhcp_options,
                guest=instance.guest_kind,
                roams=instance.roams,
            )
            earlier.append(card.network)


def hosts_of(instance: InstanceSpec, spec: TopologySpec) -> Collection[str]:
    """The hosts that must be ready for an instance: its own, or all, if it roams."""
    return spec.hosts.keys() if instance.roams else (instance.host,)


def card_key(instance: str, number: int, network: str, earlier: int) -> str:
    """The key of a card's numbers: of the first the instance, of others the network, too.

    `earlier` counts its cards before this one that are on the same network.
    """
    own = f"instances/{instance}"
    if number == 0:
        return own
    return f"{own}/ports/{network}/{earlier}" if earlier else f"{own}/ports/{network}"


def _dhcp_ports(spec: TopologySpec) -> Iterator[WantedPort]:
    populated: dict[str, set[str]] = defaultdict(set)
    for instance in spec.instances.values():
        for _, card in instance.cards:
            populated[card.network].update(hosts_of(instance, spec))
    for name, network in spec.networks.items():
        if network.dhcp_subnets:
            hosts = _dhcp_hosts(name, network, populated[name])
            yield WantedPort(
                ("networks", name, "dhcp_port"),
                f"networks/{name}/dhcp_port",
                model.DHCP,
                name,
                name,
                hosts[0] if hosts else None,
                network.dhcp_port,
                distributed=network.dhcp_distributed,
                further_hosts=tuple(hosts[1:]),
            )


def _dhcp_hosts(name: str, network: NetworkSpec, populated: set[str]) -> list[str]:
    """One of those that have instances on the network; if it is distributed, all of them, and those
    that have a range to lease.
    """
    if network.dhcp_distributed:
        ranges = [each for subnet in network.dhcp_subnets for each in subnet.dhcp_ranges]
        return sorted(populated | {each.host for each in ranges if each.host})
    if network.dhcp_host:
        return [network.dhcp_host]
    return [preferred(f"networks/{name}/dhcp_port", populated)] if populated else []


def _router_ports(spec: TopologySpec) -> Iterator[WantedPort]:
    snat_hosts = [name for name, host in spec.hosts.items() if host.snat]
    for name, router in spec.routers.items():
        path, key = ("routers", name), f"routers/{name}"
        snat_host = _snat_host(key, router, snat_hosts)
        for index, each in enumerate(router.interfaces):
            its_path, its_key = (*path, "interfaces", index), interface_key(name, each)
            yield WantedPort(
                its_path,
                its_key,
                model.ROUTER_INTERFACE,
                name,
                each.network,
                None,
                each,
                each.subnet,
            )
            if router.external_network:
                yield WantedPort(
                    (*its_path, "snat_port"),
                    f"{its_key}/snat_port",
                    model.ROUTER_SNAT,
                    name,
                    each.network,
                    snat_host,
                    each.snat_port,
                    each.subnet,
                )
        if router.external_network:
            yield WantedPort(
                (*path, "gateway_port"),
                f"{key}/gateway_port",
                model.ROUTER_GATEWAY,
                name,
                router.external_network,
                snat_host,
                router.gateway_port,
            )


def interface_key(router: str, interface: InterfaceSpec) -> str:
    """The key of the numbers of a router's port: its network, and its subnet if that is named."""
    key = f"routers/{router}/interfaces/{interface.network}"
    return key if interface.subnet is None else f"{key}/{interface.subnet}"


def _snat_host(key: str, router: RouterSpec, snat_hosts: list[str]) -> str | None:
    if router.snat_host:
        return router.snat_host
    return preferred(f"{key}/snat_host", snat_hosts) if snat_hosts else None


def _agent_gateways(spec: TopologySpec) -> Iterator[WantedPort]:
    """One for each external network and host whose instances have distributed addresses of it."""
    used: dict[str, set[str]] = defaultdict(set)
    for floating in spec.floating_ips.values():
        network = spec.network_of(floating)
        instance = spec.instances.get(floating.instance or "")
        if network and instance and floating.distributed:
            used[network].update(hosts_of(instance, spec))
    for name, network_spec in spec.networks.items():
        pinned = network_spec.agent_gateways
        for host in sorted({*pinned, *used[name]}):
            yield WantedPort(
                ("networks", name, "agent_gateways", host),
                f"networks/{name}/agent_gateways/{host}",
                model.AGENT_GATEWAY,
                name,
                name,
                host if host in used[name] else None,
                pinned.get(host, PortSpec()),
            )


def _external_gateways(spec: TopologySpec) -> Iterator[WantedPort]:
    """The gateway_ip of each subnet, on the gateway_host of an external network that names one."""
    for name, network in spec.networks.items():
        if network.gateway_host and network.external:
            for index, subnet in enumerate(network.subnets):
                yield WantedPort(
                    ("networks", name, "subnets", index, "gateway_ip"),
                    f"networks/{name}/gateways/{subnet.cidr}",
                    model.EXTERNAL_GATEWAY,
                    name,
                    name,
                    network.gateway_host,
                    PortSpec(ip=subnet.gateway),
                )
