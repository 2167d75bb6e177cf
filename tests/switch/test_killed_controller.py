"""A controller is killed in the middle of a change: the switch keeps its flows, and the next
controller brings it to the desired flows.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from dvr_ryu.lab.wait import wait_until
from dvr_ryu.pipeline.compile.pipelines import Pipelines
from tests.switch.conftest import view_of
from tests.switch.support.controller import PATIENCE, Controller
from tests.switch.support.killed_manager import COMMITTED, MOMENTS
from tests.switch.support.ovs import Ovs
from tests.switch.test_sync import HOST, assert_holds, edit, expected, in_sync

KILLED_MANAGER = Path(__file__).parent / "support" / "killed_manager.py"
EDITS = (
    ("  vm-68: {host: server-68,", "  vm-68: {host: server-64,"),
    ("  lonely-68: {host: server-68, network: lonely}\n", ""),
    ("instances:\n", "instances:\n  newcomer: {host: server-68, network: blue}\n"),
)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_bundle_is_made_whole_or_not_at_all(
    ovs: Ovs, controller: Controller, topology_file: Path, pipelines: Pipelines, moment: str
) -> None:
    in_sync(controller, ovs, view_of(topology_file, HOST))
    controller.kill()
    old = ovs.flows("br-tun", "-O", "OpenFlow14")
    for before, after in EDITS:
        edit(topology_file, before, after)
    usual = controller.command
    controller.command = [sys.executable, str(KILLED_MANAGER), moment, *usual[1:]]
    controller.start()
    assert controller.wait_for_end() == -signal.SIGKILL
    if moment != COMMITTED:
        assert ovs.flows("br-tun", "-O", "OpenFlow14") == old
    controller.command = usual
    mark = controller.mark()
    controller.start()
    line = controller.wait_for(f"{HOST}/br-tun in sync", mark)
    assert ("nothing to change" in line) == (moment == COMMITTED)
    assert ovs.flows("br-tun", "-O", "OpenFlow14") != old
    view = view_of(topology_file, HOST)
    assert_holds(ovs, "br-tun", expected(pipelines, view, "br-tun", view.planned_ofports("br-tun")))


DAMAGE = (
    ["del-flows", "br-tun", "table=21"],
    ["mod-flows", "br-tun", "table=4,actions=drop"],
    ["add-flow", "br-tun", "cookie=0x6476725f727975,table=20,dl_vlan=9 actions=drop"],
)


@pytest.mark.parametrize("protocol", ["OpenFlow13", "OpenFlow14"])
def test_our_flows_are_restored_after_foreign_changes(
    ovs: Ovs, controller: Controller, topology_file: Path, pipelines: Pipelines, protocol: str
) -> None:
    view = view_of(topology_file, HOST)
    ports = view.planned_ofports("br-tun")
    ovs.add_bridge("br-tun", f"{HOST}/br-tun", ports, controller.target, f"OpenFlow10,{protocol}")
    controller.wait_for(f"{HOST}/br-tun in sync")
    mark = controller.mark()
    foreign = "cookie=0x5, table=20, priority=7,dl_dst=fa:16:3e:00:00:77 actions=drop"
    ovs.run("ovs-ofctl", "-O", protocol, "add-flow", "br-tun", foreign)
    wanted = expected(pipelines, view, "br-tun", ports)
    for damage in DAMAGE:
        ovs.run("ovs-ofctl", "-O", protocol, *damage)
    wait_until(
        lambda: len(ovs.flows("br-tun", "-O", protocol)) == len(wanted) + 1, PATIENCE, "all again"
    )
    controller.wait_for("somebody else changed", mark)
    ovs.run("ovs-ofctl", "-O", protocol, "del-flows", "br-tun", "cookie=0x5/-1")
    assert_holds(ovs, "br-tun", wanted, protocol)
    mark = controller.mark()
    ovs.run("ovs-ofctl", "-O", protocol, "del-flows", "br-tun")
    controller.wait_for(f"somebody else changed {len(wanted)} of our flows", mark)
    controller.wait_for(f"{len(wanted)} added, 0 changed, 0 removed", mark)
    assert_holds(ovs, "br-tun", wanted, protocol)
