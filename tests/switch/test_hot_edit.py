"""A saved edit of flows/ while bridges are connected: only the difference is sent, and it is
logged.
"""

from __future__ import annotations

from pathlib import Path

from tests.switch.conftest import view_of
from tests.switch.support.controller import Controller
from tests.switch.support.ovs import Ovs
from tests.switch.test_sync import HOST, edit, in_sync

SIGNS = ("-", "+", "and ")


def _logged_flows(controller: Controller, since: int) -> list[str]:
    """The log lines of changed flows."""
    controller.wait_for("in sync", since)
    return [line for line in controller.lines()[since:] if line.startswith(SIGNS)]


def test_changed_flows_are_logged_in_the_format_of_diff_flows(
    ovs: Ovs, controller: Controller, topology_file: Path, flows_folder: Path
) -> None:
    in_sync(controller, ovs, view_of(topology_file, HOST))
    assert _logged_flows(controller, 0) == []
    mark = controller.mark()
    before = set(ovs.flows("br-tun", "-O", "OpenFlow14"))
    edit(
        flows_folder / "br-tun.flows",
        "    # Packets that {tunnel.host} routed go straight to br-int, "
        "which puts the gateway's MAC back.\n"
        "    priority=1, dl_src={tunnel.dvr_mac}  actions=output:patch-int\n",
        "    priority=2, dl_src={tunnel.dvr_mac}  actions=output:patch-int\n",
    )
    assert _logged_flows(controller, mark) == [
        "-table=9,priority=1,dl_src=fa:16:3f:08:c7:a5 actions=output:1",
        "-table=9,priority=1,dl_src=fa:16:3f:c9:7c:3c actions=output:1",
        "+table=9,priority=2,dl_src=fa:16:3f:08:c7:a5 actions=output:1",
        "+table=9,priority=2,dl_src=fa:16:3f:c9:7c:3c actions=output:1",
    ]
    assert len(before - set(ovs.flows("br-tun", "-O", "OpenFlow14"))) == 2
    mark = controller.mark()
    edit(flows_folder / "br-tun.flows", "hard_timeout=300", "hard_timeout=30")
    was, now = _logged_flows(controller, mark)
    assert was.startswith("-table=10,priority=1 actions=learn(table=20,hard_timeout=300,")
    assert now.startswith("+table=10,priority=1 actions=learn(table=20,hard_timeout=30,")


def test_an_edit_of_the_topology_and_a_port_that_goes_are_logged_too(
    ovs: Ovs, controller: Controller, topology_file: Path
) -> None:
    in_sync(controller, ovs, view_of(topology_file, HOST))
    mark = controller.mark()
    edit(topology_file, "vm-68: {host: server-68,", "vm-68: {host: server-64,")
    was, now = _logged_flows(controller, mark)
    assert was.startswith("-table=20,priority=2,dl_vlan=2,dl_dst=")
    assert was.endswith("actions=pop_vlan,set_field:0x1a->tun_id,output:3")
    assert now == was.replace("-", "+", 1).replace("output:3", "output:2")
    mark = controller.mark()
    ovs.vsctl("del-port", "vxlan-0a002c44")
    lines = _logged_flows(controller, mark)
    assert "-table=0,priority=1,in_port=3 actions=goto_table:4" in lines


def test_of_a_large_change_some_lines_are_logged_and_the_rest_is_counted(
    ovs: Ovs, controller: Controller, topology_file: Path, flows_folder: Path
) -> None:
    in_sync(controller, ovs, view_of(topology_file, HOST))
    file = flows_folder / "br-tun.flows"
    text = file.read_text()
    mark = controller.mark()
    file.write_text("table 0 ONLY\n  miss: NORMAL\n")
    *lines, more = _logged_flows(controller, mark)
    assert lines[:2] == ["-table=0,priority=0 actions=drop", "+table=0,priority=0 actions=NORMAL"]
    assert len(lines) == 20
    assert more == "and 35 more"
    mark = controller.mark()
    file.write_text(text)
    *lines, more = _logged_flows(controller, mark)
    assert lines[:2] == ["-table=0,priority=0 actions=NORMAL", "+table=0,priority=0 actions=drop"]
    assert (len(lines), more) == (20, "and 35 more")


def test_a_bad_save_is_refused_with_its_location_and_the_next_good_one_is_applied(
    ovs: Ovs, controller: Controller, topology_file: Path, flows_folder: Path
) -> None:
    in_sync(controller, ovs, view_of(topology_file, HOST))
    file = flows_folder / "br-tun.flows"
    before = ovs.flows("br-tun")
    mark = controller.mark()
    edit(file, "miss: goto_table:LEARN_FROM_TUN", "miss: goto_table:LERN_FROM_TUN")
    line = controller.wait_for("LERN_FROM_TUN", mark)
    number = file.read_text().split("LERN_")[0].count("\n") + 1
    assert line.startswith(f"{file}:{number}:20: ")
    assert "did you mean LEARN_FROM_TUN" in line
    assert ovs.flows("br-tun") == before
    mark = controller.mark()
    edit(file, "miss: goto_table:LERN_FROM_TUN", "miss: output:patch-int")
    assert _logged_flows(controller, mark) == [
        "-table=9,priority=0 actions=goto_table:10",
        "+table=9,priority=0 actions=output:1",
    ]


def test_a_warning_is_logged_and_the_save_is_applied(
    ovs: Ovs, controller: Controller, topology_file: Path, flows_folder: Path
) -> None:
    in_sync(controller, ovs, view_of(topology_file, HOST))
    file = flows_folder / "br-tun.flows"
    mark = controller.mark()
    edit(file, "miss: goto_table:LEARN_FROM_TUN", "miss: output:patch-int")
    line = controller.wait_for("warning: ", mark)
    number = file.read_text().split("LEARN_FROM_TUN")[0].count("\n") + 1
    assert line.startswith(f"{file}:{number}:10: warning: no flow goes to LEARN_FROM_TUN")
    assert len(_logged_flows(controller, mark)) == 2
