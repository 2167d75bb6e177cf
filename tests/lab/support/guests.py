"""The lab of tests/lab/packets/test_guests.py: its topology, and the packets that its guests can
send.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from attrs import frozen

from dvr_ryu.lab.hosts.bare import Lab
from dvr_ryu.lab.state import StateFolder
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.topology import Topology
from tests.lab.support.companions import pings, run

TOPOLOGY = """\
controller: tcp:10.0.46.1:6653
underlay: {cidr: 10.0.46.0/24, mtu: 1550}
hosts: {h1: {address: 10.0.46.11}, h2: {address: 10.0.46.12}, h3: {address: 10.0.46.13, snat: true}}
networks:
  blue:
    dhcp_host: h2
    subnets: [{cidr: 10.1.0.0/24, host_routes: [{destination: 10.9.0.0/16, nexthop: 10.1.0.12}]}]
  green: {subnets: [{cidr: 10.2.0.0/24, dhcp: false}]}
  x: {external: true, gateway_host: h3, subnets: [{cidr: 2.2.2.0/24}]}
routers:
  r: {interfaces: [{network: blue}, {network: green}], external_network: x}
instances:
  liar: {host: h1, network: blue, ip: 10.1.0.66}
  near: {host: h1, network: blue, ip: 10.1.0.11}
  far: {host: h2, network: blue, ip: 10.1.0.12}
  third: {host: h3, network: blue, ip: 10.1.0.13}
  ear: {host: h3, network: blue, ip: 10.1.0.14}
  one:
    host: h1
    network: blue
    ip: 10.1.0.21
    allowed_address_pairs: &shared [{ip: 10.1.0.100}, {ip: 10.1.0.200, mac: "00:00:5e:00:01:07"}]
  two: {host: h2, network: blue, ip: 10.1.0.22, allowed_address_pairs: *shared}
  asks-1: {host: h1, network: green, ip: 10.2.0.11}
  asks-3: {host: h3, network: green, ip: 10.2.0.13}
  both: {host: h2, ports: [{network: blue, ip: 10.1.0.31}, {network: blue, ip: 10.1.0.32}]}
  outer: {host: h1, network: x, ip: 2.2.2.66}
floating_ips:
  2.2.2.100: {instance: near}
"""
HOSTS = ("h1", "h2", "h3")
VIRTUAL_MAC = "00:00:5e:00:01:07"
LEARNED = 0x6C6561726E6564
LIMIT = 4096
"""The limit of table 10's learn()."""

_SEND = """
import json, os, socket, struct, sys

def mac(text):
    return bytes.fromhex(text.replace(":", ""))

def arp(source, ip, op=1):
    return struct.pack("!HHBBH6s4s6s4s", 1, 0x800, 6, 4, op, source, ip, bytes(6), ip)

sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
sock.bind(("eth0", 0))
messages = json.loads(sys.argv[1])
broadcast = b"\\xff" * 6
for source in map(mac, messages.get("as", ())):
    for to in (broadcast, mac(messages["to"])):
        for tag in (b"", b"\\x81\\x00\\xe0\\x00"):
            sock.send(to + source + tag + b"\\x88\\xb5" + bytes(46))
        sock.send(to + source + b"\\x08\\x06" + arp(source, socket.inet_aton("10.1.0.99"), 2))
for source, ip in messages.get("announce", ()):
    for op in (1, 2):
        packet = arp(mac(source), socket.inet_aton(ip), op)
        sock.send(broadcast + mac(source) + b"\\x08\\x06" + packet)
for _ in range(messages.get("flood", 0)):
    source = b"\\x02" + os.urandom(5)
    try:
        sock.send(broadcast + source + b"\\x88\\xb5" + bytes(46))
    except OSError:
        pass
"""


@frozen
class Guests:
    """The lab that is up; its methods take the names of instances."""

    lab: Lab
    folder: StateFolder
    file: Path

    @property
    def topology(self) -> Topology:
        return load_topology(self.file)

    def host(self, instance: str) -> str:
        return self.topology.instances[instance].host

    def mac(self, instance: str) -> str:
        return self.topology.instances[instance].mac

    def run(self, instance: str, command: str, check: bool = True) -> str:
        host = self.lab[self.host(instance)]
        return host.run(command.split(), namespace=f"vm-{instance}", check=check).stdout

    def answers(self, instance: str, address: str) -> bool:
        return pings(self.lab[self.host(instance)], f"vm-{instance}", address)

    def send(self, instance: str, **messages: object) -> None:
        host = self.lab[self.host(instance)]
        command = [sys.executable, "-c", _SEND, json.dumps(messages)]
        host.run(command, namespace=f"vm-{instance}", timeout=120)

    def learned_on(self, host: str, mac: str) -> set[int]:
        """The ports of br-int where NORMAL has learned a MAC."""
        lines = run(self.lab[host], "ovs-appctl fdb/show br-int").splitlines()[1:]
        return {int(line.split()[0]) for line in lines if mac in line}

    def taught(self, host: str) -> list[str]:
        """The flows of table 20 that a host's br-tun has learned."""
        command = f"ovs-ofctl dump-flows br-tun table=20,cookie={LEARNED:#x}/-1"
        return [line for line in run(self.lab[host], command).splitlines() if "dl_dst" in line]

    def ofport(self, instance: str) -> int:
        port = self.topology.instances[instance]
        command = f"ovs-vsctl get Interface {port.device} ofport"
        return int(run(self.lab[port.host], command))

    def neighbour(self, host: str, address: str) -> str:
        """The MAC that a host's router has for an address."""
        router = self.topology.routers["r"].namespace
        shown = run(self.lab[host], f"ip -json neigh show to {address}", router)
        return "".join(row.get("lladdr", "") for row in json.loads(shown or "[]"))
