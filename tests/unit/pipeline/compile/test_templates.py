"""A template's bytes are Ryu's own for the same flow, whatever row fills it."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dvr_ryu.errors import DvrError
from dvr_ryu.pipeline.compile.binding import BridgeContext
from dvr_ryu.pipeline.compile.columns import Columns
from dvr_ryu.pipeline.compile.flow_bytes import FlowBytes, split_flow_mod
from dvr_ryu.pipeline.compile.flow_mods import ADD
from dvr_ryu.pipeline.compile.template import Template
from dvr_ryu.pipeline.language.cookie import COOKIE
from dvr_ryu.pipeline.language.flow import Flow
from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.shipped import examples_dir, flows_dir
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.relations import RELATIONS, Kind, ThisHost, fields_of
from dvr_ryu.topology.view import HostView
from tests.unit.pipeline.flow_text import (
    as_ryu_reads,
    flow_mod,
    ipv4s,
    macs,
    read,
    serialised,
    tags,
    vnis,
)

TOPOLOGY = load_topology(examples_dir() / "human-defined-dvr.yaml")
PIPELINES = load_pipelines(flows_dir())


class Line(NamedTuple):
    relation: str | None
    template: Template


SHIPPED = {
    f"{bridge}:{flow.location.line}": Line(relation, Template(flow))
    for bridge, pipeline in PIPELINES.by_bridge.items()
    for relation, flow in pipeline.flows()
    if flow.location
}
OWN = {
    line: Line(relation, Template(read(f"table=1,{line}", relation)))
    for relation, line in {
        "tunnel": "ip,in_port={tunnel.port},dl_src={tunnel.dvr_mac},dl_dst={host.dvr_mac} "
        "actions=output:{tunnel.port},output:patch-int,mod_nw_src:{tunnel.address}",
        "network": "tun_id={network.vni},reg3={network.vni} "
        "actions=push_vlan:0x8100,mod_vlan_vid:{network.vlan},"
        "load:{network.vni}->NXM_NX_TUN_ID[],output:{network.flood},output:9,output:{network.flood}",
        "remote_port": "arp,arp_sha={remote_port.mac},arp_spa={remote_port.ip},"
        "arp_tpa={host.address},dl_vlan={remote_port.vlan} "
        "actions=load:{remote_port.ip}->NXM_OF_ARP_SPA[],load:{remote_port.mac}->NXM_NX_ARP_SHA[],"
        "set_field:{remote_port.vni}->tun_id,goto_table:2",
        "gateway": "ip,nw_src={gateway.ip},nw_dst={host.address} "
        "actions=learn(table=2,in_port,output:in_port),mod_nw_dst:{gateway.ip}",
    }.items()
}
LINES = {**SHIPPED, **OWN}


def _filled_by_text(flow: Flow, row: Any, host: ThisHost, ports: dict[str, int]) -> Flow:
    """The flow of the row, without holes, by replacing text in the line that it prints."""

    def value_of(hole: re.Match[str]) -> str:
        before, relation, field = hole.groups()
        source = host if relation == "host" else row
        value = getattr(source, field)
        kind = fields_of(type(source))[field].kind
        if kind is Kind.PORTS:
            numbers = sorted(ports[name] for name in value if name in ports)
            return ",".join(f"{before}{number}" for number in numbers)
        if kind is Kind.PORT:
            return f"{before}{ports[value]}"
        if before.startswith("load:"):
            return f"{before}{_hex(value)}"
        return f"{before}{value}"

    text = re.sub(r"((?:\w+[:=])?)\{(\w+)\.(\w+)\}", value_of, str(flow))
    for name in ("patch-int", "patch-tun"):
        text = text.replace(f"={name}", f"={ports.get(name)}")
        text = text.replace(f":{name}", f":{ports.get(name)}")
    return read(text)


def _hex(value: str | int) -> str:
    if isinstance(value, int):
        return hex(value)
    if ":" in value:
        return "0x" + value.replace(":", "")
    return "0x" + "".join(f"{int(part):02x}" for part in value.split("."))


def _fill(template: Template, row: Any, host: ThisHost, ports: dict[str, int]) -> FlowBytes | None:
    for filled in template.filled(Columns([row], BridgeContext(host, ports))):
        (identity,), (value,) = filled.identities, filled.values
        return FlowBytes(identity, value)
    return None


def _same(line: Line, row: Any, host: ThisHost, ports: dict[str, int]) -> None:
    ours = _fill(line.template, row, host, ports)
    assert ours
    ryus = serialised(_filled_by_text(line.template.flow, row, host, ports))
    assert ours == split_flow_mod(ryus)
    assert as_ryu_reads(flow_mod(5, 0, ADD, ours)) == as_ryu_reads(ryus)


@pytest.mark.parametrize("host", TOPOLOGY.hosts)
def test_every_line_and_every_row_of_the_example_is_as_ryu_writes_it(host: str):
    view = HostView(TOPOLOGY, host)
    filled = 0
    for line in LINES.values():
        for row in getattr(view, line.relation) if line.relation else [None]:
            ports = {**view.planned_ofports("br-int"), **view.planned_ofports("br-tun")}
            _same(line, row, view.this_host, ports)
            filled += 1
    assert filled > len(LINES)


NAMES = [f"port-{number}" for number in range(60)]
VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.MAC: macs,
    Kind.IPV4: ipv4s,
    Kind.VLAN: tags,
    Kind.VNI: vnis,
    Kind.PORT: st.sampled_from(NAMES),
    Kind.PORTS: st.lists(st.sampled_from(NAMES), min_size=1, max_size=40, unique=True).map(tuple),
    Kind.NAME: st.text(max_size=5),
}


def _rows(row_type: type[Any]) -> st.SearchStrategy[Any]:
    return st.builds(row_type, *(VALUES[doc.kind] for doc in fields_of(row_type).values()))


port_maps = st.lists(
    st.integers(1, 0xFEFF), min_size=len(NAMES) + 2, max_size=len(NAMES) + 2, unique=True
).map(lambda numbers: dict(zip([*NAMES, "patch-int", "patch-tun"], numbers, strict=True)))
hosts = _rows(ThisHost)


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
@settings(max_examples=12, deadline=None)
@given(drawn=st.data(), host=hosts, ports=port_maps)
def test_every_line_is_as_ryu_writes_it_whatever_the_row(
    line: Line, drawn: st.DataObject, host: ThisHost, ports: dict[str, int]
):
    row = drawn.draw(_rows(RELATIONS[line.relation])) if line.relation else None
    _same(line, row, host, ports)


@pytest.mark.parametrize("count", [*range(1, 41), 100])
def test_a_list_of_ports_has_any_length(count: int):
    template = OWN[next(line for line in OWN if "flood" in line)]
    ports = {f"p{number}": number for number in range(1, count + 1)}
    row = RELATIONS["network"]("blue", 5, 6, tuple(ports))
    _same(template, row, ThisHost("h", "10.0.0.1", "fa:16:3f:00:00:01"), ports)


def test_ports_that_the_bridge_lacks_are_left_out_and_without_any_there_is_no_flow():
    flows = {name: str(each.template.flow) for name, each in SHIPPED.items()}
    flood = SHIPPED[next(name for name, flow in flows.items() if "network.flood" in flow)]
    host = ThisHost("h", "10.0.0.1", "fa:16:3f:00:00:01")
    row = RELATIONS["network"]("blue", 5, 6, ("b", "gone", "a"))
    _same(flood, row, host, {"a": 4, "b": 3})
    assert _fill(flood.template, row, host, {"c": 1}) is None
    own = OWN[next(line for line in OWN if "in_port={tunnel.port}" in line)]
    tunnel = RELATIONS["tunnel"]("other", "10.0.0.2", "fa:16:3f:00:00:02", "vxlan-1")
    assert _fill(own.template, tunnel, host, {"patch-int": 1}) is None
    assert _fill(own.template, tunnel, host, {"vxlan-1": 1}) is None


def test_a_template_says_which_flow_is_ours_by_its_cookie():
    template = Template(read("table=0,priority=1 actions=drop"))
    host = ThisHost("h", "10.0.0.1", "fa:16:3f:00:00:01")
    filled = _fill(template, None, host, {})
    assert filled
    message = flow_mod(5, 0, ADD, filled)
    assert as_ryu_reads(message)[:3] == (0, 1, COOKIE)


def test_a_flow_longer_than_a_message_is_an_error_with_its_location():
    template = Template(read(f"table=0,priority=1 actions={'output:1,' * 5000}"))
    host = ThisHost("h", "10.0.0.1", "fa:16:3f:00:00:01")
    with pytest.raises(DvrError, match=r"f:2:3: .* 64 KiB"):
        _fill(template, None, host, {})
