"""Whether this machine can be one host of a topology: its underlay address, MTU, the controller."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

from dvr_ryu.companion.check import hello
from dvr_ryu.companion.check.finding import Finding, fails, passes, warns
from dvr_ryu.companion.edges import rights, routing
from dvr_ryu.companion.edges.commands import path_of, run
from dvr_ryu.companion.edges.netlink import IFLA_MTU, as_number, netlink
from dvr_ryu.companion.edges.ovsdb import Ovsdb
from dvr_ryu.companion.facts.kinds import ROOT, Address
from dvr_ryu.companion.facts.tls import DEFAULTS, TlsOptions
from dvr_ryu.errors import HostError
from dvr_ryu.pki import contexts, refusals
from dvr_ryu.pki.files import PkiFiles, of_host
from dvr_ryu.topology import model
from dvr_ryu.topology.view import HostView

TUNNELS = {"vxlan": "udp --dport 4789", "geneve": "udp --dport 6081", "gre": "gre"}
"""Type of tunnel → iptables' words for its packets, where the kernel takes them in."""
SECONDS = 2.0
"""How long the controller may take to be reached, and then to answer."""


def findings(
    view: HostView, datapath_type: str, options: TlsOptions = DEFAULTS
) -> Iterator[Finding]:
    """Yield whether this machine can be the view's host."""
    yield from _underlay(view, datapath_type)
    yield from _controller(options.controller(view), of_host(options.pki, view.host.name))
    firewall = _firewall()
    if datapath_type == "system" and ":INPUT DROP" in firewall:
        accepted = TUNNELS[view.topology.underlay.tunnel_type]
        advice = f"iptables -I INPUT -p {accepted} -s {view.topology.underlay.cidr} -j ACCEPT"
        yield warns("INPUT", "iptables drops what it has no rule for", advice)
    if view.local_ports_of(model.EXTERNAL_GATEWAY):
        yield from _forwarding(firewall)


def _underlay(view: HostView, datapath_type: str) -> Iterator[Finding]:
    underlay, address = view.topology.underlay, view.host.address
    what = "underlay address"
    devices = _devices_with(address)
    if not devices:
        advice = f"ip address add {address}/{underlay.cidr.prefixlen} dev DEVICE, or edit the host"
        yield fails(what, f"{address} is on no device", advice)
        return
    ((device, mtu),) = devices[:1]
    if datapath_type != "netdev" or _is_bridge(device):
        yield passes(what, f"{address} on {device}")
    else:
        advice = "without the openvswitch module: on an OVS bridge that has the card in it"
        yield fails(what, f"{address} on {device}, which is no bridge of Open vSwitch", advice)
    what = "underlay MTU"
    if mtu < underlay.mtu:
        advice = f"ip link set {device} mtu {underlay.mtu}, or write underlay: {{mtu: {mtu}}}"
        yield fails(what, f"{device} has {mtu}, not {underlay.mtu}", advice)
    else:
        yield passes(what, f"{mtu}, which leaves instances {underlay.overlay_mtu}")


def _devices_with(address: str) -> list[tuple[str, int]]:
    """The names and MTUs of the devices that have an address."""
    with netlink(ROOT) as kernel:
        rows = kernel.links()
        return [
            (fact.device, as_number(rows[fact.device].attributes[IFLA_MTU]))
            for fact in routing.read(kernel, list(rows), ())
            if isinstance(fact, Address) and fact.address.startswith(f"{address}/")
        ]


def _is_bridge(device: str) -> bool:
    """Whether a device is a bridge of Open vSwitch, or may be one: who does not answer is told of
    already.
    """
    try:
        ovsdb = Ovsdb("")
    except HostError:
        return True
    try:
        return device in ovsdb.bridge_names()
    finally:
        ovsdb.close()


def _controller(
    controller: model.Controller | None, files: PkiFiles | None = None
) -> Iterator[Finding]:
    what = "controller"
    if controller is None:
        advice = "write controller: tcp:ADDRESS:6653, or fill the bridges with dvr flows"
        yield warns(what, "the topology names none", advice)
        return
    advice = "start it there: ryu-manager dvr_ryu.app; until then bridges forward nothing new"
    try:
        where = controller.address, controller.port
        with socket.create_connection(where, SECONDS) as connected:
            if controller.tls and files:
                version = hello.exchange_over_tls(connected, SECONDS, contexts.client(files))
            else:
                version = hello.exchange(connected, SECONDS)
    except HostError:
        return  # of its certificate it is told already
    except ssl.SSLError as error:
        advice = "see both certificates: dvr companion check here, and the controller's log"
        yield warns(what, f"{controller} {refusals.explain(error)}", advice)
    except OSError as error:
        yield warns(what, f"{controller} does not answer: {error.strerror or error}", advice)
    except hello.NoHello as no_hello:
        yield warns(what, f"{controller} is not our controller: {no_hello}", advice)
    else:
        yield passes(what, f"{controller} answers with OpenFlow {version}")


def _firewall() -> list[str]:
    """The chains of the host's filter table, each with its policy."""
    if path_of("iptables-save") is None or rights.missing():
        return []
    lines = run(["iptables-save", "-t", "filter"]).splitlines()
    return [" ".join(line.split()[:2]) for line in lines if line.startswith(":")]


def _forwarding(firewall: list[str]) -> Iterator[Finding]:
    """What an external network's gateway needs: the kernel forwards, and nothing forbids it."""
    forwards = Path("/proc/sys/net/ipv4/ip_forward").read_text().strip() == "1"
    seen = "on" if forwards else "off: the companion turns it on, and off again when it goes"
    yield passes("ip_forward", seen)
    if ":FORWARD DROP" in firewall:
        advice = "iptables -I FORWARD -i gw-+ -j ACCEPT; iptables -I FORWARD -o gw-+ -j ACCEPT"
        yield warns("FORWARD", "iptables drops what it has no rule for", advice)
