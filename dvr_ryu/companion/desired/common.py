"""Resources of several concerns: a namespace and its sysctls, a device and its address. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

from dvr_ryu.companion.desired.bridges import integration_port
from dvr_ryu.companion.resources.device import Device, device_key
from dvr_ryu.companion.resources.namespace import ROOT, Namespace
from dvr_ryu.companion.resources.openvswitch.port import port_key
from dvr_ryu.companion.resources.resource import Key, Resource
from dvr_ryu.companion.resources.routing.address import Address
from dvr_ryu.companion.resources.routing.route import Route
from dvr_ryu.companion.resources.routing.tables import MAIN_TABLE
from dvr_ryu.companion.resources.sysctl import Sysctl
from dvr_ryu.companion.resources.veth_pair import VethPair, port_veth
from dvr_ryu.topology import model
from dvr_ryu.topology.family import Family, IpNetwork
from dvr_ryu.topology.view import HostView

ROUTER_SYSCTLS = {
    "net/ipv4/ip_forward": "1",
    "net/ipv4/conf/all/arp_ignore": "1",
    "net/ipv4/conf/all/arp_announce": "2",
    "net/ipv4/conf/all/promote_secondaries": "1",
    # A packet that enters and leaves by the same qr-, towards sg-, takes the best way: the instance
    # needs no redirect.
    "net/ipv4/conf/all/send_redirects": "0",
    # A namespace starts with the host's own values, and a distribution's strict rp_filter breaks
    # asymmetric routing: an answer returns by the router of another host.
    "net/ipv4/conf/all/rp_filter": "0",
}
OWN_TABLE = 17
"""The table for packets that a router's namespace itself sends, if main has no route for them:
its answers, and ICMP errors about packets that it forwards."""
EVERYWHERE = "0.0.0.0/0"
"""The destination of a default route."""
NO_IPV6 = {f"{Family.IPV6.sysctls}/conf/all/disable_ipv6": "1"}
"""All hosts have the same MACs here: IPv6 would consider its link-local address a duplicate."""


def empty_namespace(name: str, sysctls: dict[str, str]) -> Iterator[Resource]:
    """Yield a namespace with its loopback up, and its sysctls."""
    made = Namespace(name)
    yield made
    yield Device(name, "lo", None, None, None, made.key)
    for path, value in sysctls.items():
        yield Sysctl(name, path, value, made.key)


def liberal_conntrack(name: str, after: tuple[Key, ...] = ()) -> Sysctl:
    """Let conntrack accept TCP that it sees in one direction only, as each router of a DVR does.

    The setting exists once the namespace uses conntrack, hence `after`.
    """
    path = "net/netfilter/nf_conntrack_tcp_be_liberal"
    return Sysctl(name, path, "1", ("namespace", name), after)


def device_sysctls(namespace: str, device: str, **values: str) -> Iterator[Sysctl]:
    """Yield settings of one device below net/ipv4/conf."""
    for name, value in values.items():
        path = f"{Family.IPV4.sysctls}/conf/{device}/{name}"
        yield Sysctl(namespace, path, value, device_key(namespace, device))


def plugged(
    view: HostView, port: model.Port | model.RouterInterface, namespace: str, tx_checksum: bool
) -> Iterator[Resource]:
    """Yield a port of br-int, its device in a namespace, and the port's address on it.

    With the kernel's datapath the device is Open vSwitch's own, as Neutron has it. The userspace
    datapath takes no more than 1500 bytes from such a device once it is in a namespace, and does
    not find it there when it starts again. It finds the outer end of a pair of veth devices: so the
    device is the inner end of one.
    """
    mtu = view.topology.underlay.overlay_mtu
    if namespace and not tx_checksum:
        veth = port_veth(namespace, port.device)
        yield veth
        yield from outer_end(view, port, veth, tx_checksum)
        yield integration_port(view, port, namespace, veth.key)
        yield Device(namespace, port.device, port.mac, mtu, tx_checksum, veth.key)
    else:
        yield integration_port(view, port, namespace)
        yield Device(namespace, port.device, port.mac, mtu, tx_checksum, port_key(port.device))
    yield address(view, port, namespace)


def outer_end(
    view: HostView,
    port: model.Port | model.RouterInterface,
    veth: VethPair,
    tx_checksum: bool,
) -> Iterator[Resource]:
    """Yield the end of a pair of veth devices that is a port of br-int."""
    yield from quiet_outer_end(view, port.device, tx_checksum, veth.key)


def quiet_outer_end(
    view: HostView, device: str, tx_checksum: bool | None, container: Key
) -> Iterator[Resource]:
    """Yield a device that is a port of br-int: the end of a pair of veth devices, or a tap.

    The host itself answers nothing there. With the userspace datapath the host's own stack receives
    its packets, too.
    """
    # A slightly oversized packet must reach the router, which answers with the right MTU.
    yield Device(ROOT, device, None, view.topology.underlay.mtu, tx_checksum, container)
    key = device_key(ROOT, device)
    yield Sysctl(ROOT, f"{Family.IPV4.sysctls}/conf/{device}/arp_ignore", "8", key)
    yield Sysctl(ROOT, f"{Family.IPV6.sysctls}/conf/{device}/disable_ipv6", "1", key)


def address(
    view: HostView, port: model.Port | model.RouterInterface, namespace: str, device: str = ""
) -> Address:
    """A port's address with its subnet's broadcast, on the port's device or the named one."""
    subnet = subnet_of(view, port)
    return Address(
        namespace,
        device or port.device,
        f"{port.ip}/{subnet.cidr.prefixlen}",
        str(subnet.cidr.broadcast_address),
    )


def extra_routes(
    view: HostView,
    router: model.Router,
    namespace: str,
    feet: Iterable[model.Port | model.RouterInterface],
) -> Iterator[Route]:
    """Yield a router's inner routes in one of its namespaces, by its ports there in the next hop's
    subnet.
    """
    for foot in feet:
        for route in router.inner_routes:
            if contains(foot, route.nexthop):
                own = address(view, foot, namespace).key
                yield Route(
                    namespace,
                    MAIN_TABLE,
                    prefix(route.destination),
                    route.nexthop,
                    foot.device,
                    (own,),
                )


def outer_routes(
    view: HostView, router: model.Router, namespace: str, table: int, foot: model.Port
) -> Iterator[Route]:
    """Yield a router's routes across its external network, in which a namespace has a port."""
    own = address(view, foot, namespace).key
    for route in router.outer_routes:
        after: tuple[Key, ...] = (own,)
        if not contains(foot, route.nexthop):
            # It is the same network, so the next hop is a neighbour there, too.
            subnets = view.topology.networks[foot.network].subnets
            cidr = next(subnet.cidr for subnet in subnets if contains(subnet, route.nexthop))
            on_link = Route(namespace, table, str(cidr), None, foot.device, after)
            yield on_link
            after = (own, on_link.key)
        destination = prefix(route.destination)
        yield Route(namespace, table, destination, route.nexthop, foot.device, after)


def prefix(destination: IpNetwork) -> str:
    """A prefix as iproute2 prints it."""
    return str(destination) if destination.prefixlen else "default"


def subnet_of(view: HostView, port: model.Port | model.RouterInterface) -> model.Subnet:
    """The subnet that a port's address is in."""
    network = view.topology.networks[port.network]
    return next(subnet for subnet in network.subnets if contains(subnet, port.ip))


def contains(subnet: model.Subnet | model.Port | model.RouterInterface, ip: str) -> bool:
    """Whether an address is in a subnet, or in that of a port's address."""
    cidr = subnet.cidr
    return as_integer(ip) & int(cidr.netmask) == int(cidr.network_address)


@cache
def as_integer(ip: str) -> int:
    """An IPv4 address as a number; Neutron derives rule priorities and tables from it."""
    number = 0
    for byte in ip.split("."):
        number = number << 8 | int(byte)
    return number
