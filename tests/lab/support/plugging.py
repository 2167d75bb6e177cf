"""Plugs guests into lab hosts by hand, as others would; for tests."""

from __future__ import annotations

from dvr_ryu.lab.hosts.host import LabHost
from dvr_ryu.topology.model import Port
from tests.lab.support.companions import pings, run


def make_guest(host: LabHost, port: Port, device: str, mac: str = "") -> str:
    """Make a namespace with a NIC whose other end is `device`; return the namespace's name. Without
    IPv6 it sends nothing by itself.
    """
    name = f"guest-{device}"
    for command in (
        f"ip netns add {name}",
        f"ip netns exec {name} sysctl -qw net.ipv6.conf.all.disable_ipv6=1",
        f"ip netns exec {name} sysctl -qw net.ipv6.conf.default.disable_ipv6=1",
        f"ip link add {device} type veth peer name eth0 netns {name}",
        f"ip -n {name} link set eth0 address {mac or port.mac} up",
        f"ip netns exec {name} ethtool -K eth0 tx off",
        f"ip link set {device} up",
    ):
        run(host, command)
    return name


def plug(host: LabHost, port: Port, device: str, *settings: str) -> None:
    """Plug a device in, as the interface of a port."""
    ids = f"external_ids:iface-id={port.id} {' '.join(settings)}"
    run(host, f"ovs-vsctl add-port br-int {device} -- set Interface {device} {ids}")


def unplug(host: LabHost, device: str) -> None:
    """Take a device out of br-int."""
    run(host, f"ovs-vsctl --if-exists del-port br-int {device}")


def remove_guest(host: LabHost, device: str) -> None:
    """Unplug and end a guest."""
    unplug(host, device)
    run(host, f"ip netns del guest-{device}")


def has_lease(host: LabHost, port: Port, device: str) -> bool:
    """Whether DHCP gives a guest its address, its MTU and its way out; it keeps them."""
    command = f"udhcpc -f -n -q -t 2 -T 1 -i eth0 -O mtu -s {_lease_taker(host)}"
    host.run(command.split(), namespace=f"guest-{device}", check=False)
    shown = run(host, "ip -4 addr show dev eth0", f"guest-{device}")
    return f" {port.ip}/{port.prefixlen} " in shown


_TAKE = """\
#!/bin/sh
[ "$1" = bound ] || exit 0
ip link set "$interface" mtu "$mtu"
ip addr replace "$ip/$mask" dev "$interface"
ip route replace default via "${router%% *}"
"""


def _lease_taker(host: LabHost) -> str:
    script = host.path("/run/take.script")
    if not script.exists():
        script.write_text(_TAKE)
        script.chmod(0o755)
    return "/run/take.script"


def reaches(host: LabHost, device: str, address: str) -> bool:
    """Whether an address answers a guest."""
    return pings(host, f"guest-{device}", address, "-W1")
