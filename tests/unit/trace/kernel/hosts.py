"""The kernels of small topologies, and what tests ask them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from textwrap import dedent

from dvr_ryu.companion.desired import desired_resources
from dvr_ryu.pipeline.run.packet import Packet, icmp_echo, tcp, udp
from dvr_ryu.topology.loading import parse_topology
from dvr_ryu.topology.view import HostView
from dvr_ryu.trace.kernel.addresses import ip_number, mac_number
from dvr_ryu.trace.kernel.host import HostKernel
from dvr_ryu.trace.kernel.outcome import Outcome
from dvr_ryu.trace.kernel.request import Request
from dvr_ryu.trace.kernel.state import KernelState

FRESH = KernelState()
STRANGER = "02:00:00:00:00:07"
TOPOLOGY = dedent("""\
    controller: tcp:10.0.0.9:6653
    underlay: {cidr: 10.0.0.0/24}
    hosts:
      h1: {address: 10.0.0.1, snat: true}
      h2: {address: 10.0.0.2}
    networks:
      n: {subnets: [{cidr: 10.1.0.0/24}], dhcp_host: h1}
      m: {subnets: [{cidr: 10.2.0.0/24, dhcp: false}]}
      x: {external: true, subnets: [{cidr: 2.2.2.0/24}], gateway_host: h1}
    routers:
      r: {interfaces: [{network: n}, {network: m}], external_network: x,
          gateway_port: {ip: 2.2.2.20}, routes: [{destination: 10.9.0.0/16, nexthop: 10.1.0.12}]}
    instances:
      a: {host: h1, network: n, ip: 10.1.0.11, allowed_address_pairs: [
            {ip: 10.1.0.100}, {ip: 10.1.0.200, mac: "00:00:5e:00:01:07"}]}
      b: {host: h1, network: n, ip: 10.1.0.12}
      c: {host: h1, network: m, ip: 10.2.0.13}
      d: {host: h2, network: m, ip: 10.2.0.14}
      e: {host: h1, ports: [{network: n, ip: 10.1.0.15}, {network: m, ip: 10.2.0.15}]}
    floating_ips:
      2.2.2.101: {network: x, instance: a}
      2.2.2.102: {network: x, instance: c, central: true}
      2.2.2.103: {network: x, port_forwardings: [
        {protocol: tcp, external_port: 8000-8009, instance: b, internal_port: 9000}]}
    """)


class Host:
    """A host's kernel with names instead of ids, and a state that follows each call."""

    def __init__(
        self,
        text: str = TOPOLOGY,
        host: str = "h1",
        *,
        announced: Mapping[str, Collection[str]] | None = None,
        inherited: Mapping[str, int] | None = None,
    ) -> None:
        self.view = HostView(parse_topology(text, "test.yaml"), host)
        resources = desired_resources(self.view, "netdev")
        self.kernel = HostKernel(resources, self.view, announced=announced, inherited=inherited)
        self.state = FRESH

    def namespace(self, prefix: str) -> str:
        """The namespace with a prefix of its name; "" is the host's own."""
        return next(name for name in self.kernel.namespaces if name.startswith(prefix))

    def device(self, prefix: str, device: str, ip: str = "") -> str:
        """The device with a prefix of its name, and with an address if there are several."""
        net = self.kernel.namespace(self.namespace(prefix))
        having = {each.device for each in net.addresses if ip_number(ip or "0.0.0.0") == each.ip}
        return next(
            name for name in net.devices if name.startswith(device) and (not ip or name in having)
        )

    def mac(self, prefix: str, device: str, ip: str = "") -> int:
        """The MAC of that device."""
        net = self.kernel.namespace(self.namespace(prefix))
        return net.devices[self.device(prefix, device, ip)].mac

    def receive(self, prefix: str, device: str, packet: Packet, ip: str = "") -> Outcome:
        """A frame arrives; without a receiver it is for the device's MAC."""
        if not packet["dl_dst"]:
            packet = packet.having(dl_dst=self.mac(prefix, device, ip))
        outcome = self.kernel.receive(
            self.namespace(prefix), self.device(prefix, device, ip), packet, self.state
        )
        self.state = outcome.state
        return outcome

    def send(self, prefix: str, packet: Packet, *, dont_fragment: bool = True) -> Outcome:
        """A program sends."""
        request = Request(packet, dont_fragment)
        outcome = self.kernel.send(self.namespace(prefix), request, self.state)
        self.state = outcome.state
        return outcome


def ping(source: str, destination: str, *, size: int = 84, ttl: int = 64) -> Packet:
    """An echo request of a stranger's MAC, not yet for any."""
    ends = mac_number(STRANGER), 0, ip_number(source), ip_number(destination)
    return icmp_echo(*ends, size=size).having(nw_ttl=ttl, nw_df=1)


def syn(source: str, destination: str, port: int) -> Packet:
    """The first segment of a connection."""
    return tcp(mac_number(STRANGER), 0, ip_number(source), ip_number(destination), port)


def datagram(source: str, destination: str, port: int) -> Packet:
    """A UDP datagram."""
    return udp(mac_number(STRANGER), 0, ip_number(source), ip_number(destination), port)


def texts(outcome: Outcome) -> list[str]:
    """The steps' texts."""
    return [step.text for step in outcome.steps]
