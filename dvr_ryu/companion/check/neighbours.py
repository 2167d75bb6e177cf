"""What others have on this machine where we want to be: bridges, ports, flows, namespaces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dvr_ryu.companion import strangers
from dvr_ryu.companion.check.finding import Finding, fails, warns
from dvr_ryu.companion.edges import flows, namespaces, nat, rights
from dvr_ryu.companion.edges.commands import path_of
from dvr_ryu.companion.edges.ovsdb import Ovsdb
from dvr_ryu.companion.facts import kinds
from dvr_ryu.companion.facts.kinds import Fact
from dvr_ryu.errors import HostError
from dvr_ryu.topology.view import HostView


def findings(view: HostView, should: Iterable[Fact]) -> Iterator[Finding]:
    """Yield what stays beside us, and what is in our way."""
    should = list(should)
    yield from _on_bridges(view, should)
    yield from _in_namespaces()
    for fact in should:
        if isinstance(fact, kinds.Namespace) and namespaces.is_foreign(fact.name):
            advice = f"if nothing needs it: ip netns del {fact.name}"
            yield fails("namespace", f"{fact.name} exists and is not dvr_ryu's", advice)


def _in_namespaces() -> Iterator[Finding]:
    if rights.missing() or path_of("iptables-save") is None:
        return  # told of already
    found = nat.Reader().read(fact.name for fact in namespaces.read())
    for line in strangers.lines_of_rules(found.foreign):
        said, _, advice = line.partition(": ")
        yield warns("firewall", said, advice)


def _on_bridges(view: HostView, should: Iterable[Fact]) -> Iterator[Finding]:
    named = {(f.kind, f.name) for f in should if isinstance(f, kinds.Bridge | kinds.OvsPort)}
    try:
        ovsdb = Ovsdb(view.host.name)
    except HostError:
        return  # told of already
    try:
        bridges, _, found = ovsdb.read(named)
    except HostError as error:
        said, _, advice = str(error).partition("; ")
        yield fails("bridges", said, advice)
        return
    finally:
        ovsdb.close()
    for line in strangers.lines(found, view.topology, view.host.name):
        said, _, advice = line.partition(": ")
        yield warns("bridges", said, advice)
    for bridge in bridges:
        if lines := flows.of_others(bridge.name, bridge.settings["fail_mode"]):
            cookies = ", ".join(sorted({f"{flows.cookie_of(line):#x}" for line in lines}))
            seen = f"{bridge.name} has {len(lines)} flows of others (cookies {cookies})"
            yield warns("flows", seen, "left alone")
