"""Maps each program that dvr_ryu runs to its Debian package.

``tools/debian-packages`` has a copy of this table, because it runs before Python is installed.
"""

from __future__ import annotations

from collections.abc import Iterable

PACKAGES = {
    "arping": "iputils-arping",
    "busybox": "busybox-static",
    "conntrack": "conntrack",
    "dash": "dash",
    "dnsmasq": "dnsmasq-base",
    "dot": "graphviz",
    "ethtool": "ethtool",
    "flock": "util-linux",
    "ip": "iproute2",
    "ip6tables": "iptables",
    "ip6tables-restore": "iptables",
    "ip6tables-save": "iptables",
    "iptables": "iptables",
    "iptables-restore": "iptables",
    "iptables-save": "iptables",
    "nsenter": "util-linux",
    "openssl": "openssl",
    "ovs-appctl": "openvswitch-switch",
    "ovs-ofctl": "openvswitch-switch",
    "ovs-pki": "openvswitch-common",
    "ovs-vsctl": "openvswitch-switch",
    "ovs-vswitchd": "openvswitch-switch",
    "ping": "iputils-ping",
    "qemu-system-x86_64": "qemu-system-x86",
    "setpriv": "util-linux",
    "sysctl": "procps",
    "tcpdump": "tcpdump",
    "udhcpc": "udhcpc",
    "unshare": "util-linux",
}


def packages_of(programs: Iterable[str]) -> str:
    """The packages of these programs, as arguments for apt."""
    return " ".join(sorted({PACKAGES[program] for program in programs}))
