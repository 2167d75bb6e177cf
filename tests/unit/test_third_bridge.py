"""A further bridge is a row in the table of bridges and a flow file; no other code knows about
it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from dvr_ryu.cli import cli
from dvr_ryu.companion.change import change
from dvr_ryu.companion.desired import desired_resources
from dvr_ryu.companion.resources.openvswitch.bridge import Bridge
from dvr_ryu.companion.resources.openvswitch.port import OvsPort
from dvr_ryu.companion.script import script as companion_script
from dvr_ryu.errors import FileError
from dvr_ryu.graph.dot import dot
from dvr_ryu.graph.graphviz import laid_out
from dvr_ryu.graph.hosts import hosts_picture
from dvr_ryu.graph.pipeline import pipeline_picture
from dvr_ryu.pipeline.compile.pipelines import Pipelines
from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.pipeline.tools.docs import document
from dvr_ryu.pipeline.tools.script import script
from dvr_ryu.shipped import examples_dir, flows_dir
from dvr_ryu.topology.bridges import BRIDGES, BridgeDefinition, Patch, PatchPort, patch_ports
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.view import HostView

THIRD = BridgeDefinition(
    "br-vlan",
    "It leads to networks of the site.",
    patches=(
        Patch(PatchPort("vlan-int", 4), "br-int", PatchPort("int-vlan", 0x8000)),
        Patch(PatchPort("vlan-tun", 5), "br-tun", PatchPort("tun-vlan", 20000, True)),
    ),
)
FLOWS = """
table 0 IN "From which side?"
  # To {network.name}.
  each network:
    in_port=vlan-int, dl_vlan={network.vlan}  actions=output:vlan-tun
  miss: drop
"""

SMALL = """
hosts: {h1: {address: 10.0.0.1}, h2: {address: 10.0.0.2}}
networks: {net: {subnets: [{cidr: 10.1.0.0/24}]}}
routers: {r: {interfaces: [{network: net}]}}
instances: {a: {network: net, host: h1, ip: 10.1.0.9}}
"""


@pytest.fixture(autouse=True)
def third(monkeypatch: pytest.MonkeyPatch) -> None:
    """The row of the bridge."""
    monkeypatch.setitem(BRIDGES, THIRD.name, THIRD)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The flow file of the bridge, beside those of the other bridges."""
    shutil.copytree(flows_dir(), tmp_path / "flows", ignore=shutil.ignore_patterns("experiments"))
    (tmp_path / "flows" / THIRD.flow_file).write_text(FLOWS)
    return tmp_path / "flows"


@pytest.fixture
def pipelines(folder: Path) -> Pipelines:
    """The pipelines of all three bridges."""
    return load_pipelines(folder)


@pytest.fixture
def view() -> HostView:
    """A host of the article."""
    return HostView(load_topology(examples_dir() / "human-defined-dvr.yaml"), "server-233")


def test_it_is_in_the_pictures(pipelines: Pipelines, view: HostView) -> None:
    picture = hosts_picture(view.topology, ["server-233"])
    patches = {frozenset((each.start, each.end)) for each in picture.cables}
    host = "port/server-233"
    assert {f"{host}/br-vlan/vlan-int", f"{host}/br-int/int-vlan"} in patches
    assert {f"{host}/br-vlan/vlan-tun", f"{host}/br-tun/tun-vlan"} in patches
    for each in (picture, pipeline_picture(pipelines.by_bridge["br-vlan"])):
        assert laid_out(dot(each)).boxes.keys() == {box.id for box in each.every_box}


def test_it_has_flows(pipelines: Pipelines, view: HostView) -> None:
    assert not pipelines.warnings
    assert view.planned_ofports("br-vlan") == {"vlan-int": 4, "vlan-tun": 5}
    planned = pipelines.planned("br-vlan", view)
    assert len(planned.desired()) == len(view.network) + 1
    lines = [*pipelines.lines("br-vlan", view)]
    for network in view.network:
        assert any(f"in_port=4,dl_vlan={network.vlan} actions=output:5" in line for line in lines)


@pytest.mark.parametrize("bridge", ("br-tun", "br-int"))
def test_no_port_has_the_number_of_a_patch(
    tmp_path: Path, bridge: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    topology = tmp_path / "topology.yaml"
    topology.write_text(SMALL)

    def ofports() -> dict[str, int]:
        return HostView(load_topology(topology), "h1").planned_ofports(bridge)

    patches = {here.name for here, _ in patch_ports(bridge)}
    others = {name: number for name, number in ofports().items() if name not in patches}
    assert others
    for name, number in others.items():
        patch = Patch(PatchPort("x", 1), bridge, PatchPort("patch-x", number))
        monkeypatch.setitem(BRIDGES, "br-x", BridgeDefinition("br-x", "", patches=(patch,)))
        after = ofports()
        assert after["patch-x"] == number
        assert after[name] != number
        assert len({*after.values()}) == len(after)


@pytest.mark.parametrize("bridge", ("br-tun", "br-int"))
def test_its_ports_are_its_own(folder: Path, bridge: str) -> None:
    file = folder / f"{bridge}.flows"
    file.write_text("table 0 IN\n  miss: output:vlan-int\n")
    with pytest.raises(FileError, match=f"vlan-int is a port of br-vlan, .* {bridge}'s flows"):
        load_pipelines(folder)


@pytest.mark.parametrize(
    ("bridge", "advice"),
    (
        ("br-int", "of br-int there is {local_gateway.port}, in a block 'each local_gateway:'"),
        ("br-vlan", "move the line to the flow file of that bridge"),
    ),
)
def test_a_port_of_a_relation_is_on_one_bridge(folder: Path, bridge: str, advice: str) -> None:
    file = folder / f"{bridge}.flows"
    file.write_text("table 0 IN\n  each tunnel:\n    actions=output:{tunnel.port}\n  miss: drop\n")
    with pytest.raises(FileError) as raised:
        load_pipelines(folder)
    (problem,) = raised.value.problems
    assert (problem.location.file, problem.location.line) == (str(file), 3)
    message = f"{{tunnel.port}} is a port of br-tun, and these are {bridge}'s flows; {advice}"
    assert problem.message == message


def test_its_patches_are_ports_of_the_others(folder: Path) -> None:
    for bridge, port in (("br-tun", "tun-vlan"), ("br-int", "int-vlan")):
        (folder / f"{bridge}.flows").write_text(f"table 0 IN\n  miss: output:{port}\n")
    assert not load_pipelines(folder).warnings


def test_the_companion_makes_it(view: HostView) -> None:
    desired = desired_resources(view, "system")
    assert [each.name for each in desired if isinstance(each, Bridge)] == [*BRIDGES]
    patches = {
        (each.bridge, each.name): (
            each.interface["options:peer"],
            each.interface["ofport_request"],
            each.protected,
        )
        for each in desired
        if isinstance(each, OvsPort) and each.interface.get("type") == "patch"
    }
    assert patches == {
        ("br-int", "patch-tun"): ("patch-int", "1", True),
        ("br-tun", "patch-int"): ("patch-tun", "1", False),
        ("br-int", "int-vlan"): ("vlan-int", str(0x8000), False),
        ("br-vlan", "vlan-int"): ("int-vlan", "4", False),
        ("br-tun", "tun-vlan"): ("vlan-tun", "20000", True),
        ("br-vlan", "vlan-tun"): ("tun-vlan", "5", False),
    }
    lines = "\n".join(companion_script(change(desired, ()), view.host.name))
    assert "--may-exist add-br br-vlan" in lines
    assert "--may-exist add-port br-int int-vlan" in lines


def test_scripts_and_documentation_have_it(pipelines: Pipelines, view: HostView) -> None:
    lines = [*script(pipelines, [view], [*pipelines.by_bridge])]
    assert "\n# br-vlan of server-233: vlan-int is port 4, vlan-tun is port 5" in lines
    assert any("add-flow br-vlan " in line for line in lines)
    each = pipelines.by_bridge.values()
    text = document(each, {pipeline.file: Path(pipeline.file).read_text() for pipeline in each})
    assert "br-vlan, table 0: IN\n" in text
    assert "``tun-vlan`` (a patch), the tunnels to the other hosts" in text


def test_commands_know_it(folder: Path, tmp_path: Path) -> None:
    topology = tmp_path / "topology.yaml"
    topology.write_text(
        "hosts: {h1: {address: 10.0.0.1, datapath_ids: {br-vlan: 7}}, h2: {address: 10.0.0.2}}"
    )
    arguments = [
        "flows",
        str(topology),
        "--host",
        "h1",
        "--bridge",
        "br-vlan",
        "--flows",
        str(folder),
    ]
    result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert "actions=drop" in result.output


def test_a_pinned_tunnel_port_is_no_patch(tmp_path: Path) -> None:
    topology = tmp_path / "topology.yaml"
    topology.write_text(
        "hosts: {h1: {address: 10.0.0.1, tunnel_ports: {h2: 20000}}, h2: {address: 10.0.0.2}}"
    )
    with pytest.raises(FileError, match="is the port tun-vlan; write another number"):
        load_topology(topology)
