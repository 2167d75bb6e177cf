"""All that a package, or what it ran, may leave on a machine: files, users, units, devices, rules.

A snapshot has a line for each. The folder /run/netns is no trace: `ip netns` leaves it, too.
"""

from __future__ import annotations

from tests.machines.machine import Machine

SNAPSHOT = r"""
find / -xdev -regextype egrep \
    -regex '/(proc|sys|dev|tmp|root|run|var/(log|cache|tmp|lib/(apt|dpkg|libuuid)))' -prune \
    -o -not -path '/var/lib/systemd/*' -print
find /run -regextype egrep -regex '/run/(systemd|udev|log|user|credentials|netns)' -prune -o -print
find /var/lib/systemd/deb-systemd-helper-* 2>/dev/null
getent passwd; getent group
systemctl list-unit-files --no-legend --plain
systemctl list-units --all --no-legend --plain 'dvr*' | grep -v ' not-found '
ip -br link | sed 's/ .*//'
ip netns
ip rule
ip route show table all | grep -v ^multicast
ip neigh show proxy
sysctl -a 2>/dev/null | grep -E 'forward|rp_filter|proxy_arp|arp_(announce|notify|ignore)|nonlocal'
nft list ruleset
ovs-vsctl --columns=name list bridge; ovs-vsctl list ssl; ovs-vsctl list manager
ps -e -o args | grep -E '^[^ ]*(dnsmasq|udhcpc|ryu|dvr)' || true
"""


def snapshot(machine: Machine) -> set[str]:
    """The lines about a machine."""
    return set(machine.run(SNAPSHOT).stdout.splitlines())


def listeners(machine: Machine) -> set[str]:
    """The addresses at which something on the machine listens."""
    lines = machine.run("ss -Hlntup | awk '{print $1, $5, $7}' | sed 's/,pid=.*//'").stdout
    return set(lines.splitlines())
