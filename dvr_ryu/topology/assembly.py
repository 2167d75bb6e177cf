"""Make the model of a declaration, its ports and its numbers. Pure.

The only decision here is the router of a floating address, if several are possible.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv4Network

from attrs import evolve

from dvr_ryu.topology import model
from dvr_ryu.topology.allocation.addresses import further_key
from dvr_ryu.topology.allocation.floating_bindings import Binding, Bindings, Spot, bindings
from dvr_ryu.topology.allocation.numbers import Numbers
from dvr_ryu.topology.allocation.ports import WantedPort, interface_key
from dvr_ryu.topology.controller import Controller
from dvr_ryu.topology.expectation import Expectation
from dvr_ryu.topology.spec.declaration import ForwardingSpec, InterfaceSpec, TopologySpec
from dvr_ryu.topology.spec.dhcp_options import number_of, value_of
from dvr_ryu.topology.topology import Topology


def assemble(spec: TopologySpec, ports: list[WantedPort], numbers: Numbers) -> Topology:
    """The topology that a checked declaration and its numbers make."""
    return _Assembly(spec, ports, numbers).topology()


def controller_of(spec: TopologySpec) -> Controller | None:
    """The controller that the file names, if it does."""
    if spec.controller is None:
        return None
    protocol, address, port = spec.controller.split(":")
    return Controller(address, int(port), tls=protocol == "ssl")


def _dhcp_options(options: Mapping[str, object]) -> model.DhcpOptions:
    numbers = {number_of(name): value for name, value in options.items()}
    return tuple((number, value_of(number, value)) for number, value in sorted(numbers.items()))


class _Assembly:
    """The parts of one model."""

    def __init__(self, spec: TopologySpec, ports: list[WantedPort], numbers: Numbers) -> None:
        self._spec = spec
        self._numbers = numbers
        self._bindings = Bindings(spec)
        self._ports = {port.key: self._port(port) for port in ports if port.host}
        self._copies = [
            evolve(self._ports[port.key], host=host)
            for port in ports
            for host in port.further_hosts
        ]
        self._routers = {name: self._router(name) for name in spec.routers}

    def topology(self) -> Topology:
        spec = self._spec
        instances = {name: self._ports[f"instances/{name}"] for name in spec.instances}
        service_ports = sorted(
            (*self._copies, *(p for p in self._ports.values() if p.owner != model.COMPUTE)),
            key=lambda port: (port.owner, port.network, port.name, port.host, port.ip),
        )
        return Topology(
            controller=controller_of(spec),
            underlay=model.Underlay(
                spec.underlay_cidr, spec.underlay.mtu, spec.underlay.tunnel_type
            ),
            hosts={name: self._host(name) for name in spec.hosts},
            networks={name: self._network(name) for name in spec.networks},
            routers=self._routers,
            instances=instances,
            floating_ips={str(ip): self._floating_ip(ip) for ip in spec.floating_ips},
            service_ports=tuple(service_ports),
            local_vlans=self._numbers.local_vlans,
            more_cards=tuple(self._more_cards()),
            expected=tuple(
                Expectation(
                    source=each.from_,
                    target=each.to,
                    service=each.port,
                    reach=each.reach,
                    seen_as=str(each.seen_as) if each.seen_as else None,
                )
                for each in spec.expect
            ),
        )

    def _more_cards(self) -> list[model.Port]:
        cards = [port for port in self._ports.values() if port.owner == model.COMPUTE]
        return sorted(
            (port for port in cards if port.number), key=lambda port: (port.name, port.number)
        )

    def _host(self, name: str) -> model.Host:
        spec = self._spec.hosts[name]
        return model.Host(
            name=name,
            address=str(spec.address),
            dvr_mac=self._numbers.dvr_macs[name],
            snat=spec.snat,
            tunnel_ports=self._numbers.tunnel_ports[name],
            datapath_ids=spec.datapath_ids,
            management_address=str(other) if (other := spec.management_address) else None,
        )

    def _network(self, name: str) -> model.Network:
        spec = self._spec.networks[name]
        return model.Network(
            name=name,
            id=self._numbers.ids[f"networks/{name}"],
            vni=self._numbers.vnis[name],
            external=spec.external,
            subnets=tuple(
                model.Subnet(
                    cidr=subnet.cidr,
                    gateway_ip=str(subnet.gateway) if subnet.gateway else None,
                    dhcp=spec.has_dhcp(subnet),
                    dns=tuple(str(server) for server in subnet.dns),
                    host_routes=tuple(
                        model.HostRoute(str(each.destination), str(each.nexthop))
                        for each in subnet.host_routes
                    ),
                    dhcp_options=_dhcp_options(subnet.dhcp_options),
                    dhcp_ranges=tuple(
                        model.DhcpRange(str(each.start), str(each.end), each.host)
                        for each in sorted(subnet.dhcp_ranges, key=lambda each: each.start)
                    ),
                )
                for subnet in sorted(spec.subnets, key=lambda each: each.cidr)
            ),
            gateway_host=spec.gateway_host,
            underlay_access=spec.underlay_access,
        )

    def _port(self, port: WantedPort) -> model.Port:
        assert port.host is not None
        ips = [self._numbers.ips[port.key], *port.pinned_ips[1:], *self._further_ips(port)]
        # With the port's own MAC, a pair means the same as without one.
        own = self._numbers.macs[port.key]
        return model.Port(
            name=port.name,
            id=self._numbers.ids[port.key],
            owner=port.owner,
            host=port.host,
            network=port.network,
            mac=own,
            addresses=tuple(model.FixedIp(str(ip), self._cidr(port.network, ip)) for ip in ips),
            ofport=self._numbers.ofports[port.key],
            number=port.number,
            address_pairs=tuple(
                model.AddressPair(each.ip, None if each.mac == own else each.mac)
                for each in sorted(port.address_pairs, key=lambda each: (each.ip, each.mac or ""))
            ),
            dhcp_options=_dhcp_options(port.dhcp_options),
            distributed=port.distributed,
            guest=port.guest,
            roams=port.roams,
        )

    def _further_ips(self, port: WantedPort) -> Iterator[IPv4Address]:
        served = self._spec.networks[port.network].subnets if port.owner == model.DHCP else []
        for cidr in sorted(each.cidr for each in served):
            if (key := further_key(port, cidr)) in self._numbers.ips:
                yield self._numbers.ips[key]

    def _cidr(self, network: str, ip: IPv4Address) -> IPv4Network:
        subnet = self._spec.networks[network].subnet_of(ip)
        assert subnet is not None
        return subnet.cidr

    def _router(self, name: str) -> model.Router:
        spec, key = self._spec.routers[name], f"routers/{name}"
        interfaces = [self._interface(name, each) for each in spec.interfaces]
        gateway_port = self._ports.get(f"{key}/gateway_port")
        return model.Router(
            name=name,
            id=self._numbers.ids[key],
            interfaces=tuple(sorted(interfaces, key=lambda each: (each.network, each.cidr))),
            external_network=spec.external_network,
            snat_host=gateway_port.host if gateway_port else None,
            gateway_port=gateway_port,
            fip_link=self._fip_link(name),
            routes=tuple(
                model.ExtraRoute(
                    each.destination,
                    str(each.nexthop),
                    outer=not any(each.nexthop in foot.cidr for foot in interfaces),
                )
                for each in sorted(spec.routes, key=lambda each: each.destination)
            ),
        )

    def _interface(self, router: str, spec: InterfaceSpec) -> model.RouterInterface:
        key, network = interface_key(router, spec), spec.network
        ip = self._numbers.ips[key]
        return model.RouterInterface(
            router=router,
            id=self._numbers.ids[key],
            network=network,
            mac=self._numbers.macs[key],
            ip=str(ip),
            cidr=self._cidr(network, ip),
            ofport=self._numbers.ofports[key],
            snat_port=self._ports.get(f"{key}/snat_port"),
        )

    def _fip_link(self, router: str) -> model.FipLink:
        rfp_ip = self._numbers.link_pairs[router]
        return model.FipLink(
            rfp_ip=str(rfp_ip),
            fpr_ip=str(rfp_ip + 1),
            rfp_mac=self._numbers.macs[f"routers/{router}/rfp"],
            fpr_mac=self._numbers.macs[f"routers/{router}/fpr"],
        )

    def _floating_ip(self, ip: IPv4Address) -> model.FloatingIp:
        spec = self._spec.floating_ips[ip]
        network = self._spec.network_of(spec)
        assert network is not None
        return model.FloatingIp(
            ip=str(ip),
            network=network,
            router=self._router_of(bindings(spec), network),
            instance=spec.instance,
            fixed_ip=str(self._spot(spec).ip) if spec.instance else None,
            central=spec.central or bool(spec.port_forwardings),
            forwardings=tuple(
                self._forwarding(each)
                for each in sorted(
                    spec.port_forwardings,
                    key=lambda each: (each.protocol, each.external_port.first),
                )
            ),
            rule_priority=self._numbers.rule_priorities[ip],
        )

    def _forwarding(self, spec: ForwardingSpec) -> model.PortForwarding:
        return model.PortForwarding(
            protocol=spec.protocol,
            external_ports=spec.external_port,
            instance=spec.instance,
            fixed_ip=str(self._spot(spec).ip),
            internal_ports=spec.internal_ports,
        )

    def _spot(self, binding: Binding) -> Spot:
        """The spot to which a binding leads, with the chosen address if the file names none."""
        named = self._bindings.spot(binding)
        assert named is not None
        return named if named.ip else Spot(named.network, self._first_ip(binding.instance))

    def _first_ip(self, instance: str | None) -> IPv4Address:
        return IPv4Address(self._ports[f"instances/{instance}"].ip)

    def _router_of(self, leading: list[Binding], network: str) -> str | None:
        """The router on the way to all spots: of several, the one that is the gateway of most."""
        if not leading:
            return None
        spots = [self._spot(each) for each in leading]

        def fit(name: str) -> tuple[int, int, str]:
            feet = self._routers[name].interfaces
            joined = [(at, foot) for at in spots for foot in feet if _on(foot, at)]
            return -len(joined), -sum(foot.ip == self._gateway(at) for at, foot in joined), name

        # Where the file names no address, it may have been chosen from a subnet that they lack.
        named = [each for each in map(self._bindings.spot, leading) if each is not None]
        return min(self._bindings.routers_to(network, named), key=fit)

    def _gateway(self, spot: Spot) -> str:
        assert spot.ip is not None
        subnet = self._spec.networks[spot.network].subnet_of(spot.ip)
        return str(subnet.gateway) if subnet else ""


def _on(foot: model.RouterInterface, spot: Spot) -> bool:
    return foot.network == spot.network and spot.ip in foot.cidr
