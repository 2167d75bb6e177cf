"""The hooks of netfilter: chains of iptables, conntrack and NAT, in the kernel's order. Pure.

Each hook returns whether the packet passes; a packet that does not is a drop of the visit.
"""

from __future__ import annotations

from dvr_ryu.pipeline.run.steps import Change
from dvr_ryu.trace.kernel.netfilter import conntrack, nat
from dvr_ryu.trace.kernel.netfilter.conntrack import Status, Tracking
from dvr_ryu.trace.kernel.netfilter.iptables import (
    Facts,
    Jump,
    Nat,
    NoTrack,
    Rule,
    UnknownRule,
    Verdict,
)
from dvr_ryu.trace.kernel.outcome import Kind, Why
from dvr_ryu.trace.kernel.visit import Skb, Visit, changes

PREROUTING, INPUT, FORWARD, OUTPUT, POSTROUTING = (
    "PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING",
)  # fmt: skip


def prerouting(visit: Visit, skb: Skb) -> bool:
    """Before the route of a packet that a device received."""
    return _first(visit, skb, PREROUTING) and _translated(visit, skb, PREROUTING, None)


def local_in(visit: Visit, skb: Skb) -> bool:
    """Before the namespace itself gets a packet."""
    passes = (
        _filtered(visit, skb, "mangle", INPUT, None)
        and _filtered(visit, skb, "filter", INPUT, None)
        and _translated(visit, skb, INPUT, None)
    )
    return passes and _confirm(visit, skb)


def forward(visit: Visit, skb: Skb, out_device: str) -> bool:
    """On the way from a device to another."""
    return all(_filtered(visit, skb, table, FORWARD, out_device) for table in ("mangle", "filter"))


def local_out(visit: Visit, skb: Skb, out_device: str) -> bool:
    """Behind the route of a packet of the namespace's own; NAT may want another route."""
    return (
        _first(visit, skb, OUTPUT, out_device)
        and _translated(visit, skb, OUTPUT, out_device)
        and _filtered(visit, skb, "filter", OUTPUT, out_device)
    )


def postrouting(visit: Visit, skb: Skb, out_device: str) -> bool:
    """Before any packet leaves."""
    passes = _filtered(visit, skb, "mangle", POSTROUTING, out_device)
    passes = passes and _translated(visit, skb, POSTROUTING, out_device)
    return passes and _confirm(visit, skb)


def _first(visit: Visit, skb: Skb, hook: str, out_device: str | None = None) -> bool:
    """Table raw, then conntrack, then table mangle."""
    if not _filtered(visit, skb, "raw", hook, out_device):
        return False
    if visit.net.tracks and skb.tracking is None:
        loose = visit.net.sysctls.tcp_loose
        skb.tracking = conntrack.track(visit.state, skb.packet, tcp_loose=loose)
        if skb.tracking.status is Status.KNOWN:
            visit.learn(connections=conntrack.with_packet(visit.state, skb.tracking))
    return _filtered(visit, skb, "mangle", hook, out_device)


def _confirm(visit: Visit, skb: Skb) -> bool:
    """The packet passes: its new connection is a known one from now on."""
    if skb.tracking is not None and skb.tracking.status is Status.NEW:
        visit.learn(connections=conntrack.with_packet(visit.state, skb.tracking))
        skb.tracking.status = Status.KNOWN
    return True


def _filtered(visit: Visit, skb: Skb, table: str, hook: str, out_device: str | None) -> bool:
    """A table's chain, with a step for the rule that decides; False if it drops the packet."""
    decided = _walk(visit, skb, table, hook, out_device)
    if decided is None:
        return True
    chain, rule = decided
    if rule.target is Verdict.DROP:
        visit.drop(Kind.NETFILTER, skb.packet, Why.FILTERED, _text(table, chain, rule))
        return False
    _note(visit, table, chain, rule, ())
    return True


def _translated(visit: Visit, skb: Skb, hook: str, out_device: str | None) -> bool:
    """Table nat for a connection's first packet, then the translation of any packet."""
    tracking = skb.tracking
    source = hook in (POSTROUTING, INPUT)
    before = skb.packet
    decided = None
    if tracking is not None and tracking.status is Status.NEW:
        decided = _bound(visit, skb, tracking, hook, out_device)
    if not nat.translate(visit, skb, source=source):
        visit.drop(Kind.CONNECTION, skb.packet, Why.FILTERED, "conntrack: NAT stops a redirect")
        return False
    found = changes(before, skb.packet)
    if decided is not None:
        chain, rule = decided
        _note(visit, "nat", chain, rule, found)
    elif found and tracking is not None and tracking.status is Status.NEW:
        visit.step(Kind.CONNECTION, "conntrack: another connection has this source port", found)
    return True


def _bound(
    visit: Visit, skb: Skb, tracking: Tracking, hook: str, out_device: str | None
) -> tuple[str, Rule] | None:
    """Decide a new connection's translation; return the chain and the rule that decide it."""
    source = hook in (POSTROUTING, INPUT)
    if tracking.has_source if source else tracking.has_destination:
        return None
    decided = _walk(visit, skb, "nat", hook, out_device)
    target = decided[1].target if decided else None
    nat.bind(visit.state, tracking, target if isinstance(target, Nat) else None, source=source)
    return decided if isinstance(target, Nat) else None


def _walk(
    visit: Visit, skb: Skb, table: str, chain: str, out_device: str | None
) -> tuple[str, Rule] | None:
    """The first rule of a chain, and of those that it jumps to, that decides."""
    rules = visit.net.chains.get((table, chain))
    if not rules:
        return None
    facts = _facts(visit, skb, out_device)
    for rule in rules:
        if not rule.matches(facts):
            continue
        match rule.target:
            case None:
                continue
            case Verdict.RETURN:
                return None
            case NoTrack():
                skb.tracking = Tracking(Status.UNTRACKED)
                facts = _facts(visit, skb, out_device)
                _note(visit, table, chain, rule, ())
            case Jump(name):
                if (table, name) not in visit.net.chains:
                    raise UnknownRule(f"no chain {name} in table {table}, but `{rule.text}`")
                decided = _walk(visit, skb, table, name, out_device)
                if decided is not None:
                    return decided
            case _:
                return chain, rule
    return None


def _facts(visit: Visit, skb: Skb, out_device: str | None) -> Facts:
    """What rules see of a packet. One that conntrack has not yet seen is invalid for it."""
    if skb.tracking is not None:
        states = skb.tracking.states
    else:
        states = _UNSEEN if visit.net.tracks else frozenset()
    return Facts(skb.packet, skb.in_device, out_device, states)


_UNSEEN = frozenset({Status.INVALID.name})


def _note(visit: Visit, table: str, chain: str, rule: Rule, found: tuple[Change, ...]) -> None:
    is_random = isinstance(rule.target, Nat) and rule.target.at_random
    and_then = ": a real kernel chooses the port at random" if is_random else ""
    visit.step(Kind.NETFILTER, _text(table, chain, rule) + and_then, found)


def _text(table: str, chain: str, rule: Rule) -> str:
    return f"iptables -t {table}: {chain} {rule.text}"
