"""Makes the picture of hosts: bridges and their ports, namespaces and their devices, cables. Pure.

All of it follows from the resources that each host should have. A host that is not shown in full
is one closed box.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from dvr_ryu.companion.resources.openvswitch.datapath import SYSTEM
from dvr_ryu.graph.host import Host
from dvr_ryu.graph.picture import (
    Box,
    Cable,
    CableKind,
    Kind,
    NetworkKey,
    Picture,
    element_id,
)
from dvr_ryu.topology import model
from dvr_ryu.topology.topology import Topology
from dvr_ryu.topology.view import HostView

UNDERLAY = element_id(Kind.UNDERLAY)
OUTSIDE = element_id(Kind.OUTSIDE)


def hosts_picture(
    topology: Topology, shown: Collection[str] | None = None, datapath_type: str = SYSTEM.type
) -> Picture:
    """The picture of a topology. `shown` are the hosts that are drawn in full, all if it is None.

    `datapath_type` decides how devices are plugged: "system", or "netdev" for Open vSwitch's
    userspace datapath.
    """
    names = [name for name in topology.hosts if shown is None or name in shown]
    hosts = [Host(HostView(topology.as_namespaces, name), datapath_type) for name in names]
    groups = tuple(host.group() for host in hosts)
    closed = [host for host in topology.hosts.values() if host.name not in names]
    boxes = [*map(_closed, closed), _underlay(topology)]
    gateways = [port for port in topology.ports if port.owner == model.EXTERNAL_GATEWAY]
    if gateways:
        boxes.append(_outside(topology, gateways))
    cables = [
        *(cable for host in hosts for cable in host.cables()),
        *_to_underlay(hosts, closed),
        *_to_outside(hosts, closed, gateways),
    ]
    title = f"The host {names[0]}" if len(names) == 1 else f"{len(names)} hosts"
    networks = {network for host in hosts for network in host.view.local_vlans}
    return Picture(title, groups, tuple(boxes), tuple(cables), tuple(_key(topology, networks)))


def _closed(host: model.Host) -> Box:
    title = f"The host {host.name}, {host.address}"
    return Box(element_id(Kind.HOST, host.name), Kind.HOST, host.name, host.address, title)


def _underlay(topology: Topology) -> Box:
    underlay = topology.underlay
    title = f"The network between the hosts: {underlay.cidr}, MTU {underlay.mtu}"
    lines = (str(underlay.cidr), f"MTU {underlay.mtu}", f"{underlay.tunnel_type} tunnels")
    return Box(UNDERLAY, Kind.UNDERLAY, "underlay", "", title, lines=lines)


def _outside(topology: Topology, gateways: Iterable[model.Port]) -> Box:
    lines = tuple(f"beyond {each.network}: {each.ip}" for each in gateways)
    title = "The world beyond the gateways of external networks\n" + "\n".join(
        f"{each.network}: {each.ip}, on {each.host}" for each in gateways
    )
    return Box(OUTSIDE, Kind.OUTSIDE, "outside", "", title, lines=lines)


def _to_underlay(hosts: Iterable[Host], closed: Iterable[model.Host]) -> Iterator[Cable]:
    for host in hosts:
        title = f"{host.name}, {host.view.host.address}, on the underlay"
        yield Cable(CableKind.UNDERLAY, host.underlay, UNDERLAY, title)
    for each in closed:
        title = f"{each.name}, {each.address}, on the underlay"
        yield Cable(CableKind.UNDERLAY, element_id(Kind.HOST, each.name), UNDERLAY, title)


def _to_outside(
    hosts: Iterable[Host], closed: Iterable[model.Host], gateways: Iterable[model.Port]
) -> Iterator[Cable]:
    shown = {host.name: host for host in hosts}
    behind: dict[str, str] = {}
    for port in gateways:
        title = f"{port.host} routes from {port.device}, {port.ip}, by its own tables"
        if port.host in shown:
            start = shown[port.host].gateway(port)
            yield Cable(CableKind.ROUTED, start, OUTSIDE, title, port.network)
        else:
            behind.setdefault(port.host, title)
    for name, title in behind.items():
        yield Cable(CableKind.ROUTED, element_id(Kind.HOST, name), OUTSIDE, title)


def _key(topology: Topology, networks: Collection[str]) -> Iterator[NetworkKey]:
    for number, network in enumerate(topology.networks.values()):
        if network.name in networks:
            subnets = ", ".join(str(subnet.cidr) for subnet in network.subnets)
            yield NetworkKey(network.name, f"{subnets}, VNI {network.vni}", number)
