"""Check whether guests reach underlay tunnels and the controller by this host's external
gateways."""

from __future__ import annotations

from collections.abc import Iterator

from dvr_ryu.companion.check.finding import Finding, passes, warns
from dvr_ryu.companion.desired.firewall import guarded
from dvr_ryu.companion.providers.commands import path_of, run
from dvr_ryu.companion.providers.kernel import rights
from dvr_ryu.topology import model
from dvr_ryu.topology.view import HostView

WHAT = "underlay access"
TRANSLATING = ("-j MASQUERADE", "-j SNAT")


def findings(view: HostView) -> Iterator[Finding]:
    """Yield the targets that guests reach by each external network whose gateway is here."""
    closed = guarded(view)
    for port in view.local_ports_of(model.EXTERNAL_GATEWAY):
        if port.device in closed:
            yield passes(WHAT, f"{port.name}: tunnels and the controller are out of guests' reach")
        else:
            seen = f"{port.name}: its guests reach tunnels and the controller"
            if _translates():
                seen += ", and tunnels take them for this host: iptables gives them its address"
            yield warns(WHAT, seen, f"remove underlay_access from network {port.name}")


def _translates() -> bool:
    """Whether the host's own NAT may give its address to what it forwards."""
    if path_of("iptables-save") is None or rights.missing():
        return False
    lines = run(["iptables-save", "-t", "nat"]).splitlines()
    return any(rule in line for line in lines for rule in TRANSLATING)
