"""A controller brings real bridges to the flows that the topology demands, and keeps them there."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from dvr_ryu.cli import cli
from dvr_ryu.lab.wait import wait_until
from dvr_ryu.pipeline.compile.pipelines import Pipelines
from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.shipped import flows_dir
from dvr_ryu.topology.view import HostView
from tests.switch.conftest import view_of
from tests.switch.support.controller import PATIENCE, RYU_MANAGER, Controller
from tests.switch.support.loopback import from_loopback
from tests.switch.support.ovs import Ovs, flow_file

HOST = "server-233"
BRIDGES = ("br-tun", "br-int")


def expected(pipelines: Pipelines, view: HostView, bridge: str, ports: dict[str, int]) -> list[str]:
    return [flow.installed() for flow in pipelines.basis(bridge, view, ports).flows()]


def assert_holds(ovs: Ovs, bridge: str, lines: list[str], protocol: str = "OpenFlow14") -> None:
    """The bridge has exactly the flows that ovs-ofctl makes of the lines on another bridge;
    ovs-ofctl compares them.
    """
    ovs.vsctl("--may-exist", "add-br", "judge", "--", "set", "bridge", "judge", "fail_mode=secure",
              "datapath_type=dummy")  # fmt: skip
    ovs.run("ovs-ofctl", "-O", protocol, "del-flows", "judge")
    ovs.run("ovs-ofctl", "-O", protocol, "add-flows", "judge", "-", input=flow_file(lines))
    ovs.run("ovs-ofctl", "-O", protocol, "diff-flows", bridge, "judge")


def connect(ovs: Ovs, controller: Controller, view: HostView, bridge: str) -> None:
    ovs.add_bridge(bridge, f"{HOST}/{bridge}", view.planned_ofports(bridge), controller.target)


@pytest.mark.parametrize("bridge", BRIDGES)
@pytest.mark.parametrize("protocol", ["OpenFlow13", "OpenFlow14"])
def test_fills_a_new_bridge(
    ovs: Ovs,
    controller: Controller,
    topology_file: Path,
    pipelines: Pipelines,
    bridge: str,
    protocol: str,
) -> None:
    view = view_of(topology_file, HOST)
    ports = view.planned_ofports(bridge)
    ovs.add_bridge(bridge, f"{HOST}/{bridge}", ports, controller.target, f"OpenFlow10,{protocol}")
    controller.wait_for(f"{HOST}/{bridge} in sync")
    assert_holds(ovs, bridge, expected(pipelines, view, bridge, ports), protocol)


def in_sync(controller: Controller, ovs: Ovs, view: HostView, bridge: str = "br-tun") -> None:
    connect(ovs, controller, view, bridge)
    controller.wait_for(f"{HOST}/{bridge} in sync")


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_learned_flows_are_removed_with_the_network(
    ovs: Ovs, controller: Controller, topology_file: Path
) -> None:
    """Another instance may get its tag and its port number."""
    in_sync(controller, ovs, view_of(topology_file, HOST))
    learned = "table=20,cookie=0x6c6561726e6564,priority=1,dl_vlan=7,dl_dst=fa:16:3e:00:00:07"
    foreign = learned.replace("0x6c6561726e6564", "0x7").replace("dl_vlan=7", "dl_vlan=8")
    for flow in (learned, foreign):
        ovs.run("ovs-ofctl", "-O", "OpenFlow14", "add-flow", "br-tun", f"{flow},actions=drop")

    def there() -> list[bool]:
        flows = "".join(ovs.flows("br-tun", "-O", "OpenFlow14"))
        return [f"dl_vlan={tag},dl_dst=fa:16:3e:00:00:07" in flows for tag in (7, 8)]

    mark = controller.mark()
    edit(topology_file, "vm-68: {host: server-68,", "vm-68: {host: server-64,")
    controller.wait_for("in sync", mark)
    assert there() == [True, True]
    mark = controller.mark()
    edit(topology_file, "lonely-233: {host: server-233,", "lonely-233: {host: server-68,")
    controller.wait_for("in sync", mark)
    assert there() == [False, True]


def test_learned_flows_are_removed_with_the_lines_that_learn(
    ovs: Ovs, controller: Controller, topology_file: Path, flows_folder: Path
) -> None:
    in_sync(controller, ovs, view_of(topology_file, HOST))
    learned = "table=20,cookie=0x6c6561726e6564,priority=1,dl_vlan=7,dl_dst=fa:16:3e:00:00:07"
    ovs.run("ovs-ofctl", "-O", "OpenFlow14", "add-flow", "br-tun", f"{learned},actions=drop")
    mark = controller.mark()
    for file in ("br-int.flows", "br-tun.flows"):
        shutil.copy(flows_dir() / "experiments" / "article" / file, flows_folder)
    controller.wait_for("in sync", mark)
    view = view_of(topology_file, HOST)
    article = load_pipelines(flows_folder)
    assert_holds(ovs, "br-tun", expected(article, view, "br-tun", view.planned_ofports("br-tun")))


def test_dvr_flows_prints_the_flows_of_the_bridge(
    ovs: Ovs, controller: Controller, topology_file: Path
) -> None:
    view = view_of(topology_file, HOST)
    for bridge in BRIDGES:
        in_sync(controller, ovs, view, bridge)
        command = ["flows", str(topology_file), "--host", HOST, "--bridge", bridge]
        printed = CliRunner().invoke(cli, command).stdout.splitlines()
        assert_holds(ovs, bridge, printed)
        ovs.run("ovs-ofctl", "parse-flows", "-", input=flow_file(printed))


def test_a_restarted_controller_changes_nothing(
    ovs: Ovs, controller: Controller, topology_file: Path
) -> None:
    view = view_of(topology_file, HOST)
    in_sync(controller, ovs, view)
    packet = "in_port=patch-int,dl_vlan=1,dl_src=fa:16:3e:ff:aa:66,dl_dst=fa:16:3e:00:00:05"
    ovs.run("ovs-appctl", "netdev-dummy/receive", "patch-int", flow_of(packet))
    ovs.run("ovs-appctl", "revalidator/wait")
    counted = counters(ovs)
    assert "n_packets=1" in counted
    controller.kill()
    mark = controller.mark()
    controller.start()
    controller.wait_for(f"{HOST}/br-tun in sync: 54 flows, nothing to change", mark)
    assert counters(ovs) == counted


def flow_of(text: str) -> str:
    """A packet with these fields, in the notation of ovs-appctl."""
    names = dict(word.split("=") for word in text.split(","))
    return (
        f"in_port(1),eth(src={names['dl_src']},dst={names['dl_dst']}),eth_type(0x8100),"
        f"vlan(vid={names['dl_vlan']},pcp=0),encap(eth_type(0x0800),ipv4(src=1.1.1.1,dst=2.2.2.2,"
        "proto=17,tos=0,ttl=64,frag=no),udp(src=1,dst=2))"
    )


def counters(ovs: Ovs) -> str:
    """All flows with their packet and byte counters, but without their ages."""
    printed = ovs.run("ovs-ofctl", "-O", "OpenFlow14", "dump-flows", "br-tun")
    return re.sub(r"(duration|idle_age|hard_age)=[^,]*, ", "", printed)


def test_an_edited_topology_is_a_difference(
    ovs: Ovs, controller: Controller, topology_file: Path, pipelines: Pipelines
) -> None:
    in_sync(controller, ovs, view_of(topology_file, HOST))
    mark = controller.mark()
    edit(topology_file, "vm-68: {host: server-68,", "vm-68: {host: server-64,")
    line = controller.wait_for("in sync", mark)
    assert "0 added, 1 changed, 0 removed" in line and "(table 20: 1)" in line
    view = view_of(topology_file, HOST)
    assert_holds(ovs, "br-tun", expected(pipelines, view, "br-tun", view.planned_ofports("br-tun")))


def test_a_broken_topology_changes_nothing(
    ovs: Ovs, controller: Controller, topology_file: Path
) -> None:
    in_sync(controller, ovs, view_of(topology_file, HOST))
    before = ovs.flows("br-tun")
    mark = controller.mark()
    edit(topology_file, "network: yellow}", "network: yelow}")
    line = controller.wait_for("yelow", mark)
    assert line.startswith(f"{topology_file}:")
    assert "did you mean 'yellow'" in line
    edit(topology_file, "network: yelow}", "network: yellow}  ")
    edit(topology_file, "  lonely-68: {host: server-68, network: lonely}\n", "")
    controller.wait_for(f"{HOST}/br-tun in sync", mark)
    assert len(ovs.flows("br-tun")) == len(before) - 3


def test_edited_flows_are_a_difference(
    ovs: Ovs, controller: Controller, topology_file: Path, flows_folder: Path
) -> None:
    in_sync(controller, ovs, view_of(topology_file, HOST))
    mark = controller.mark()
    edit(flows_folder / "br-tun.flows", "hard_timeout=300", "hard_timeout=200")
    line = controller.wait_for("in sync", mark)
    assert "0 added, 1 changed, 0 removed" in line and "(table 10: 1)" in line
    mark = controller.mark()
    edit(flows_folder / "br-tun.flows", "actions=goto_table:DVR_PROCESS", "actions=goto_table:DVR")
    line = controller.wait_for("no table 'DVR'", mark)
    assert f"{flows_folder}/br-tun.flows:6:" in line


def test_a_port_that_comes_later_gets_its_flows(
    ovs: Ovs, controller: Controller, topology_file: Path, pipelines: Pipelines
) -> None:
    view = view_of(topology_file, HOST)
    ports = view.planned_ofports("br-tun")
    tunnel = "vxlan-0a002c44"
    fewer = {name: number for name, number in ports.items() if name != tunnel}
    ovs.add_bridge("br-tun", f"{HOST}/br-tun", fewer, controller.target)
    controller.wait_for("in sync")
    assert_holds(ovs, "br-tun", expected(pipelines, view, "br-tun", fewer))
    # The port has another number than planned: the controller goes by the name.
    mark = controller.mark()
    ovs.vsctl("add-port", "br-tun", tunnel, "--", "set", "interface", tunnel, "type=dummy",
              "ofport_request=9")  # fmt: skip
    controller.wait_for("in sync", mark)
    assert_holds(ovs, "br-tun", expected(pipelines, view, "br-tun", {**ports, tunnel: 9}))
    mark = controller.mark()
    ovs.vsctl("del-port", tunnel)
    controller.wait_for("in sync", mark)
    assert_holds(ovs, "br-tun", expected(pipelines, view, "br-tun", fewer))


def test_foreign_and_learned_flows_are_left_alone(
    ovs: Ovs, controller: Controller, topology_file: Path
) -> None:
    in_sync(controller, ovs, view_of(topology_file, HOST))
    controller.kill()
    foreign = "cookie=0x5, table=20, priority=7,dl_dst=fa:16:3e:00:00:77 actions=drop"
    stale = "cookie=0x6476725f727975,table=20,priority=2,dl_vlan=9 actions=drop"
    for line in (foreign, stale):
        ovs.run("ovs-ofctl", "-O", "OpenFlow14", "add-flow", "br-tun", line)
    mark = controller.mark()
    controller.start()
    controller.wait_for("0 added, 0 changed, 1 removed", mark)
    flows = ovs.flows("br-tun", "-O", "OpenFlow14")
    assert foreign in flows
    assert not any("dl_vlan=9 " in line for line in flows)
    controller.wait_for("server-233/br-tun has 1 flow of others: left alone", mark)


GROUP = ("  miss: drop\n\ntable 9", "  miss: group:9\n\ntable 9")
"""The switch refuses an edit of br-tun until a group is added."""


def test_a_refused_flow_is_named_and_nothing_is_changed(
    ovs: Ovs, controller: Controller, topology_file: Path, flows_folder: Path
) -> None:
    in_sync(controller, ovs, view_of(topology_file, HOST))
    before = ovs.flows("br-tun")
    mark = controller.mark()
    edit(flows_folder / "br-tun.flows", *GROUP)
    line = controller.wait_for("refuses", mark)
    lines = (flows_folder / "br-tun.flows").read_text().split("group:9")[0]
    number = lines.count("\n") + 1
    assert f"{flows_folder}/br-tun.flows:{number}:" in line
    assert ovs.flows("br-tun") == before
    mark = controller.mark()
    edit(flows_folder / "br-tun.flows", "group:9", "drop")
    controller.wait_for("nothing to change", mark)


def add_group(ovs: Ovs) -> None:
    ovs.run("ovs-ofctl", "-O", "OpenFlow14", "add-group", "br-tun", "group_id=9,type=all")


def test_a_refused_edit_is_tried_again_and_the_old_flows_stay_till_then(
    ovs: Ovs, controller: Controller, topology_file: Path, flows_folder: Path
) -> None:
    in_sync(controller, ovs, view_of(topology_file, HOST))
    before = ovs.flows("br-tun")
    mark = controller.mark()
    edit(flows_folder / "br-tun.flows", *GROUP)
    controller.wait_for("refuses", mark)
    ovs.run("ovs-ofctl", "del-flows", "br-tun")
    wait_until(lambda: ovs.flows("br-tun") == before, PATIENCE, "the flows that somebody deleted")
    add_group(ovs)
    assert "0 added, 1 changed, 0 removed" in controller.wait_for("in sync", mark)
    assert sum("refuses" in line for line in controller.lines()[mark:]) == 1


def test_a_bridge_that_refuses_its_first_flows_is_tried_again(
    ovs: Ovs, controller: Controller, topology_file: Path, flows_folder: Path
) -> None:
    controller.kill()
    edit(flows_folder / "br-tun.flows", *GROUP)
    controller.start()
    connect(ovs, controller, view_of(topology_file, HOST), "br-tun")
    controller.wait_for("refuses")
    assert ovs.flows("br-tun") == []
    add_group(ovs)
    controller.wait_for("in sync: 54 flows, 54 added")


def test_an_unknown_bridge_is_left_alone(ovs: Ovs, controller: Controller) -> None:
    ovs.add_bridge("br-x", "nobody/br-x", {"a": 1}, controller.target)
    controller.wait_for("is no bridge of the topology: left alone")
    assert ovs.flows("br-x") == []


def test_a_bridge_comes_and_goes_with_its_host(
    ovs: Ovs, controller: Controller, topology_file: Path
) -> None:
    """The controller's address changes in the topology file only: the connection stays."""
    ovs.add_bridge("br-tun", "late/br-tun", {}, controller.target)
    controller.wait_for("late/br-tun is no bridge of the topology: left alone")
    late = from_loopback("  late: {address: 10.0.44.99}\n")
    edit(topology_file, "hosts:\n", f"hosts:\n{late}")
    controller.wait_for("late/br-tun in sync")
    filled = ovs.flows("br-tun")
    assert filled
    mark = controller.mark()
    edit(topology_file, late, "")
    controller.wait_for("late/br-tun is no bridge of the topology: left alone", mark)
    assert ovs.flows("br-tun") == filled


def test_a_bridge_is_known_by_its_pinned_datapath_id(
    ovs: Ovs, controller: Controller, topology_file: Path
) -> None:
    edit(topology_file, "    snat: true\n", "    snat: true\n    datapath_ids: {br-tun: 0xd1a}\n")
    controller.kill()
    controller.start()
    ovs.add_bridge("br-x", "no words", {}, controller.target)
    ovs.vsctl("set", "bridge", "br-x", "other_config:datapath-id=0000000000000d1a")
    controller.wait_for("server-64/br-tun in sync")


def test_a_bridge_that_loses_its_flows_and_connection_gets_them_back(
    ovs: Ovs, controller: Controller, topology_file: Path
) -> None:
    in_sync(controller, ovs, view_of(topology_file, HOST))
    before = ovs.flows("br-tun")
    mark = controller.mark()
    ovs.stop()
    controller.wait_for(f"{HOST}/br-tun disconnected", mark)
    ovs.start()
    controller.wait_for(f"{HOST}/br-tun in sync: 54 flows, 54 added", mark)
    assert ovs.flows("br-tun") == before


def listening(controller: Controller) -> str:
    return controller.wait_for("listening on").rpartition(" ")[2]


@pytest.mark.parametrize(
    ("line", "address"), [("controller: tcp:127.0.0.3:{port}", "127.0.0.3"), ("", "127.0.0.1")]
)
def test_it_listens_where_the_topology_says_and_else_on_loopback(
    folder: Path, topology_file: Path, line: str, address: str
) -> None:
    controller = Controller(folder, topology_file)
    edit(topology_file, "controller: tcp:10.0.44.1:6653", line.format(port=controller.port))
    options = [] if line else [f"--ofp-tcp-listen-port={controller.port}"]
    controller.command = [str(RYU_MANAGER), *options, "dvr_ryu.app"]
    with controller:
        assert listening(controller) == f"tcp:{address}:{controller.port}"


def test_flows_with_a_cookie_of_their_own_are_ours(
    ovs: Ovs, controller: Controller, topology_file: Path, flows_folder: Path
) -> None:
    in_sync(controller, ovs, view_of(topology_file, HOST))
    mark = controller.mark()
    marked = (
        "cookie=0x77,idle_timeout=600,importance=3,send_flow_rem,priority=9,reg0=0x7 actions=drop"
    )
    edit(
        flows_folder / "br-tun.flows", "table 20 UCAST_TO_TUN", f"  {marked}\ntable 20 UCAST_TO_TUN"
    )
    controller.wait_for("1 added, 0 changed, 0 removed", mark)
    (installed,) = (line for line in ovs.flows("br-tun", "-O", "OpenFlow14") if "reg0" in line)
    assert "cookie=0x77" in installed
    assert "idle_timeout=600, send_flow_rem importance=3" in installed
    controller.kill()
    stale = "cookie=0x77,table=20,priority=2,dl_vlan=9 actions=drop"
    ovs.run("ovs-ofctl", "-O", "OpenFlow14", "add-flow", "br-tun", stale)
    mark = controller.mark()
    controller.start()
    controller.wait_for("0 added, 0 changed, 1 removed", mark)
    mark = controller.mark()
    edit(flows_folder / "br-tun.flows", f"  {marked}\n", "")
    controller.wait_for("0 added, 0 changed, 1 removed", mark)
    assert not any("reg0" in line for line in ovs.flows("br-tun", "-O", "OpenFlow14"))
