"""Runs the actions on MPLS labels: push, pop, time to live."""

from __future__ import annotations

from dvr_ryu.pipeline.language.actions.mpls import DecMplsTtl, PopMpls, PushMpls, SetMplsTtl
from dvr_ryu.pipeline.language.fields import IP6
from dvr_ryu.pipeline.run.actions.headers import decrement, is_ip
from dvr_ryu.pipeline.run.layers import LABELS, MOST_LABELS, hide, labels, reveal
from dvr_ryu.pipeline.run.machine import Dropped, Machine, runs

_SIZE = 4
_IPV4_NULL, _IPV6_NULL = 0, 2
"""The labels that mean: an IP packet is behind."""
_TTL = 64
_DSCP_AT, _CLASS = 2, 7


@runs(PushMpls)
def push_mpls(machine: Machine, action: PushMpls) -> None:
    """Put a label before the packet: a copy of the outer label, or one made of the IP header."""
    fields = machine.fields
    if labels(fields, machine.payload) >= MOST_LABELS:
        raise Dropped(f"it would have more than {MOST_LABELS} MPLS labels")
    label = _copied(machine) if fields.get("dl_type") in LABELS else _made(machine)
    hide(machine, False, {**label, "dl_type": action.ethertype}, _SIZE)


def _copied(machine: Machine) -> dict[str, int]:
    names = ("mpls_label", "mpls_tc", "mpls_ttl")
    return {**{name: machine.fields.get(name, 0) for name in names}, "mpls_bos": 0}


def _made(machine: Machine) -> dict[str, int]:
    fields = machine.fields
    label = _IPV6_NULL if fields.get("dl_type") == IP6 else _IPV4_NULL
    tc = fields.get("nw_tos", 0) >> _DSCP_AT & _CLASS
    ttl = (fields.get("nw_ttl") or _TTL) if is_ip(fields) else _TTL
    return {"mpls_label": label, "mpls_tc": tc, "mpls_bos": 1, "mpls_ttl": ttl}


@runs(PopMpls)
def pop_mpls(machine: Machine, action: PopMpls) -> None:
    """Take the outer label off."""
    if machine.fields.get("dl_type") in LABELS:
        reveal(machine, action.ethertype, _SIZE)


@runs(SetMplsTtl)
def set_mpls_ttl(machine: Machine, action: SetMplsTtl) -> None:
    """Set the outer label's time to live."""
    if machine.fields.get("dl_type") in LABELS:
        machine.fields["mpls_ttl"] = action.ttl


@runs(DecMplsTtl)
def dec_mpls_ttl(machine: Machine, action: DecMplsTtl) -> None:
    """Decrement the outer label's time to live."""
    del action
    if machine.fields.get("dl_type") in LABELS:
        decrement(machine, "mpls_ttl", "the label's time to live")
