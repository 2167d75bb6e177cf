"""The lab's underlay: one Linux bridge in a namespace of its own, and a cable to each host's eth0.

Only links and addresses of lab namespaces are made here. The machine's own namespace is never used,
not even for a moment: both ends of a cable are born where they stay.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping

from dvr_ryu.errors import HostError
from dvr_ryu.lab.host import LabHost, environment
from dvr_ryu.topology.model import Underlay

BRIDGE = "wire"
NIC = "eth0"
_CABLE_MAC, BRIDGE_MAC = "02:01", "02:00"
"""First bytes of the MAC of a cable, and of the bridge that may carry the address in its stead."""


def mac_of(address: str, first: str = _CABLE_MAC) -> str:
    """A locally administered MAC, the same every time: two bytes, then the underlay address."""
    return ":".join([first, *(f"{int(byte):02x}" for byte in address.split("."))])


def lay_wire(wire: LabHost, hosts: Mapping[str, LabHost], underlay: Underlay) -> None:
    """Make the bridge in `wire`, and each host's eth0 on it. `hosts` are by underlay address."""
    lines = [f"link add {BRIDGE} mtu {underlay.mtu} type bridge mcast_snooping 0"]
    for number, (address, host) in enumerate(hosts.items(), start=1):
        # Host names may be longer than the 15 characters that a device's name can have.
        port = f"port{number}"
        lines += [
            f"link add {port} mtu {underlay.mtu} type veth"
            f" peer name {NIC} address {mac_of(address)} mtu {underlay.mtu} netns {host.init.pid}",
            f"link set {port} alias {host.name} master {BRIDGE} up",
        ]
    lines += [f"link set {BRIDGE} up"]
    # The peers are named by the machine's pids: of the wire only its network is entered.
    done = subprocess.run(
        ["nsenter", f"--target={wire.init.pid}", "--net", "ip", "-batch", "-"],
        input="\n".join(lines),
        env=environment(),
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise HostError(f"cannot lay the lab's wire: {done.stderr}".rstrip())


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
