"""Report foreign items that coexist or conflict with ours: bridges, ports, flows, namespaces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress

from dvr_ryu.companion import foreign
from dvr_ryu.companion.check.finding import Finding, fails, passes, warns
from dvr_ryu.companion.desired import plugged
from dvr_ryu.companion.providers.commands import path_of
from dvr_ryu.companion.providers.iptables import nat
from dvr_ryu.companion.providers.kernel import rights
from dvr_ryu.companion.providers.netlink import namespaces
from dvr_ryu.companion.providers.ovs_appctl.learned import learned_macs
from dvr_ryu.companion.providers.ovs_ofctl import flows
from dvr_ryu.companion.providers.ovsdb.bridges import Ovsdb
from dvr_ryu.companion.providers.ovsdb.database import Database
from dvr_ryu.companion.providers.ovsdb.guest_ports import GuestPorts
from dvr_ryu.companion.resources.namespace import Namespace
from dvr_ryu.companion.resources.openvswitch.bridge import Bridge
from dvr_ryu.companion.resources.openvswitch.port import OvsPort
from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.errors import HostError
from dvr_ryu.topology.bridges import Plug, bridge_of
from dvr_ryu.topology.view import HostView


def findings(view: HostView, desired: Iterable[Resource], database: Database) -> Iterator[Finding]:
    """Yield the foreign items that stay beside ours, and those in our way."""
    desired = list(desired)
    yield from _on_bridges(view, desired, database)
    yield from _plugged_in(view, database)
    yield from _in_namespaces()
    for resource in desired:
        if isinstance(resource, Namespace) and namespaces.is_foreign(resource.name):
            advice = f"if nothing needs it: ip netns del {resource.name}"
            yield fails("namespace", f"{resource.name} exists and is not dvr_ryu's", advice)


def _plugged_in(view: HostView, database: Database) -> Iterator[Finding]:
    """Yield the instances that others have plugged in here, or should."""
    if not view.topology.plugged:
        return
    with suppress(HostError):  # another finding says so
        interfaces = GuestPorts(view.host.name, database).interfaces()
        found = plugged.plugged(view.topology, interfaces)
        learned = learned_macs(bridge_of(Plug.DEVICES))
        for line in plugged.lines(view, found, learned):
            seen, _, advice = line.partition(": " if ": " in line else "; ")
            yield warns("guests", seen, advice) if advice else passes("guests", seen)


def _in_namespaces() -> Iterator[Finding]:
    if rights.missing() or path_of("iptables-save") is None:
        return  # another finding says so
    found = nat.Reader().read(resource.name for resource in namespaces.read())
    for line in foreign.lines_of_rules(found.foreign):
        seen, _, advice = line.partition(": ")
        yield warns("firewall", seen, advice)


def _on_bridges(
    view: HostView, desired: Iterable[Resource], database: Database
) -> Iterator[Finding]:
    named = {(f.kind, f.name) for f in desired if isinstance(f, Bridge | OvsPort)}
    try:
        ovsdb = Ovsdb(view.host.name, database)
    except HostError:
        return  # another finding says so
    try:
        bridges, _, found = ovsdb.read(named)
    except HostError as error:
        seen, _, advice = str(error).partition("; ")
        yield fails("bridges", seen, advice)
        return
    for line in foreign.lines(found, view.topology, view.host.name):
        seen, _, advice = line.partition(": ")
        yield warns("bridges", seen, advice)
    for bridge in bridges:
        if lines := flows.of_others(bridge.name, bridge.settings["fail_mode"]):
            cookies = ", ".join(sorted({f"{flows.cookie_of(line):#x}" for line in lines}))
            seen = f"{bridge.name} has {len(lines)} flows of others (cookies {cookies})"
            yield warns("flows", seen, "left alone")
