"""A trace as plain data for programs. Its keys are stable: docs/json.rst describes them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dvr_ryu.pipeline.run.packet import Packet, is_metadata, written_field
from dvr_ryu.pipeline.run.steps import Step as FlowStep
from dvr_ryu.topology.topology import Topology
from dvr_ryu.trace.hops import Hop, Kind, Step, Trace
from dvr_ryu.trace.live.comparing import Comparison
from dvr_ryu.trace.story.lines import flow_text
from dvr_ryu.trace.wording import owner

Document = dict[str, Any]


def of_trace(topology: Topology, trace: Trace, compared: Sequence[Comparison] = ()) -> Document:
    """The document of a trace; `reply` is a document of the same kind, or null. `compared` is what
    the hosts say of the trace, and then of its answer.
    """
    verdict = trace.verdict
    return {
        "from": {
            "name": trace.sender.name,
            "host": trace.sender.host,
            "namespace": trace.sender.namespace,
        },
        "to": {"name": trace.receiver.name, "address": trace.receiver.address},
        "probe": {
            "protocol": trace.probe.protocol,
            "port": trace.probe.port or None,
            "size": trace.probe.size,
        },
        "verdict": {
            "delivered": verdict.delivered,
            "outcome": verdict.outcome.name.lower(),
            "hop": verdict.hop,
            "host": verdict.host,
            "owner": verdict.owner,
            "seen_as": verdict.seen_as,
            "reason": verdict.reason,
        },
        "way": [hop.number for hop in trace.way()],
        "hops": [_hop(topology, hop) for hop in trace.hops],
        "live": of_comparison(compared[0]) if compared else None,
        "reply": of_trace(topology, trace.reply, compared[1:]) if trace.reply else None,
    }


def of_comparison(compared: Comparison) -> Document:
    """The answers of the hosts about a trace."""
    return {
        "asked": list(compared.asked),
        "unasked": list(compared.unasked),
        "departures": [
            {
                "hop": each.hop,
                "step": each.step,
                "host": each.host,
                "node": each.node,
                "text": each.text,
            }
            for each in compared.departures
        ],
    }


def _hop(topology: Topology, hop: Hop) -> Document:
    in_namespace = hop.kind is Kind.NAMESPACE
    return {
        "number": hop.number,
        "parent": hop.parent,
        "awaited": hop.awaited,
        "part": hop.strand.value,
        "host": hop.host,
        "kind": hop.kind.value,
        "node": hop.node,
        "owner": owner(topology, hop.host, hop.node) if in_namespace else None,
        "port": hop.port,
        "packet": _packet(hop.packet),
        "steps": [_step(step) for step in hop.steps],
        "outputs": [
            {"port": each.port, "packet": _packet(each.packet), "hop": each.hop}
            for each in hop.outputs
        ],
        "delivered": bool(hop.delivered),
        "dropped": hop.dropped[0].text if hop.dropped else None,
        "looped": hop.looped,
    }


def _step(step: Step) -> Document:
    """A step of a table has its number, name and location; any other step has only a text."""
    in_table = step if isinstance(step, FlowStep) else None
    location = in_table.location if in_table else None
    text = flow_text(step) or step.actions if isinstance(step, FlowStep) else step.text
    return {
        "table": in_table.table if in_table else None,
        "name": in_table.name if in_table else None,
        "file": location.file if location else None,
        "line": location.line if location else None,
        "text": text,
        "match": in_table.match if in_table else None,
        "actions": in_table.actions if in_table else None,
        "notes": list(in_table.notes) if in_table else [],
        "changes": [
            {"field": name, "before": _value(name, before), "after": _value(name, after)}
            for name, before, after in getattr(step, "changes", ())
        ],
    }


def _packet(packet: Packet) -> Document:
    """The headers of a packet as ovs-ofctl writes their fields, and its size in bytes."""
    fields = {
        name: written_field(name, value)
        for name, value in packet.fields.items()
        if not is_metadata(name) or name == "tun_id"
    }
    return {"size": packet.size, "fields": fields}


def _value(name: str, value: int | None) -> str | None:
    return None if value is None else written_field(name, value)
