"""Makes the lab's underlay: a Linux bridge in a host of its own, and a cable to each host's eth0.

A cable is a veth pair. This file makes links and addresses only in lab namespaces. Both ends of a
cable are made where they stay, so nothing ever appears in the machine's own namespace.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping

from dvr_ryu.errors import HostError
from dvr_ryu.lab.hosts.host import LabHost, environment
from dvr_ryu.topology.model import Underlay

BRIDGE = "wire"
NIC = "eth0"
_CABLE_MAC, BRIDGE_MAC = "02:01", "02:00"
"""The first bytes of the MAC of a cable's end, and of the bridge that may have its address."""


def mac_of(address: str, first: str = _CABLE_MAC) -> str:
    """A locally administered, reproducible MAC: two bytes, then the underlay address."""
    return ":".join([first, *(f"{int(byte):02x}" for byte in address.split("."))])


def port_of(address: str) -> str:
    """The name of the underlay's end of a cable. A host name may be too long for a device."""
    return "port-" + "".join(f"{int(byte):02x}" for byte in address.split("."))


def add_bridge(underlay_host: LabHost, underlay: Underlay) -> None:
    """Make the bridge in `underlay_host`, without cables."""
    _batch(
        underlay_host,
        [
            f"link add {BRIDGE} mtu {underlay.mtu} type bridge mcast_snooping 0",
            f"link set {BRIDGE} up",
        ],
    )


def plug(underlay_host: LabHost, hosts: Mapping[str, LabHost], underlay: Underlay) -> None:
    """Make a cable from the underlay to the eth0 of each host. `hosts` is by underlay address."""
    lines: list[str] = []
    for address, host in hosts.items():
        port = port_of(address)
        lines += [
            f"link add {port} mtu {underlay.mtu} type veth"
            f" peer name {NIC} address {mac_of(address)} mtu {underlay.mtu} netns {host.init.pid}",
            f"link set {port} alias {host.name} master {BRIDGE} up",
        ]
    _batch(underlay_host, lines)


def unplug(underlay_host: LabHost, addresses: Iterable[str]) -> None:
    """Remove the cables of hosts that have ended. The kernel would do that too, but later."""
    _batch(underlay_host, [f"link del {port_of(address)}" for address in addresses], "-force")


def widen(underlay_host: LabHost, addresses: Iterable[str], mtu: int) -> None:
    """Give the bridge, and the underlay's end of each cable, another MTU."""
    devices = [BRIDGE, *map(port_of, addresses)]
    _batch(underlay_host, [f"link set {device} mtu {mtu}" for device in devices])


def set_mtu(host: LabHost, mtu: int) -> None:
    """Give a host's end of its cable another MTU."""
    host.run(["ip", "link", "set", NIC, "mtu", str(mtu)])


def _batch(underlay_host: LabHost, lines: Iterable[str], *options: str) -> None:
    # ip names the peers by the machine's pids, so it may enter only the network namespace.
    result = subprocess.run(
        ["nsenter", f"--target={underlay_host.init.pid}", "--net", "ip", *options, "-batch", "-"],
        input="\n".join(lines),
        env=environment(),
        capture_output=True,
        text=True,
    )
    if result.returncode and not options:
        raise HostError(f"cannot change the cables of the lab: {result.stderr}".rstrip())


def connect(host: LabHost, address: str, underlay: Underlay) -> None:
    """Give `host`, which has a cable, its underlay address."""
    leave_no_checksum(host)
    lines = f"link set {NIC} up\n{address_line(address, underlay, NIC)}"
    host.run(["ip", "-batch", "-"], input=lines)


def address_line(address: str, underlay: Underlay, device: str) -> str:
    """The line for ip(8) that puts the underlay address on `device`."""
    return f"address add {address}/{underlay.cidr.prefixlen} brd + dev {device}\n"


def leave_no_checksum(host: LabHost) -> None:
    """Let the kernel complete checksums before eth0, as a real NIC would.

    A veth leaves them to the receiving kernel, but Open vSwitch on netdev reads packets first.
    """
    host.run(["ethtool", "--offload", NIC, "tx", "off"])
