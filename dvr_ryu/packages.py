"""Which Debian package has a program that we run, and no more.

``tools/debian-packages`` has the same table for itself: it runs before there is a Python to ask.
"""

from __future__ import annotations

from collections.abc import Iterable

PACKAGES = {
    "arping": "iputils-arping",
    "conntrack": "conntrack",
    "dnsmasq": "dnsmasq-base",
    "ethtool": "ethtool",
    "ip": "iproute2",
    "iptables": "iptables",
    "iptables-restore": "iptables",
    "iptables-save": "iptables",
    "nsenter": "util-linux",
    "openssl": "openssl",
    "ovs-ofctl": "openvswitch-switch",
    "ovs-pki": "openvswitch-common",
    "ovs-vsctl": "openvswitch-switch",
    "ovs-vswitchd": "openvswitch-switch",
    "ping": "iputils-ping",
    "setpriv": "util-linux",
    "sysctl": "procps",
    "tcpdump": "tcpdump",
    "udhcpc": "udhcpc",
    "unshare": "util-linux",
}


def packages_of(programs: Iterable[str]) -> str:
    """The packages that have these programs, for apt."""
    return " ".join(sorted({PACKAGES[program] for program in programs}))
