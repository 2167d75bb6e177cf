"""Check whether this machine's firewall lets the packets pass that a host needs: the tunnels', the
controller's, and those of external networks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

from attrs import frozen

from dvr_ryu.companion.check.finding import Finding, fails, passes, warns
from dvr_ryu.companion.check.firewall import reading
from dvr_ryu.companion.check.firewall.iptables import PROTOCOLS
from dvr_ryu.companion.check.firewall.rules import NO_PORT, BaseChain, Field, Packet
from dvr_ryu.companion.check.firewall.walk import Drop, first_drop
from dvr_ryu.companion.check.underlay import carriers
from dvr_ryu.companion.providers.commands import path_of
from dvr_ryu.companion.providers.kernel import rights
from dvr_ryu.companion.providers.ovsdb.database import Database
from dvr_ryu.companion.resources.openvswitch.datapath import datapath
from dvr_ryu.errors import HostError
from dvr_ryu.topology import model
from dvr_ryu.topology.controller import Controller
from dvr_ryu.topology.view import HostView

WHAT = "firewall"
WAYS = {
    "INPUT": ("ingress", "prerouting", "input"),
    "OUTPUT": ("output", "postrouting"),
    "FORWARD": ("ingress", "prerouting", "forward", "postrouting"),
}
"""iptables' word for a way through the kernel → the hooks that a packet passes on it."""
TUNNELS = {"vxlan": ("udp", 4789), "geneve": ("udp", 6081), "gre": ("gre", NO_PORT)}
"""Type of tunnel → the protocol of its packets, and their port."""
SOMEWHERE = "9.9.9.9"
"""Stands for any address beyond an external network."""


@frozen
class Flow:
    """Packets that a host needs. `subject` is their name in a message."""

    subject: str
    way: str
    source: str
    destination: str
    protocol: str
    port: int
    in_device: str | None = None
    out_device: str | None = None

    def packet(self) -> Packet:
        """Its first packet."""
        number = {
            Field.PROTOCOL: PROTOCOLS[self.protocol],
            Field.SOURCE: int(IPv4Address(self.source)),
            Field.DESTINATION: int(IPv4Address(self.destination)),
            Field.DESTINATION_PORT: self.port,
        }
        if self.port == NO_PORT:
            number[Field.SOURCE_PORT] = NO_PORT
        words = {
            Field.IN: self.in_device if self.way != "OUTPUT" else "",
            Field.OUT: self.out_device if self.way != "INPUT" else "",
            Field.STATE: "new",
            Field.SOURCE_TYPE: "local" if self.way == "OUTPUT" else "unicast",
            Field.DESTINATION_TYPE: "local" if self.way == "INPUT" else "unicast",
            Field.FAMILY: "ipv4",
        }
        return {**number, **{field: word for field, word in words.items() if word is not None}}

    def accepted(self, source: str, drop: Drop) -> str:
        """The command by which a chain accepts such packets from `source`."""
        base = drop.chain
        if base.tool == reading.NFT:
            begin = f"nft insert rule {base.table} {base.name}"
            return "; ".join(f"{begin} {fits} accept" for fits in self._in_nft(source))
        table = "" if base.table == "filter" else f" -t {base.table}"
        begin = f"{base.tool}{table} -I {base.name}"
        return "; ".join(f"{begin} {fits} -j ACCEPT" for fits in self._in_iptables(source))

    def _in_iptables(self, source: str) -> tuple[str, ...]:
        if self.way == "FORWARD":
            return "-i gw-+", "-o gw-+"
        port = f" --dport {self.port}" if self.port != NO_PORT else ""
        return (f"-p {self.protocol}{port}{f' -s {source}' if source else ''}",)

    def _in_nft(self, source: str) -> tuple[str, ...]:
        if self.way == "FORWARD":
            return "iifname gw-*", "oifname gw-*"
        gre = self.port == NO_PORT
        what = f"ip protocol {self.protocol}" if gre else f"{self.protocol} dport {self.port}"
        return (f"ip saddr {source} {what}" if source else what,)


def findings(
    view: HostView, datapath_type: str, controller: Controller | None, database: Database
) -> Iterator[Finding]:
    """Yield the packets that a rule drops, or may drop, with the rule."""
    if rights.missing() or path_of("iptables-save") is None:
        return  # another finding says so
    try:
        chains, unreadable = reading.read(), reading.unreadable()
    except HostError as error:
        yield warns(WHAT, f"cannot be read: {error}", "see whether it lets the tunnels pass")
        return
    if unreadable:
        seen = f"only nft prints the rules of {', '.join(unreadable)}"
        yield warns(WHAT, seen, "apt install nftables, then check again")
    found = [*_lost(view, chains, [*_flows(view, datapath_type, controller, database)])]
    yield from found
    if not found and not unreadable:
        yield passes(WHAT, "lets the tunnels and the controller's connections pass")


def _flows(
    view: HostView, datapath_type: str, controller: Controller | None, database: Database
) -> Iterator[Flow]:
    own, others = view.host.address, [t.address for t in view.tunnel]
    names = [carrier.name for carrier in carriers(own, database)]
    device = names[0] if names else None
    tunnel_type = view.topology.underlay.tunnel_type
    # The userspace datapath takes tunnels' packets from the card, before netfilter.
    if datapath(datapath_type).kernels_tunnels:
        protocol, port = TUNNELS[tunnel_type]
        subject = f"{tunnel_type} tunnels"
        for other in others:
            yield Flow(subject, "INPUT", other, own, protocol, port, device)
            yield Flow(subject, "OUTPUT", own, other, protocol, port, None, device)
    if controller:
        subject = "switches' connections to the controller"
        at, port = controller.address, controller.port
        if here := carriers(at, database):
            for other in others:
                yield Flow(subject, "INPUT", other, at, "tcp", port, here[0].name)
        else:
            yield Flow(subject, "OUTPUT", own, at, "tcp", port)
    for gateway in view.local_ports_of(model.EXTERNAL_GATEWAY):
        beyond, subject = _default_device(), f"packets of {gateway.name}"
        address = str(gateway.cidr.network_address + 1)
        yield Flow(subject, "FORWARD", address, SOMEWHERE, "tcp", 443, gateway.device, beyond)
        yield Flow(subject, "FORWARD", SOMEWHERE, address, "tcp", 443, beyond, gateway.device)


def _default_device() -> str:
    """The device of the host's default route; empty if it has none."""
    routes = (line.split() for line in Path("/proc/net/route").read_text().splitlines()[1:])
    default = [route for route in routes if route[1] == "00000000" == route[7]]
    return min(default, key=lambda route: int(route[6]))[0] if default else ""


def _lost(view: HostView, chains: list[BaseChain], flows: list[Flow]) -> Iterator[Finding]:
    """Yield one finding for the flows of a subject that one rule drops."""
    lost: dict[tuple[str, str, Drop], list[Flow]] = {}
    for flow in flows:
        if drop := first_drop(chains, WAYS[flow.way], flow.packet()):
            lost.setdefault((flow.subject, flow.way, drop), []).append(flow)
    all_flows = Counter((flow.subject, flow.way) for flow in flows)
    for (subject, way, drop), each in lost.items():
        is_input = way == "INPUT"
        advice = each[0].accepted(str(view.topology.underlay.cidr) if is_input else "", drop)
        seen = f"{_rule(drop)}: {subject}"
        if is_input and len(each) < all_flows[subject, way]:
            seen += f" from {', '.join(flow.source for flow in each)}"
        certain = drop.certain and way != "FORWARD"
        yield fails(way, seen, advice) if certain else warns(way, seen, advice)


def _rule(drop: Drop) -> str:
    """The rule that drops, for people."""
    base = drop.chain
    verb = "drops" if drop.certain else "may drop"
    if drop.rule is None:
        where = "" if base.tool != reading.NFT else f" of {base.table}"
        return f"{base.tool}{where} {verb} what it has no rule for"
    return f"{base.tool}: {reading.text_of(base, drop.rule)} {verb}"
