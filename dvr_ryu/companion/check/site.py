"""Check whether this machine can be one host of a topology: underlay, controller, firewall."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

from dvr_ryu.companion.check import hello, underlay
from dvr_ryu.companion.check.finding import Finding, passes, warns
from dvr_ryu.companion.check.firewall import findings as firewall
from dvr_ryu.companion.desired.tls import DEFAULTS, TlsOptions
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
    if view.local_ports_of(model.EXTERNAL_GATEWAY):
        yield _forwarding()
    yield from firewall.findings(view, datapath_type, options.controller(view), database)


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


def _forwarding() -> Finding:
    """Whether the kernel forwards, which an external gateway needs."""
    forwards = Path("/proc/sys/net/ipv4/ip_forward").read_text().strip() == "1"
    seen = "on" if forwards else "off: the companion turns it on, and off again when it goes"
    return passes("ip_forward", seen)
