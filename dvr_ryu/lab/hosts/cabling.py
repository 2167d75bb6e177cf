"""The lab's underlay: one Linux bridge in a namespace of its own, and a cable to each host's eth0.

Only links and addresses of lab namespaces are made here. The machine's own namespace is never used,
not even for a moment: both ends of a cable are born where they stay.
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
"""First bytes of the MAC of a cable, and of the bridge that may carry the address in its stead."""


def mac_of(address: str, first: str = _CABLE_MAC) -> str:
    """A locally administered MAC, the same every time: two bytes, then the underlay address."""
    return ":".join([first, *(f"{int(byte):02x}" for byte in address.split("."))])


def port_of(address: str) -> str:
    """The wire's end of the cable to a host: host names may be longer than a device's can be."""
    return "port-" + "".join(f"{int(byte):02x}" for byte in address.split("."))


def add_bridge(underlay_host: LabHost, underlay: Underlay) -> None:
    """Make the bridge in `underlay_host`; nothing is plugged into it yet."""
    _batch(
        underlay_host,
        [
            f"link add {BRIDGE} mtu {underlay.mtu} type bridge mcast_snooping 0",
            f"link set {BRIDGE} up",
        ],
    )


def plug(underlay_host: LabHost, hosts: Mapping[str, LabHost], underlay: Underlay) -> None:
    """Make the eth0 of hosts, which are by underlay address, and plug them into the wire."""
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
    """Remove the cables of hosts that have ended: the kernel does so too, but in its own time."""
    _batch(underlay_host, [f"link del {port_of(address)}" for address in addresses], "-force")


def _batch(underlay_host: LabHost, lines: Iterable[str], *options: str) -> None:
    # The peers are named by the machine's pids: of the wire only its network is entered.
    result = subprocess.run(
        ["nsenter", f"--target={underlay_host.init.pid}", "--net", "ip", *options, "-batch", "-"],
        input="\n".join(lines),
        env=environment(),
        capture_output=True,
        text=True,
    )
    if result.returncode and not options:
        raise HostError(f"cannot change the lab's wire: {result.stderr}".rstrip())


def connect(host: LabHost, address: str, underlay: Underlay) -> None:
    """Give `host`, whose NIC is on the wire, its underlay address."""
    leave_no_checksum(host)
    lines = f"link set {NIC} up\n{address_line(address, underlay, NIC)}"
    host.run(["ip", "-batch", "-"], input=lines)


def address_line(address: str, underlay: Underlay, device: str) -> str:
    """The line for ip(8) that puts the underlay address on `device`."""
    return f"address add {address}/{underlay.cidr.prefixlen} brd + dev {device}\n"


def leave_no_checksum(host: LabHost) -> None:
    """Complete checksums before eth0, as a real card would.

    A veth leaves them to the receiving kernel, but Open vSwitch on netdev takes packets first.
    """
    host.run(["ethtool", "--offload", NIC, "tx", "off"])
