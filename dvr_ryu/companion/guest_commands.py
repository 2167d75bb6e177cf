"""The values of an instance's port, and the commands by which others plug in a guest for it. Pure.

The commands are for root on the instance's host. They name the port by its id, so the companion and
the controller know it, whatever its device is called.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from xml.etree import ElementTree as Xml

from attrs import field, frozen

from dvr_ryu.companion.resources.virtual_machine import NO_OFFLOADS, QEMU
from dvr_ryu.topology import model
from dvr_ryu.topology.bridges import Plug, bridge_of
from dvr_ryu.topology.topology import Topology
from dvr_ryu.topology.wording import suggestion

_OFF = dict.fromkeys(("csum", "tso4", "tso6", "ecn", "ufo"), "off")
"""What libvirt lets the guest and the host leave to each other's card; the host leaves gso, too."""


class UnknownPort(LookupError):
    """No instance's port has that name; the text says which have."""


@frozen
class GuestPort:
    """A port of an instance with what a guest behind it needs."""

    port: model.Port
    mtu: int
    gateway: str | None
    """The way out of the first address's subnet, if it has one."""
    tags: Mapping[str, int] = field(eq=dict)
    """Host → the VLAN tag that the port's network has there; the companion sets it."""
    offloads: bool = True
    """Whether the datapath takes packets whose checksums and segments a card would make: Open
    vSwitch's userspace datapath does not."""

    @property
    def host(self) -> str | None:
        """The host on which it is; None if it is where others plug it in."""
        return None if self.port.roams else self.port.host

    @property
    def addresses(self) -> list[str]:
        """Its addresses, each with the length of its subnet's prefix."""
        return [f"{each.ip}/{each.cidr.prefixlen}" for each in self.port.addresses]

    @property
    def namespace(self) -> str:
        """The namespace that stands for the instance in a lab."""
        return model.instance_namespace(self.port.name)

    # What plugs a guest in ------------------------------------------------------------------------

    def libvirt(self) -> str:
        """The `<interface>` of a domain of libvirt."""
        port = self.port
        interface = Xml.Element("interface", type="bridge")
        Xml.SubElement(interface, "mac", address=port.mac)
        Xml.SubElement(interface, "source", bridge=bridge_of(Plug.DEVICES))
        virtual = Xml.SubElement(interface, "virtualport", type="openvswitch")
        Xml.SubElement(virtual, "parameters", interfaceid=port.id)
        Xml.SubElement(interface, "target", dev=port.device)
        Xml.SubElement(interface, "model", type="virtio")
        if not self.offloads:
            driver = Xml.SubElement(interface, "driver")
            Xml.SubElement(driver, "host", {**_OFF, "gso": "off"})
            Xml.SubElement(driver, "guest", _OFF)
        Xml.SubElement(interface, "mtu", size=str(self.mtu))
        Xml.indent(interface)
        return Xml.tostring(interface, encoding="unicode")

    def plugs_in(self) -> str:
        """The command that plugs the tap device in, whatever is behind it."""
        tap, port = self.port.device, self.port
        ids = f"external_ids:iface-id={port.id} external_ids:attached-mac='\"{port.mac}\"'"
        bridge = bridge_of(Plug.DEVICES)
        return f"ovs-vsctl --may-exist add-port {bridge} {tap} -- set Interface {tap} {ids}"

    def qemu(self) -> Iterator[str]:
        """The commands for a virtual machine of qemu; the last one is qemu's, to be completed."""
        tap, offloads = self.port.device, "" if self.offloads else NO_OFFLOADS
        yield f"ip tuntap add {tap} mode tap"
        yield f"ip link set {tap} mtu {self.mtu} up"
        yield self.plugs_in()
        yield (
            f"{QEMU} -netdev tap,id={tap},ifname={tap},script=no,downscript=no "
            f"-device virtio-net-pci,netdev={tap},mac={self.port.mac},host_mtu={self.mtu}{offloads}"
        )

    def ip_netns(self) -> Iterator[str]:
        """The commands for a network namespace; the last one asks DHCP, or sets the address."""
        tap, card, space, port = self.port.device, self.port.card, self.namespace, self.port
        yield f"ip netns add {space}"
        yield f"ip link add {tap} type veth peer name {card} netns {space}"
        yield f"ip -n {space} link set {card} address {port.mac} mtu {self.mtu} up"
        yield f"ip link set {tap} up"
        if not self.offloads:
            yield f"ip netns exec {space} ethtool -K {card} tx off"
        yield self.plugs_in()
        yield f"ip -n {space} address add {port.ip}/{port.prefixlen} dev {card}"
        if self.gateway and port.number == 0:
            yield f"ip -n {space} route add default via {self.gateway}"

    def podman(self) -> Iterator[str]:
        """The command for a container, which takes the namespace of `ip_netns`; to be completed."""
        yield f"podman run --network ns:/run/netns/{self.namespace}"


def guest_port(topology: Topology, name: str, offloads: bool) -> GuestPort:
    """The port of an instance, or of one of its NICs, as NAME:eth1. Raises UnknownPort."""
    cards = {f"{card.name}:{card.card}": card for card in topology.cards}
    cards |= topology.instances
    if name not in cards:
        raise UnknownPort(f"no instance '{name}'; {suggestion(name, [*topology.instances])}")
    port = cards[name]
    subnet = topology.networks[port.network].subnet_of(port.ip)
    tags = {
        host: vlans[port.network]
        for host, vlans in topology.local_vlans.items()
        if port.network in vlans
    }
    gateway = subnet.gateway_ip if subnet else None
    return GuestPort(port, topology.underlay.overlay_mtu, gateway, tags, offloads)


def text(guest: GuestPort) -> Iterator[str]:
    """The port's values and commands as lines for people."""
    port = guest.port
    yield f"{port.name}'s {port.card} on {guest.host or 'any host'}, in {port.network}"
    values = {
        "id": port.id,
        "MAC": port.mac,
        "tap": port.device,
        "addresses": ", ".join(guest.addresses),
        "gateway": guest.gateway or "none",
        "MTU": str(guest.mtu),
        "OpenFlow port": str(port.ofport),
        "VLAN tag": ", ".join(f"{tag} on {host}" for host, tag in guest.tags.items()),
    }
    for name, value in values.items():
        yield f"  {name:<14}{value}"
    if port.guest != model.PLUGGED:
        yield f"\nThe companion on {port.host} plugs it in; with plugged: true, others do."
        return
    yield "\n# libvirt, in the domain's <devices>"
    yield guest.libvirt()
    for what, commands in _commands(guest).items():
        yield f"\n# {what}"
        yield from commands


def _commands(guest: GuestPort) -> dict[str, list[str]]:
    return {
        "qemu": [*guest.qemu()],
        "ip netns": [*guest.ip_netns()],
        "podman, in that namespace": [*guest.podman()],
    }
