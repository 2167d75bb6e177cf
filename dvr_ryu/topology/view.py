"""Derive the view of one host from a topology: all that concerns the host, as rows and values.

It is a pure function of the model. The pipeline fills its flows from the relations; the companion
derives its resources from the ports, routers and floating addresses. This module knows no flow and
no state of a Linux device.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from dvr_ryu.topology import model
from dvr_ryu.topology.bridges import BRIDGES, Plug, patch_ports
from dvr_ryu.topology.presence import routers_on
from dvr_ryu.topology.relations import (
    AwaitedPort,
    DhcpServer,
    Gateway,
    LocalGateway,
    LocalNetwork,
    MovingMac,
    OwnPort,
    RemotePort,
    RoutedNetwork,
    RoutedPort,
    SharingPort,
    ThisHost,
    Tunnel,
    VirtualIp,
    VirtualMac,
    VirtualPort,
)
from dvr_ryu.topology.topology import Topology


class HostView:
    """The part of a topology that one host sees. Each attribute is computed at its first use, and
    cached if it is short.
    """

    def __init__(self, topology: Topology, host: str) -> None:
        """Raise KeyError for a host that the topology does not have."""
        self.topology = topology
        self.host = topology.hosts[host]
        self.local_vlans: Mapping[str, int] = topology.local_vlans[host]

    # Objects on this host -------------------------------------------------------------------------

    @property
    def all_ports(self) -> tuple[model.Port, ...]:
        """Every port of every host."""
        return self.topology.ports

    @property
    def local_ports(self) -> tuple[model.Port, ...]:
        """The ports on this host."""
        return self.topology.ports_on[self.host.name]

    def local_ports_of(self, owner: str) -> tuple[model.Port, ...]:
        """The ports on this host with one owner, such as model.COMPUTE."""
        return tuple(port for port in self.local_ports if port.owner == owner)

    @cached_property
    def local_routers(self) -> tuple[model.Router, ...]:
        """The routers that route on this host."""
        topology = self.topology
        ports = (*self.local_ports, *topology.roaming)
        return tuple(routers_on(ports, topology.routers, topology.routed_to))

    @cached_property
    def snat_routers(self) -> tuple[model.Router, ...]:
        """The routers whose SNAT happens on this host."""
        return tuple(
            router
            for router in self.topology.routers.values()
            if router.snat_host == self.host.name
        )

    @cached_property
    def floating_ips(self) -> tuple[model.FloatingIp, ...]:
        """The distributed floating addresses of instances on this host."""
        return tuple(
            each for router in self.local_routers for each in self.distributed_through(router)
        )

    def distributed_through(self, router: model.Router) -> list[model.FloatingIp]:
        """Those of `floating_ips` that lead through a router."""
        instances = self.topology.instances
        return [
            each
            for each in self.topology.floating_behind[router.name]
            if each.instance is not None
            and not each.central
            and instances[each.instance].host == self.host.name
        ]

    def central_through(self, router: model.Router) -> list[model.FloatingIp]:
        """A router's central floating addresses of instances that may send from this host."""
        instances = self.topology.instances
        virtual = {ip for _, ip in self.topology.virtual_ips}
        return [
            each
            for each in self.topology.floating_behind[router.name]
            if each.instance is not None
            and each.central
            and (instances[each.instance].host == self.host.name or each.fixed_ip in virtual)
        ]

    # Relations, over which flows/ repeats its blocks ----------------------------------------------

    @cached_property
    def this_host(self) -> ThisHost:
        """The only row of `host`."""
        return ThisHost(self.host.name, self.host.address, self.host.dvr_mac)

    @cached_property
    def tunnel(self) -> tuple[Tunnel, ...]:
        """The rows of `each tunnel`."""
        devices = self.topology.tunnel_devices
        return tuple(
            Tunnel(peer.name, peer.address, peer.dvr_mac, devices[peer.name])
            for peer in self.topology.hosts.values()
            if peer.name != self.host.name
        )

    @cached_property
    def network(self) -> tuple[LocalNetwork, ...]:
        """The rows of `each network`."""
        return tuple(
            LocalNetwork(name, vlan, self.topology.networks[name].vni, self._flood_ports[name])
            for name, vlan in self.local_vlans.items()
        )

    @cached_property
    def _flood_ports(self) -> Mapping[str, tuple[str, ...]]:
        """Network → the tunnels to the other hosts that have it."""
        here, devices = self.host.name, self.topology.tunnel_devices
        hosts = self.topology.hosts_with
        return {
            network: tuple(devices[host] for host in hosts[network] if host != here)
            for network in self.local_vlans
        }

    @cached_property
    def gateway(self) -> tuple[Gateway, ...]:
        """The rows of `each gateway`."""
        return tuple(
            Gateway(
                router.name,
                each.network,
                self.local_vlans[each.network],
                each.mac,
                each.ip,
                self.topology.networks[each.network].vni,
                self._flood_ports[each.network],
            )
            for router in self.topology.routers.values()
            for each in router.interfaces
            if each.network in self.local_vlans
        )

    @cached_property
    def local_gateway(self) -> tuple[LocalGateway, ...]:
        """The rows of `each local_gateway`."""
        return tuple(
            LocalGateway(
                router.name,
                each.network,
                self.local_vlans[each.network],
                each.mac,
                each.ip,
                each.device,
            )
            for router in self.local_routers
            for each in router.interfaces
        )

    @cached_property
    def routed_network(self) -> tuple[RoutedNetwork, ...]:
        """The rows of `each routed_network`."""
        known = set(self.topology.gateway_macs.values())
        joined: dict[str, list[LocalGateway]] = {}
        for row in sorted(self.local_gateway, key=lambda row: (row.mac not in known, row.router)):
            joined.setdefault(row.network, []).append(row)
        return tuple(
            RoutedNetwork(
                name, rows[0].vlan, tuple(row.port for row in rows), rows[0].port, rows[0].mac
            )
            for name, rows in joined.items()
        )

    @cached_property
    def dhcp_server(self) -> tuple[DhcpServer, ...]:
        """The rows of `each dhcp_server`."""
        return tuple(
            DhcpServer(port.network, self.local_vlans[port.network], port.mac, fixed.ip)
            for port in self.local_ports_of(model.DHCP)
            if port.distributed
            for fixed in port.addresses
        )

    @property
    def remote_port(self) -> Iterator[RemotePort]:
        """The rows of `each remote_port`."""
        return self.remote_ports(self.all_ports)

    def remote_ports(self, ports: Iterable[model.Port]) -> Iterator[RemotePort]:
        """The rows of `each remote_port` that come of these ports."""
        here, vlans, networks = self.host.name, self.local_vlans, self.topology.networks
        vnis = {network: networks[network].vni for network in vlans}
        tunnels = self.topology.tunnel_devices
        # There are more of these rows than of all others, and this makes them in half the time.
        new = tuple.__new__
        return (
            new(
                RemotePort,
                (
                    port.name, network, vlans[network], vnis[network], port.mac, fixed.ip, host,
                    tunnels[host],
                ),
            )
            for port in ports
            if (host := port.host) != here and (network := port.network) in vlans
            if not port.distributed
            for fixed in port.addresses
        )  # fmt: skip

    @property
    def own_port(self) -> Iterator[OwnPort]:
        """The rows of `each own_port`."""
        return self.own_ports(self.local_ports)

    def own_ports(self, ports: Iterable[model.Port]) -> Iterator[OwnPort]:
        """The rows of `each own_port` that come of these ports."""
        here, vlans = self.host.name, self.local_vlans
        return (
            OwnPort(port.name, port.network, vlans[port.network], port.mac, port.device)
            for port in ports
            if port.host == here
        )

    @property
    def awaited_port(self) -> Iterator[AwaitedPort]:
        """The rows of `each awaited_port`."""
        return self.awaited_ports(self.topology.roaming)

    def awaited_ports(self, ports: Iterable[model.Port]) -> Iterator[AwaitedPort]:
        """The rows of `each awaited_port` that come of these ports."""
        return (
            AwaitedPort(port.name, port.network, port.mac, port.host, port.device)
            for port in ports
            if port.roams and port.host != self.host.name
        )

    @property
    def routed_port(self) -> Iterator[RoutedPort]:
        """The rows of `each routed_port`."""
        return self.routed_ports(self.local_ports)

    def routed_ports(self, ports: Iterable[model.Port]) -> Iterator[RoutedPort]:
        """The rows of `each routed_port` that come of these ports."""
        here, vlans, gateway_macs = self.host.name, self.local_vlans, self.topology.gateway_macs
        for port in ports:
            if port.host == here:
                network = port.network
                shared = self._shared(port) if port.address_pairs else ()
                for fixed in (*port.addresses, *shared):
                    gateway = gateway_macs.get((network, fixed.cidr))
                    if gateway is not None:
                        vlan, ip = vlans[network], fixed.ip
                        yield RoutedPort(
                            port.name, network, vlan, port.mac, ip, port.device, gateway
                        )
                        break

    def _shared(self, port: model.Port) -> Iterator[model.FixedIp]:
        """The addresses that a port may use besides its own, in each subnet that a router joins."""
        for pair in port.address_pairs:
            for network, cidr in self.topology.gateway_macs:
                if network == port.network and cidr.overlaps(pair.cidr):
                    yield model.FixedIp(str(pair.cidr.network_address), cidr)

    @cached_property
    def virtual_ip(self) -> tuple[VirtualIp, ...]:
        """The rows of `each virtual_ip`."""
        vlans = self.local_vlans
        return tuple(
            VirtualIp(network, vlans[network], ip)
            for network, ip in sorted(self.topology.virtual_ips)
            if network in vlans
        )

    @cached_property
    def sharing_port(self) -> tuple[SharingPort, ...]:
        """The rows of `each sharing_port`."""
        moving: dict[str, list[str]] = {}
        for network, ip in sorted(self.topology.virtual_ips):
            moving.setdefault(network, []).append(ip)
        return tuple(
            SharingPort(port.name, port.network, ip, port.device)
            for port in self.local_ports
            for ip in moving.get(port.network, ())
            if port.may_have(ip)
        )

    @cached_property
    def virtual_mac(self) -> tuple[VirtualMac, ...]:
        """The rows of `each virtual_mac`. Each row has the gateway of the users; of several, the
        first.
        """
        devices = {port.device: port for port in self.local_ports if port.address_pairs}
        routed = {row.port: row for row in self.routed_ports(devices.values())}
        users: dict[tuple[str, str], list[str]] = {}
        for device in sorted(routed):
            port = devices[device]
            for mac in port.virtual_macs:
                users.setdefault((port.network, mac), []).append(device)
        return tuple(
            VirtualMac(
                network, self.local_vlans[network], mac, tuple(using), routed[using[0]].gateway_mac
            )
            for (network, mac), using in users.items()
        )

    @cached_property
    def virtual_port(self) -> tuple[VirtualPort, ...]:
        """The rows of `each virtual_port`."""
        vlans = self.local_vlans
        return tuple(
            VirtualPort(port.network, vlans[port.network], mac, port.device)
            for port in self.local_ports
            for mac in sorted(port.virtual_macs)
        )

    @cached_property
    def moving_mac(self) -> tuple[MovingMac, ...]:
        """The rows of `each moving_mac`."""
        vlans = self.local_vlans
        return tuple(
            MovingMac(network, vlans[network], mac)
            for network, mac in sorted(self.topology.virtual_macs)
            if network in vlans
        )

    # Port numbers ---------------------------------------------------------------------------------

    def planned_ofports(self, bridge: str) -> dict[str, int]:
        """Port name → the OpenFlow port number that the companion asks for on `bridge`."""
        ofports = {here.name: here.ofport for here, _ in patch_ports(bridge)}
        plugs = BRIDGES[bridge].plugs
        if Plug.TUNNELS in plugs:
            devices = self.topology.tunnel_devices
            ofports |= {devices[name]: number for name, number in self.host.tunnel_ports.items()}
        if Plug.DEVICES in plugs:
            for router in self.local_routers:
                ofports |= {each.device: each.ofport for each in router.interfaces}
            ofports |= {port.device: port.ofport for port in self.local_ports}
        return ofports
