"""Makes the bare lab of a topology: its hosts, the controller's host, and the underlay.

Each host has its underlay address and a running Open vSwitch without br-int and br-tun, like a host
that an administrator has prepared for the companion. Tests use `bare_lab` for short-lived hosts.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from ipaddress import IPv4Address

from attrs import field, frozen

from dvr_ryu.errors import DvrError
from dvr_ryu.lab.hosts import cabling, openvswitch
from dvr_ryu.lab.hosts.host import MARKER, LabHost
from dvr_ryu.lab.hosts.process import with_variable
from dvr_ryu.topology.controller import Controller
from dvr_ryu.topology.model import Underlay
from dvr_ryu.topology.topology import Topology

CONTROLLER = "controller"
UNDERLAY = "wire"
"""Names of the lab's own hosts: the controller's, and the one that is the underlay itself."""
OPENFLOW_PORT = 6653


@frozen
class Lab:
    """Running lab hosts by name: those of a topology, `controller` and `wire`."""

    hosts: Mapping[str, LabHost] = field(eq=dict)

    def __getitem__(self, name: str) -> LabHost:
        return self.hosts[name]

    @property
    def underlay_host(self) -> LabHost:
        """The host that has nothing but the underlay's bridge."""
        return self.hosts[UNDERLAY]

    @property
    def controller(self) -> LabHost:
        """The host that the controller runs on; it has no Open vSwitch."""
        return self.hosts[CONTROLLER]


def controller_of(topology: Topology) -> Controller:
    """The topology's controller; DvrError if a lab cannot give it a host of its own. If the
    topology names none, the controller gets the last free address of the underlay.
    """
    controller, cidr = topology.controller or _chosen(topology), topology.underlay.cidr
    if IPv4Address(controller.address) not in cidr:
        raise DvrError(
            "a lab runs the controller on a host of its own: give it an address of the underlay"
            f" {cidr} in the topology, for example controller: {_chosen(topology)}, or remove it"
        )
    for host in topology.hosts.values():
        if host.name in (CONTROLLER, UNDERLAY):
            raise DvrError(
                f"a lab has a host {host.name} of its own: rename the topology's host {host.name}"
            )
        if host.address == controller.address:
            raise DvrError(
                "a lab runs the controller on a host of its own: give it an address other than"
                f" {host.name}'s {host.address}"
            )
    return controller


def _chosen(topology: Topology) -> Controller:
    # netaddr takes longer to import than the rest of a command: only this needs it.
    from netaddr import IPAddress, IPNetwork, IPSet

    underlay = IPNetwork(str(topology.underlay.cidr))
    hosts = {host.address for host in topology.hosts.values()}
    taken = IPSet([IPAddress(underlay.first), IPAddress(underlay.last), *hosts])
    if free := list((IPSet(underlay) - taken).iter_ipranges()):
        return Controller(str(IPAddress(free[-1].last)), OPENFLOW_PORT)
    raise DvrError(
        f"the underlay {topology.underlay.cidr} has no free address for the controller of a lab;"
        " write a wider underlay: {cidr: ...}"
    )


def addresses_of(topology: Topology) -> dict[str, str]:
    """The underlay addresses of the lab's hosts, the controller's last; DvrError as above."""
    controller = controller_of(topology)
    hosts = {host.name: host.address for host in topology.hosts.values()}
    return {**hosts, CONTROLLER: controller.address}


def build(topology: Topology, folder: str) -> Lab:
    """Make the bare lab of `topology`; `folder` marks its processes.

    If an error ends this, the hosts that were made stay, and `remove` finds them.
    """
    addresses = addresses_of(topology)
    underlay_host = LabHost.start(UNDERLAY, folder)
    cabling.add_bridge(underlay_host, topology.underlay)
    return Lab(
        {**add(underlay_host, addresses, topology.underlay, folder), UNDERLAY: underlay_host}
    )


def add(
    underlay_host: LabHost, addresses: Mapping[str, str], underlay: Underlay, folder: str
) -> dict[str, LabHost]:
    """Make hosts with these underlay addresses, by name."""
    with ThreadPoolExecutor() as pool:
        started = pool.map(lambda name: LabHost.start(name, folder), addresses)
        hosts = {host.name: host for host in started}
        cabling.plug(underlay_host, {addresses[name]: hosts[name] for name in hosts}, underlay)

        def equip(host: LabHost) -> None:
            address = addresses[host.name]
            if host.name == CONTROLLER:
                cabling.connect(host, address, underlay)
            else:
                openvswitch.start(host)
                openvswitch.connect(host, address, underlay)

        list(pool.map(equip, hosts.values()))
    return hosts


def set_mtu(lab: Lab, addresses: Mapping[str, str], mtu: int) -> None:
    """Give the underlay, and the hosts that have these addresses, by name, another MTU."""
    cabling.widen(lab.underlay_host, addresses.values(), mtu)
    for name in addresses:
        if name == CONTROLLER:
            cabling.set_mtu(lab[name], mtu)
        else:
            openvswitch.set_mtu(lab[name], mtu)


def end(lab: Lab, addresses: Mapping[str, str]) -> None:
    """End the hosts that have these underlay addresses, by name."""
    for name in addresses:
        lab[name].stop()
    cabling.unplug(lab.underlay_host, addresses.values())


def remove(folder: str, among: Collection[str] | None = None) -> list[str]:
    """End every host that any process made for this state folder; return their names.

    With `among`, end only the hosts of these names.
    """
    # Find all before killing one: a process that is ending cannot be recognized, only awaited.
    names = {
        process: name
        for process in with_variable(MARKER, folder)
        for name in (process.command[-1],)
        if among is None or name in among
    }
    for process in names:
        process.kill()
    return sorted(set(names.values()))


@contextmanager
def bare_lab(topology: Topology) -> Iterator[Lab]:
    """A bare lab that lasts as long as the block, beside any other lab."""
    with tempfile.TemporaryDirectory(prefix="dvr_lab") as folder:
        try:
            yield build(topology, folder)
        finally:
            remove(folder)
