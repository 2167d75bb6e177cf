"""Instances: a namespace with a network card each, wired to br-int. Pure.

Where the network has DHCP, a client runs in the namespace as in any guest; else the address is set.
"""

from __future__ import annotations

from collections.abc import Iterator

from dvr_ryu.companion.facts.bridges import integration_port
from dvr_ryu.companion.facts.common import address, namespace, subnet_of
from dvr_ryu.companion.facts.kinds import (
    MAIN_TABLE,
    ROOT,
    Device,
    Fact,
    Process,
    Route,
    Sysctl,
    device_key,
    instance_wire,
    pid_file,
)
from dvr_ryu.topology import model
from dvr_ryu.topology.view import HostView

DHCP_SCRIPT = "udhcpc.script"
"""Stands in a client's words for the script that the package ships; the edge knows where it is."""


def facts(view: HostView, tx_checksum: bool) -> Iterator[Fact]:
    """Yield the instances of this host."""
    served = {port.network for port in view.topology.service_ports if port.owner == model.DHCP}
    for port in view.local_ports_of(model.COMPUTE):
        yield from _instance(view, port, tx_checksum)
        if port.network in served and subnet_of(view, port).dhcp:
            yield _dhcp_client(port)
        else:
            yield from _static_address(view, port)


def _instance(view: HostView, port: model.Port, tx_checksum: bool) -> Iterator[Fact]:
    place = model.instance_namespace(port.name)
    wire = instance_wire(place, port.device)
    mtu = view.topology.underlay.overlay_mtu
    yield from namespace(place, {})
    yield wire
    yield Device(place, wire.device, port.mac, mtu, tx_checksum, wire.key)
    yield Device(ROOT, port.device, None, mtu, tx_checksum, wire.key)
    yield from _silent(port.device)
    yield integration_port(view, port, place, type="")


def _silent(tap: str) -> Iterator[Fact]:
    """The host itself has nothing to say on an instance's wire, whatever the instance asks it.

    With the userspace datapath the host's own stack hears, too, what an instance sends.
    """
    outer_end = device_key(ROOT, tap)
    yield Sysctl(ROOT, f"net/ipv4/conf/{tap}/arp_ignore", "8", outer_end)
    yield Sysctl(ROOT, f"net/ipv6/conf/{tap}/disable_ipv6", "1", outer_end)


def _dhcp_client(port: model.Port) -> Process:
    """The guest's DHCP client, which asks for the address that it should get.

    When an edit changes the address, these words change, and the client is started anew, as an
    instance would be.
    """
    place = model.instance_namespace(port.name)
    name = f"udhcpc-{port.name}"
    # Who starts it writes its pid file. Were it the same as its own, which it empties before it
    # writes it, and removes when it ends, a client that runs might be taken for one that does not.
    argv = (
        "udhcpc", "-f", "-R", "-t", "0", "-T", "1", "-i", "eth0", "-r", port.ip,
        "-x", f"hostname:{port.name}", "-s", DHCP_SCRIPT, "-p", f"{pid_file(name)}.own",
    )  # fmt: skip
    return Process(name, place, argv, device_key(place, "eth0"))


def _static_address(view: HostView, port: model.Port) -> Iterator[Fact]:
    place = model.instance_namespace(port.name)
    own = address(view, port, place, "eth0")
    yield own
    gateway = subnet_of(view, port).gateway_ip
    yield Route(place, MAIN_TABLE, "default", gateway, "eth0", after=(own.key,))
