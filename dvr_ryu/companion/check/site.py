"""Check whether this machine can be one host of a topology: underlay, controller, firewall."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

from dvr_ryu.companion.check import hello, underlay
from dvr_ryu.companion.check.finding import Finding, passes, warns
from dvr_ryu.companion.desired.firewall import TUNNELS
from dvr_ryu.companion.desired.tls import DEFAULTS, TlsOptions
from dvr_ryu.companion.providers.commands import path_of, run
from dvr_ryu.companion.providers.kernel import rights
from dvr_ryu.companion.providers.ovsdb.database import Database
from dvr_ryu.errors import HostError
from dvr_ryu.pki import contexts, refusals
from dvr_ryu.pki.files import PkiFiles, of_host
from dvr_ryu.topology import model
from dvr_ryu.topology.controller import Controller
from dvr_ryu.topology.view import HostView

SECONDS = 2.0
"""Seconds within which the controller must accept a connection, and then answer."""


def findings(
    view: HostView, datapath_type: str, database: Database, options: TlsOptions = DEFAULTS
) -> Iterator[Finding]:
    """Yield whether this machine can be the view's host."""
    yield from underlay.findings(view, datapath_type, database)
    yield from _controller(options.controller(view), of_host(options.pki, view.host.name))
    firewall = _firewall()
    if datapath_type == "system" and ":INPUT DROP" in firewall:
        accepted = TUNNELS[view.topology.underlay.tunnel_type].replace("-m udp ", "")
        advice = f"iptables -I INPUT {accepted} -s {view.topology.underlay.cidr} -j ACCEPT"
        yield warns("INPUT", "iptables drops what it has no rule for", advice)
    if view.local_ports_of(model.EXTERNAL_GATEWAY):
        yield from _forwarding(firewall)


def _controller(controller: Controller | None, files: PkiFiles | None = None) -> Iterator[Finding]:
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
        return  # another finding is about its certificate
    except ssl.SSLError as error:
        advice = "see both certificates: dvr companion check here, and the controller's log"
        yield warns(what, f"{controller} {refusals.explain(error)}", advice)
    except OSError as error:
        yield warns(what, f"{controller} does not answer: {error.strerror or error}", advice)
    except hello.NoHello as no_hello:
        instead = "" if controller.tls else "; if it speaks TLS, write ssl:"
        yield warns(what, f"{controller} is not our controller: {no_hello}", advice + instead)
    else:
        yield passes(what, f"{controller} answers with OpenFlow {version}")


def _firewall() -> list[str]:
    """The chains of the host's filter table, each with its policy."""
    if path_of("iptables-save") is None or rights.missing():
        return []
    lines = run(["iptables-save", "-t", "filter"]).splitlines()
    return [" ".join(line.split()[:2]) for line in lines if line.startswith(":")]


def _forwarding(firewall: list[str]) -> Iterator[Finding]:
    """Yield whether an external gateway can work: the kernel must forward, and no rule may forbid
    it."""
    forwards = Path("/proc/sys/net/ipv4/ip_forward").read_text().strip() == "1"
    seen = "on" if forwards else "off: the companion turns it on, and off again when it goes"
    yield passes("ip_forward", seen)
    if ":FORWARD DROP" in firewall:
        advice = "iptables -I FORWARD -i gw-+ -j ACCEPT; iptables -I FORWARD -o gw-+ -j ACCEPT"
        yield warns("FORWARD", "iptables drops what it has no rule for", advice)
