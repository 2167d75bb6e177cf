"""Flows with tunnel options (tun_metadata): a bridge gets them once, and is then in sync."""

from __future__ import annotations

from pathlib import Path

import pytest

from dvr_ryu.pipeline.load import load_pipelines
from tests.switch.conftest import view_of
from tests.switch.support.controller import Controller
from tests.switch.support.ovs import Ovs

NAME = "server-233/br-tun"
LINES = """
table 40 OPTIONS "What tunnels bring beside the packet."
  tun_metadata0  actions=move:tun_metadata0[0..31]->reg0[],resubmit(,41)
  priority=5, tun_metadata0=7, tun_metadata1=0/0x100000000 \\
    actions=push:tun_metadata1[0..31],pop:tun_metadata0[0..31],delete_field:tun_metadata1,IN_PORT
  priority=4  actions=learn(table=41,cookie=7,tun_metadata1[0..31]=reg0[],\\
    load:tun_metadata1[32..95]->tun_metadata1[32..95],output:tun_metadata0[0..15])
  priority=3  actions=load:5->tun_metadata0[0..31],load:5->tun_metadata1[0..31],IN_PORT
  priority=2  actions=set_field:0->tun_metadata0,set_field:6/7->tun_metadata1,IN_PORT
  each network:
    priority=6, tun_metadata1={network.vni} \\
      actions=load:{network.vni}->reg0[],move:reg0[]->tun_metadata1[0..31],IN_PORT
  miss: drop

table 41 LEARNED "What table 40 has learned."
  miss: drop
"""
TABLE = "{class=0xffff,type=0,len=4}->tun_metadata0,{class=0xffff,type=1,len=12}->tun_metadata1"


@pytest.mark.parametrize("protocol", ["OpenFlow13", "OpenFlow14"])
def test_a_bridge_gets_options_once_and_stays_in_sync(
    ovs: Ovs, controller: Controller, topology_file: Path, flows_folder: Path, protocol: str
) -> None:
    controller.kill()
    file = flows_folder / "br-tun.flows"
    before = file.read_text()
    file.write_text(before + LINES)
    view = view_of(topology_file, "server-233")
    ports = view.planned_ofports("br-tun")
    wanted = len(load_pipelines(flows_folder).basis("br-tun", view, ports).desired())
    controller.start()
    ovs.add_bridge("br-tun", NAME, ports, controller.target, protocol)
    line = controller.wait_for("refuses")
    assert f"{file}:{before.count(chr(10)) + 3}:" in line and "add-tlv-map" in line
    assert ovs.flows("br-tun", "-O", protocol) == []
    ovs.run("ovs-ofctl", "-O", protocol, "add-tlv-map", "br-tun", TABLE)
    controller.wait_for(f"in sync: {wanted} flows, {wanted} added")
    # The next look finds that the deleted flow is missing, and no other difference.
    ovs.run("ovs-ofctl", "-O", protocol, "--strict", "del-flows", "br-tun", "table=41,priority=0")
    controller.wait_for("somebody else changed 1 of our flows")
    controller.wait_for("1 added, 0 changed, 0 removed")
    for _ in range(2):
        mark = controller.mark()
        controller.kill()
        controller.start()
        controller.wait_for(f"in sync: {wanted} flows, nothing to change", mark)
    for text in ("somebody else", "refuses"):
        assert sum(text in line for line in controller.lines()) == 1
    mark = controller.mark()
    file.write_text(before)
    controller.wait_for("in sync", mark)
    assert not any("tun_metadata" in flow for flow in ovs.flows("br-tun", "-O", protocol))
