"""Rules that keep packets of external networks from the underlay's tunnels and the controller.
Pure.

By SNAT, by a floating address or from the external network itself, instances reach all that the
gateway host reaches. There they could put frames into tunnels, and so into any network, and claim
to be a switch.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address

from dvr_ryu.companion.resources.netfilter.hooked_chain import HookedChain
from dvr_ryu.topology import model
from dvr_ryu.topology.view import HostView

TUNNELS = {
    "vxlan": "-p udp -m udp --dport 4789",
    "geneve": "-p udp -m udp --dport 6081",
    "gre": "-p 47",
}
"""Type of tunnel → iptables' arguments for its packets."""
SYN = "--tcp-flags FIN,SYN,RST,ACK SYN"
"""The first packet of a connection: answers to connections that a host began have other flags."""


def resources(view: HostView) -> Iterator[HookedChain]:
    """Yield the chains of a host with external gateways that do not let all packets through."""
    devices = guarded(view)
    if devices:
        underlay = str(view.topology.underlay.cidr)
        controller = view.topology.controller
        reached = [f"-d {underlay} "]
        if controller and IPv4Address(controller.address) not in view.topology.underlay.cidr:
            reached.append(f"-d {controller.address}/32 ")
        yield HookedChain("INPUT", tuple(_rules(view, devices, [""])))
        yield HookedChain("FORWARD", tuple(_rules(view, devices, reached)))


def guarded(view: HostView) -> list[str]:
    """The devices of this host's external gateways from which no packet may reach the underlay and
    the controller.
    """
    networks = view.topology.networks
    ports = view.local_ports_of(model.EXTERNAL_GATEWAY)
    return [port.device for port in ports if not networks[port.network].underlay_access]


def _rules(view: HostView, devices: list[str], reached: list[str]) -> Iterator[str]:
    controller = view.topology.controller
    dropped = [TUNNELS[view.topology.underlay.tunnel_type]]
    if controller:
        dropped.append(f"-p tcp -m tcp --dport {controller.port} {SYN}")
    for device in devices:
        for destination in reached:
            for packets in dropped:
                yield f"{destination}-i {device} {packets} -j DROP"
