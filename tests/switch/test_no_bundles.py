"""A switch that speaks OpenFlow 1.3 and knows no bundles gets its flows one by one."""

from __future__ import annotations

from pathlib import Path

from dvr_ryu.lab.wait import wait_until
from dvr_ryu.pipeline.compile.pipelines import Pipelines
from tests.switch.conftest import view_of
from tests.switch.support.controller import PATIENCE, Controller
from tests.switch.support.plain import PlainSwitch


def test_a_switch_without_bundles_is_filled(
    controller: Controller, topology_file: Path, pipelines: Pipelines
) -> None:
    view = view_of(topology_file, "server-64")
    ports = view.planned_ofports("br-tun")
    switch = PlainSwitch(controller.port, ports)
    switch.start()
    try:
        controller.wait_for("server-64/br-tun in sync")
        wanted = pipelines.basis("br-tun", view, ports).desired()
        assert switch.flows == wanted
        refused, sent = switch.refused, len(switch.flow_mods)
        assert refused and sent == len(wanted)
        text = topology_file.read_text()
        topology_file.write_text(
            text.replace("vm-68: {host: server-68", "vm-68: {host: server-233")
        )
        wait_until(lambda: len(switch.flow_mods) > sent, PATIENCE, "the edit's flow-mod")
        assert (len(switch.flow_mods), switch.refused) == (sent + 1, refused)
    finally:
        switch.close()


def test_a_controller_that_was_killed_halfway_goes_on_from_there(
    controller: Controller, topology_file: Path, pipelines: Pipelines
) -> None:
    """The next controller reads the flows of the switch, and sends only the others."""
    view = view_of(topology_file, "server-64")
    ports = view.planned_ofports("br-tun")
    wanted = pipelines.basis("br-tun", view, ports).desired()
    half = len(wanted) // 2
    first = PlainSwitch(controller.port, ports, most=half)
    first.start()
    first.join(20)
    controller.kill()
    assert len(first.flows) == half
    mark = controller.mark()
    controller.start()
    second = PlainSwitch(controller.port, ports, first.flows)
    second.start()
    try:
        line = controller.wait_for("server-64/br-tun in sync", mark)
        assert f"{len(wanted)} flows, {len(wanted) - half} added, 0 changed, 0 removed" in line
        assert second.flows == wanted
    finally:
        second.close()


def test_an_old_connection_that_is_dead_takes_nothing_from_the_new_one(
    controller: Controller, topology_file: Path
) -> None:
    """The reported ports of the bridge say where an instance is when its host is edited."""
    name = "server-68/br-int"
    ports = view_of(topology_file, "server-68").planned_ofports("br-int")
    connections = []
    try:
        for _ in range(2):
            mark = controller.mark()
            connections.append(PlainSwitch(controller.port, ports, name=name))
            connections[-1].start()
            controller.wait_for(f"{name} in sync", mark)
            if len(connections) == 1:
                connections[0].hang()
        controller.wait_for(f"does not answer, and 127.0.0.1:{connections[1].port} says", mark)
        controller.wait_for(f"{name} disconnected", mark)
        mark = controller.mark()
        text = topology_file.read_text()
        topology_file.write_text(
            text.replace("vm-68: {host: server-68", "vm-68: {host: server-233")
        )
        assert "nothing to change" in controller.wait_for(f"{name} in sync", mark)
        controller.wait_for("vm-68 is still on server-68", mark)
    finally:
        for each in connections:
            each.close()
