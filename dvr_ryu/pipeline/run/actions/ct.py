"""Runs ct and ct_clear: tracks the packet's connection in a zone, commits and translates it."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve

from dvr_ryu.pipeline.language.actions.ct import Ct, CtClear
from dvr_ryu.pipeline.language.actions.nat import Nat
from dvr_ryu.pipeline.language.fields import IP, Subfield
from dvr_ryu.pipeline.language.flags import LATER
from dvr_ryu.pipeline.run.action_set import set_of
from dvr_ryu.pipeline.run.connections import (
    DNAT,
    NEW,
    SNAT,
    Connection,
    Ends,
    ends_of,
    find,
    seen,
    state_of,
    translated,
    with_ends,
)
from dvr_ryu.pipeline.run.headers import Fields, get_bits
from dvr_ryu.pipeline.run.machine import Machine, runs
from dvr_ryu.pipeline.run.packet import ICMP, ICMPV6

_PORTS = range(1024, 1 << 16)
"""Ports that nat may take if the packet's own is in use."""


@runs(CtClear)
def ct_clear(machine: Machine, action: CtClear) -> None:
    """Forget what ct told of the packet."""
    del action
    clear(machine.fields)


@runs(Ct)
def ct(machine: Machine, action: Ct) -> None:
    """Track the connection; a copy of the packet goes on in a table, if one is named."""
    zone = action.zone
    number = get_bits(machine.fields, zone) if isinstance(zone, Subfield) else zone
    tracked = _track(machine, action, number)
    clear(machine.fields)
    if action.table is None:
        return
    plain = machine.save()
    machine.fields |= tracked
    step, table = machine.step, machine.frame.table
    machine.push(
        set_of(machine), step, table, leave=lambda: machine.restore(plain), stops_exit=True
    )
    machine.look_up(action.table, step.depth + 1)


def clear(fields: Fields) -> None:
    """Remove the fields of the connection."""
    for name in [name for name in fields if name.startswith("ct_")]:
        del fields[name]


def _track(machine: Machine, action: Ct, zone: int) -> Fields:
    """Look the connection up, commit it, translate the packet; return the fields of it."""
    fields = _put_together(machine)
    ends = ends_of(fields)
    connection = find(machine.state.connections, zone, ends) if ends else None
    if connection and action.force and ends != connection.original:
        machine.state = machine.state.without(connection)
        connection = None
    state = state_of(connection, ends, fields)
    before = connection
    if ends and connection:
        connection = seen(connection, ends)
    elif ends and action.commit and state & NEW:
        connection = _committed(machine, action.nat, zone, ends)
    if connection and action.commit:
        connection = _written(machine, action, connection)
    if connection and connection != before:
        machine.state = machine.state.with_connection(connection, instead_of=before)
    if connection and ends and action.nat is not None:
        state |= _translate(machine, connection, ends)
    return _fields_of(state, zone, connection, ends)


def _put_together(machine: Machine) -> Fields:
    """The fields that ct sees: those of the whole packet, which a later fragment has as payload."""
    whole = machine.payload
    if whole is None or not machine.fields.get("nw_frag", 0) & LATER:
        return machine.fields
    return {**whole.fields, **machine.fields}


def _translate(machine: Machine, connection: Connection, ends: Ends) -> int:
    """Change the packet's ends as the connection's nat does; return ct_state's bits for that."""
    after = translated(connection, ends)
    machine.fields = with_ends(machine.fields, after)
    if machine.payload and machine.fields.get("nw_frag", 0):
        whole = with_ends(machine.payload.fields, after)
        machine.payload = evolve(machine.payload, fields=whole)
    source = (after.src, after.src_port) != (ends.src, ends.src_port)
    target = (after.dst, after.dst_port) != (ends.dst, ends.dst_port)
    return SNAT * source | DNAT * target


def _fields_of(state: int, zone: int, connection: Connection | None, ends: Ends | None) -> Fields:
    fields = {"ct_state": state, "ct_zone": zone}
    if connection:
        fields |= {"ct_mark": connection.mark, "ct_label": connection.label}
    first = connection.original if connection else ends
    if first:
        names = (
            ("ct_nw_src", "ct_nw_dst") if first.dl_type == IP else ("ct_ipv6_src", "ct_ipv6_dst")
        )
        fields |= dict(zip(names, (first.src, first.dst), strict=True))
        fields |= {"ct_nw_proto": first.protocol}
        if first.protocol not in (ICMP, ICMPV6):
            fields |= {"ct_tp_src": first.src_port, "ct_tp_dst": first.dst_port}
    return fields


def _written(machine: Machine, action: Ct, connection: Connection) -> Connection:
    """The connection after the writes of exec, which see only its own fields and the packet's."""
    outer = machine.fields
    machine.fields = {**outer, "ct_mark": connection.mark, "ct_label": connection.label}
    for each in action.exec:
        machine.run_action(each)
    mark, label = machine.fields["ct_mark"], machine.fields["ct_label"]
    machine.fields = outer
    return evolve(connection, mark=mark, label=label)


def _committed(machine: Machine, nat: Nat | None, zone: int, ends: Ends) -> Connection:
    """A new connection of the packet, with the nat's choice of ends."""
    if nat is None or not nat.side:
        return Connection(zone, ends, ends.reversed())
    if nat.last is not None:
        machine.note("nat chooses one of several addresses: this goes on with the first")
    for after in _choices(nat, ends):
        if find(machine.state.connections, zone, after.reversed()) is None:
            return Connection(zone, ends, after.reversed())
    machine.note("nat finds no free port: the packet is not translated")
    return Connection(zone, ends, ends.reversed())


def _choices(nat: Nat, ends: Ends) -> Iterator[Ends]:
    """The ends that nat may give the packet, the best first."""
    source = nat.side == "src"
    address, port = (ends.src, ends.src_port) if source else (ends.dst, ends.dst_port)
    address = address if nat.first is None else nat.first
    low = nat.low
    ports = _PORTS if low is None else range(low, (low if nat.high is None else nat.high) + 1)
    start = port if low is None or port in ports else low
    for each in _from(start, ports):
        if source:
            yield ends._replace(src=address, src_port=each)
        else:
            yield ends._replace(dst=address, dst_port=each)


def _from(start: int, ports: range) -> Iterator[int]:
    """A port, the greater ones, then the lesser ones."""
    yield start
    yield from (each for each in ports if each > start)
    yield from (each for each in ports if each < start)
