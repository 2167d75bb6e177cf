"""The lab of tests/lab/packets/test_routing.py: two routers on three hosts. Two of the hosts have
an instance for each kind of north-south path.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from attrs import frozen

from dvr_ryu.lab.hosts.bare import Lab
from dvr_ryu.lab.hosts.host import LabHost
from dvr_ryu.lab.state import StateFolder
from dvr_ryu.topology.loading import parse_topology

# The first letter of an instance says what it has, the digit its host: d, a distributed floating
# IP; c, a central one; f, a forwarded port; n, none; o, a distributed one of the other router.
FILE = """
controller: tcp:10.0.46.9:6653
underlay: {cidr: 10.0.46.0/24, mtu: 1550}
hosts:
  h1: {address: 10.0.46.1}
  h2: {address: 10.0.46.2, snat: true}
  h3: {address: 10.0.46.3}
networks:
  blue: {subnets: [{cidr: 10.1.0.0/24, dhcp: false}]}
  green: {dhcp_host: h1, subnets: [{cidr: 10.2.0.0/24}]}
  red: {subnets: [{cidr: 10.1.0.0/24, dhcp: false}]}
  x: {external: true, subnets: [{cidr: 2.2.2.0/24}], gateway_host: h3}
routers:
  r1:
    interfaces: [{network: blue}, {network: green}]
    external_network: x
    gateway_port: {ip: 2.2.2.11}
  r2: {interfaces: [{network: red}], external_network: x, gateway_port: {ip: 2.2.2.12}}
instances:
  d1: {host: h1, network: blue, ip: 10.1.0.11}
  d2: {host: h2, network: blue, ip: 10.1.0.13}
  c1: {host: h1, network: green, ip: 10.2.0.11}
  c2: {host: h2, network: green, ip: 10.2.0.12}
  f1: {host: h1, network: blue, ip: 10.1.0.31}
  f2: {host: h2, network: blue, ip: 10.1.0.32}
  n1: {host: h1, network: blue, ip: 10.1.0.21}
  n2: {host: h2, network: green, ip: 10.2.0.22}
  o1: {host: h1, network: red, ip: 10.1.0.11}
  o2: {host: h2, network: red, ip: 10.1.0.13}
floating_ips:
  2.2.2.101: {instance: d1}
  2.2.2.102: {instance: d2}
  2.2.2.103: {instance: c1, central: true}
  2.2.2.104: {instance: c2, central: true}
  2.2.2.105: {instance: o1}
  2.2.2.106: {instance: o2}
  2.2.2.120:
    port_forwardings:
      - {protocol: tcp, external_port: 81, instance: f1, internal_port: 7777}
      - {protocol: tcp, external_port: 82, instance: f2, internal_port: 7777}
"""
TOPOLOGY = parse_topology(FILE, "routing.yaml")
R1, R2 = "2.2.2.11", "2.2.2.12"
"""The addresses of instances without floating IPs."""
WORLD = "10.0.46.3"
OUTER = {
    each.instance: each.ip for each in TOPOLOGY.floating_ips.values() if each.instance is not None
}
PORT = 7777
TARGETS = {name: (ip, PORT) for name, ip in OUTER.items()}
TARGETS |= {"f1": ("2.2.2.120", 81), "f2": ("2.2.2.120", 82)}
"""Instance → the address and the port that clients connect to."""
HOSTS = ("h1", "h2", "h3")


@frozen
class RoutedLab:
    """The lab that is up, and its file."""

    file: Path
    folder: StateFolder
    lab: Lab

    def run(self, host: str, command: str, namespace: str | None = None, check: bool = True) -> str:
        result = self.lab[host].run(command.split(), namespace=namespace, check=check)
        return result.stdout

    def at(self, instance: str) -> tuple[LabHost, str]:
        return self.lab[TOPOLOGY.instances[instance].host], f"vm-{instance}"

    def namespaces(self, host: str) -> list[str]:
        """Our namespaces; on a gateway host also its own, as ""."""
        found = [line.split()[0] for line in self.run(host, "ip netns").splitlines()]
        return [*found, ""] if host == "h3" else found

    def namespace(self, host: str, prefix: str) -> str:
        return next(name for name in self.namespaces(host) if name.startswith(prefix))

    def fg(self, host: str) -> str:
        """The address of a host's fip namespace in the external network."""
        shown = self.run(host, "ip -br -4 addr", self.namespace(host, "fip-"))
        (address,) = re.findall(r"^fg-.* (2\.2\.2\.\d+)/24", shown, re.MULTILINE)
        return str(address)

    def log(self, host: str) -> str:
        return self.folder.log(f"companion-{host}").read_text()

    def plan(self, host: str) -> list[str]:
        """The changes that the companion would make, usually none."""
        dvr = Path(sys.executable).with_name("dvr")
        shown = self.run(host, f"{dvr} companion plan {self.file} --host {host}", check=False)
        return [line for line in shown.splitlines() if line[:1] in "+-~"]
