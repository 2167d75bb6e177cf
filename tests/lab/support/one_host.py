"""The topology of a companion on one lab host, and everything that it may leave there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dvr_ryu.lab.hosts.host import LabHost
from tests.lab.support.companions import Companion, run

TOPOLOGY = """\
controller: tcp:10.0.0.9:6653
underlay: {cidr: 10.0.0.0/24}
hosts:
  h1: {address: 10.0.0.1, snat: true}
  h2: {address: 10.0.0.2}
networks:
  n:
    vni: 5
    subnets: [{cidr: 10.1.0.0/24, gateway_ip: 10.1.0.1, dns: [192.0.2.53]}]
    dhcp_host: h1
  m: {vni: 6, subnets: [{cidr: 10.2.0.0/24, gateway_ip: 10.2.0.1, dhcp: false}]}
  x: {vni: 7, external: true, subnets: [{cidr: 2.2.2.0/24, dhcp: false}], gateway_host: h1}
routers:
  r: {interfaces: [{network: n}, {network: m}], external_network: x, gateway_port: {ip: 2.2.2.20}}
instances:
  a: {host: h1, network: n, ip: 10.1.0.11}
  b: {host: h1, network: n, ip: 10.1.0.12}
  c: {host: h1, network: n, ip: 10.1.0.13}
  d: {host: h1, network: m, ip: 10.2.0.14}
floating_ips:
  2.2.2.101: {instance: a}
  2.2.2.102: {instance: b}
"""


@contextmanager
def fresh_companion(host: LabHost, folder: Path) -> Iterator[Companion]:
    """A companion that has made nothing yet; the host is bare again after the block."""
    file = folder / "topology.yaml"
    file.write_text(TOPOLOGY)
    companion = Companion(host, file, "h1")
    bare = inventory(host)
    yield companion
    companion("down")
    assert inventory(host) == bare


def inventory(host: LabHost) -> tuple[object, ...]:
    """Everything on a host that a companion might change or leave behind."""
    processes = [
        command
        for line in run(host, "ps -e -o args").splitlines()
        if (command := line.split()) and command[0].endswith(("dnsmasq", "udhcpc"))
    ]
    devices = sorted(line.split()[0] for line in run(host, "ip -br link").splitlines())
    return (
        devices,
        run(host, "ip netns"),
        run(host, "ip rule"),
        run(host, "iptables -S"),
        run(host, "ip route"),
        run(host, "ovs-vsctl list-br"),
        run(host, "sysctl -n net.ipv4.ip_forward"),
        processes,
        sorted(map(str, host.path("/etc/netns").rglob("*"))),
        host.path("/run/dvr_ryu").exists(),
    )


def namespace(host: LabHost, prefix: str) -> str:
    (name,) = (
        line.split()[0] for line in run(host, "ip netns").splitlines() if line.startswith(prefix)
    )
    return name
