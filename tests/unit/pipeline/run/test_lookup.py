"""Look-ups work on lines and rows: rows are read once, when a packet needs them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from dvr_ryu.pipeline.compile.binding import BridgeContext
from dvr_ryu.pipeline.language.numbers import read_mac
from dvr_ryu.pipeline.language.syntax import parse_pipeline
from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.pipeline.run.headers import Fields
from dvr_ryu.pipeline.run.lookup import Lookup
from dvr_ryu.shipped import examples_dir, flows_dir
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.view import HostView

VIEW = HostView(load_topology(examples_dir() / "human-defined-dvr.yaml"), "server-233")
UNICAST, DEPARTED = 20, 0x02FFFFFFFFFF


def lookup(text: str, reads: Counter[str] | None = None, bridge: str = "br-tun") -> Lookup:
    reads = Counter() if reads is None else reads
    pipelines = load_pipelines(flows_dir())
    pipeline = parse_pipeline(text, "t.flows", bridge) if text else pipelines.by_bridge[bridge]
    ports = VIEW.planned_ofports(bridge)

    def rows_of(relation: str) -> Iterable[Any]:
        reads[relation] += 1
        rows: Iterable[Any] = getattr(VIEW, relation)
        return rows

    return Lookup(pipeline, rows_of, BridgeContext(VIEW.this_host, ports))


def test_rows_are_read_once_and_when_they_are_needed() -> None:
    reads: Counter[str] = Counter()
    tables = lookup("", reads)
    assert not reads
    remote = [*VIEW.remote_port]
    for row in remote:
        mac = read_mac(row.mac)
        fields: Fields = {"vlan_tci": 0x1000 | row.vlan, "dl_dst": mac}
        found = tables.find(UNICAST, fields)
        assert found and row.host in found.flow.sentence
    assert reads == {"remote_port": 1}


def test_what_no_row_has_goes_to_the_miss() -> None:
    found = lookup("").find(UNICAST, {"vlan_tci": 0x1001, "dl_dst": DEPARTED})
    assert found and found.flow.priority == 0


def test_a_tag_does_not_match_a_packet_without_one() -> None:
    row = next(iter(VIEW.remote_port))
    mac = read_mac(row.mac)
    found = lookup("").find(UNICAST, {"dl_dst": mac})
    assert found and found.flow.priority == 0


def test_a_conjunction_needs_a_flow_of_each_clause() -> None:
    tables = lookup(
        'table 0 START "."\n'
        "  priority=5, ip, nw_src=10.0.0.1  actions=conjunction(7,1/2)\n"
        "  priority=5, tcp, tp_dst=80  actions=conjunction(7,2/2)\n"
        "  priority=5, ip, conj_id=7  actions=LOCAL\n"
        "  miss: drop\n"
    )
    http: Fields = {"dl_type": 0x800, "nw_proto": 6, "nw_src": 0x0A000001, "tcp_dst": 80}
    found = tables.find(0, http)
    assert found and found.actions_text == "LOCAL"
    for other in ({"nw_src": 0x0A000002}, {"tcp_dst": 81}):
        found = tables.find(0, {**http, **other})
        assert found and found.actions_text == "drop"


def test_a_flow_whose_port_the_bridge_lacks_is_not_there() -> None:
    tables = lookup('table 0 START "."\n  priority=5  actions="absent"\n  miss: drop\n')
    found = tables.find(0, {})
    assert found and found.flow.priority == 0
