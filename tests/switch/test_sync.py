"""A controller brings real bridges to what the topology wants, and keeps them there."""

from __future__ import annotations

from pathlib import Path

import pytest

from dvr_ryu.pipeline.program import Program
from dvr_ryu.topology.view import HostView
from tests.switch.conftest import view_of
from tests.switch.controller import Controller
from tests.switch.ovs import Ovs, words

HOST = "server-233"
BRIDGES = ("br-tun", "br-int")


def expected(program: Program, view: HostView, bridge: str, ports: dict[str, int]) -> list[str]:
    return [flow.installed() for flow in program.flows(bridge, view, ports)]


def assert_holds(
    ovs: Ovs, bridge: str, lines: list[str], protocol: str = "OpenFlow14"
) -> None:
    """`ovs-ofctl diff-flows` finds no difference between the bridge and the lines."""
    file = ovs.folder / "expected.flows"
    file.write_text(words(lines))
    ovs.run("ovs-ofctl", "-O", protocol, "diff-flows", bridge, str(file))


def connect(ovs: Ovs, controller: Controller, view: HostView, bridge: str) -> None:
    ovs.add_bridge(bridge, f"{HOST}/{bridge}", view.planned_ofports(bridge), controller.target)


@pytest.mark.parametrize("bridge", BRIDGES)
@pytest.mark.parametrize("protocol", ["OpenFlow13", "OpenFlow14"])
def test_fills_a_new_bridge(
    ovs: Ovs, controller: Controller, topology_file: Path, program: Program, bridge: str, protocol: str
) -> None:
    view = view_of(topology_file, HOST)
    ports = view.planned_ofports(bridge)
    ovs.add_bridge(bridge, f"{HOST}/{bridge}", ports, controller.target, f"OpenFlow10,{protocol}")
    controller.wait_for(f"{HOST}/{bridge} in sync")
    assert_holds(ovs, bridge, expected(program, view, bridge, ports), protocol)
