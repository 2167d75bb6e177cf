"""Makes a namespace from the resources of its host, and from what DHCP gives its NICs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import ip_address

from dvr_ryu.companion.desired.dhcp import client_options
from dvr_ryu.companion.desired.instances import is_served
from dvr_ryu.companion.desired.kernel_made import KERNEL_RULES, with_kernel_made
from dvr_ryu.companion.resources import device
from dvr_ryu.companion.resources.namespace import ROOT
from dvr_ryu.companion.resources.netfilter.chain import Chain
from dvr_ryu.companion.resources.netfilter.hooked_chain import HookedChain
from dvr_ryu.companion.resources.process import Process
from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.companion.resources.routing import address, neighbour, route, rule
from dvr_ryu.companion.resources.routing.tables import LOCAL_TABLE
from dvr_ryu.companion.resources.sysctl import RestoredSysctl, Sysctl
from dvr_ryu.pipeline.run.packet import UDP
from dvr_ryu.topology import model
from dvr_ryu.topology.family import Family
from dvr_ryu.topology.view import HostView
from dvr_ryu.trace.kernel.addresses import BITS, Prefix, ip_number, mac_number, mask
from dvr_ryu.trace.kernel.netfilter import iptables
from dvr_ryu.trace.kernel.setup import leases
from dvr_ryu.trace.kernel.setup.namespace import Address, Device, NetworkNamespace
from dvr_ryu.trace.kernel.setup.routes import LOOPBACK, Route, Rule, Tables, Type, single
from dvr_ryu.trace.kernel.setup.sysctls import Sysctls

UNDERLAY = "underlay"
"""The device of a host's own namespace that leads to the other hosts. The topology does not know
its name, nor its MAC."""
_LOOPBACK_MTU = 65536
_DHCP_PORT = 67
_NO_BROADCAST = 31
"""A subnet with a prefix of so many bits has no broadcast address."""


class Configuration:
    """A namespace in the making."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._devices = {LOOPBACK: Device(LOOPBACK, 0, _LOOPBACK_MTU)}
        self._addresses = [Address(LOOPBACK, ip_number("127.0.0.1"), 8)]
        self._rules = [Rule(priority, table) for priority, table in KERNEL_RULES]
        self._routes = [Route(LOCAL_TABLE, Prefix.of("127.0.0.0/8"), LOOPBACK, type=Type.LOCAL)]
        self._broadcasts: list[Route] = []
        self._neighbours: dict[tuple[str, int], int] = {}
        self._proxies: set[tuple[str, int]] = set()
        self._sysctls: dict[str, str] = {}
        self._chains: dict[tuple[str, str], tuple[iptables.Rule, ...]] = {}
        self._programs: set[tuple[int, int]] | None = set()

    def made(self, inherited: Mapping[str, int]) -> NetworkNamespace:
        """The namespace. `inherited`: see Sysctls. Raises UnknownRule for a rule of iptables that
        cannot be computed.
        """
        rules = [rule for rules in self._chains.values() for rule in rules]
        tracks = any(table == "nat" for table, _ in self._chains)
        return NetworkNamespace(
            self._name,
            self._devices,
            self._addresses,
            Tables(self._rules, [*self._routes, *self._broadcasts]),
            self._neighbours,
            frozenset(self._proxies),
            Sysctls(self._sysctls, inherited),
            self._chains,
            tracks or any("-m conntrack" in rule.text for rule in rules),
            None if self._programs is None else frozenset(self._programs),
        )

    def add_all(self, resources: Iterable[Resource]) -> None:
        """Add what the resources of this namespace make. Others than IPv4's have no part in it."""
        for each in resources:
            if getattr(each, "family", Family.IPV4) is Family.IPV4:
                self._add(each)

    def _add(self, each: Resource) -> None:
        match each:
            case device.Device():
                self._add_device(each)
            case address.Address():
                self._add_address(each)
            case route.Route():
                via = None if each.via is None else ip_number(each.via)
                source = None if each.source is None else ip_number(each.source)
                prefix = Prefix.of(each.destination)
                self._routes.append(Route(each.table, prefix, each.device, via, source))
            case route.KernelRoute():
                type = Type.LOCAL if each.is_local else Type.UNICAST
                prefix, source = Prefix.of(each.destination), ip_number(each.source)
                made = Route(each.table, prefix, each.device, None, source, type=type)
                self._routes.append(made)
            case rule.Rule():
                source_prefix = None if each.source is None else Prefix.of(each.source)
                self._rules.append(Rule(each.priority, each.table, source_prefix, each.iif))
            case neighbour.Neighbour():
                key = (each.device, ip_number(each.ip))
                self._neighbours[key] = mac_number(each.mac)
            case neighbour.ProxyNeighbour():
                self._proxies.add((each.device, ip_number(each.ip)))
            case Sysctl() | RestoredSysctl():
                self._sysctls[each.name] = each.value
            case Chain():
                rules = tuple(map(iptables.parse, each.rules))
                self._chains[each.table, each.name] = rules
            case HookedChain():
                self._chains["filter", each.hook] = (iptables.parse(each.jump),)
                self._chains["filter", each.name] = tuple(map(iptables.parse, each.rules))
            case Process() if each.argv[0] == "dnsmasq" and self._programs is not None:
                self._programs.add((UDP, _DHCP_PORT))

    def _add_device(self, each: device.Device) -> None:
        # Without a MAC of ours it is loopback, or the end of a cable at a bridge.
        if each.mac is not None and each.mtu is not None:
            self._devices[each.name] = Device(each.name, mac_number(each.mac), each.mtu)

    def _add_address(self, each: address.Address) -> None:
        ip, _, length = each.address.partition("/")
        made = Address(each.device, ip_number(ip), int(length))
        self._addresses.append(made)
        ends = set() if each.broadcast is None else {ip_number(each.broadcast)}
        if made.length < _NO_BROADCAST:
            ends.add(made.prefix.network | ~mask(made.length) & mask(BITS))
        for end in sorted(ends):
            broadcast = Route(
                LOCAL_TABLE, single(end), each.device, None, made.ip, type=Type.BROADCAST
            )
            self._broadcasts.append(broadcast)

    # What is in no resource ---------------------------------------------------------------------

    def add_programs(self) -> None:
        """Take programs to listen at every port: an instance's and a host's own are unknown."""
        self._programs = None

    def add_underlay(self, view: HostView) -> None:
        """Add the host's device in the underlay."""
        host, underlay = view.host, view.topology.underlay
        mac = mac_number("02:00:00:00:00:00") | ip_number(host.address)
        self._devices[UNDERLAY] = Device(UNDERLAY, mac, underlay.mtu)
        length = underlay.cidr.prefixlen
        broadcast = str(underlay.cidr.broadcast_address)
        own = [address.Address(ROOT, UNDERLAY, f"{host.address}/{length}", broadcast)]
        if host.management_address is not None:
            own.append(address.Address(ROOT, UNDERLAY, f"{host.management_address}/32", None))
        self.add_all(with_kernel_made(own))

    def add_lease(self, view: HostView, port: model.Port) -> None:
        """Add what DHCP gives a NIC, if it serves the NIC."""
        if not is_served(view, port):
            return
        self.add_all(with_kernel_made([leases.leased_address(view, port)]))
        options, own = client_options(view, port), self._devices[port.card]
        self._devices[port.card] = own._replace(mtu=leases.leased_mtu(options))
        connected = [each.prefix for each in self._addresses if each.device == port.card]
        self._routes += leases.leased_routes(options, port, connected)

    def add_virtual(self, port: model.Port, ip: str) -> None:
        """Add an address of allowed_address_pairs that an instance has announced."""
        macs = [pair.mac for pair in port.address_pairs if ip_address(ip) in pair.cidr]
        mac = mac_number(macs[0]) if macs and macs[0] else None
        own = address.Address(self._name, port.card, f"{ip}/32", None)
        self.add_all(with_kernel_made([own]))
        self._addresses[-1] = self._addresses[-1]._replace(mac=mac)
        if mac is not None:
            nic = self._devices[port.card]
            self._devices[port.card] = nic._replace(virtual_macs=nic.virtual_macs | {mac})
