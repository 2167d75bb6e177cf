"""What a bridge shall have: printed and as bytes the same, and what ovs-ofctl accepts."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dvr_ryu.errors import FileError
from dvr_ryu.pipeline.compile.binding import BridgeContext
from dvr_ryu.pipeline.compile.columns import Columns
from dvr_ryu.pipeline.compile.pipelines import Pipelines
from dvr_ryu.pipeline.compile.template import Template
from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.shipped import examples_dir, flows_dir
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.view import HostView
from tests.unit.pipeline.flow_text import read

TOPOLOGY = load_topology(examples_dir() / "human-defined-dvr.yaml")
PIPELINES = load_pipelines(flows_dir())
BRIDGES = [(host, bridge) for host in TOPOLOGY.hosts for bridge in PIPELINES.by_bridge]


def _view(host: str = "server-233") -> HostView:
    return HostView(TOPOLOGY, host)


def _pipelines(folder: Path, text: str) -> Pipelines:
    (folder / "br-tun.flows").write_text(text)
    return load_pipelines(folder)


@pytest.mark.parametrize(("host", "bridge"), BRIDGES)
def test_the_flows_that_are_printed_are_those_that_are_sent(host: str, bridge: str):
    view = _view(host)
    ports = view.planned_ofports(bridge)
    printed: dict[bytes, bytes] = {}
    once = Columns([None], BridgeContext(view.this_host, {}))
    for flow in PIPELINES.basis(bridge, view, ports).flows():
        (filled,) = Template(read(str(flow))).filled(once)
        (identity,), (value,) = filled.identities, filled.values
        assert printed.setdefault(identity, value) == value
    assert printed
    assert printed == PIPELINES.basis(bridge, view, ports).desired()


@pytest.mark.parametrize(("host", "bridge"), BRIDGES)
def test_ovs_ofctl_accepts_every_flow_that_is_printed(tmp_path: Path, host: str, bridge: str):
    view = _view(host)
    flows = list(PIPELINES.planned(bridge, view).flows())
    file = tmp_path / "flows"
    file.write_text("".join(f"{flow.installed()}\n" for flow in sorted(flows)))
    done = subprocess.run(
        ["ovs-ofctl", "--protocols=OpenFlow14", "parse-flows", str(file)],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    accepted = [line for line in done.stdout.splitlines() if " ADD " in line]
    assert len(accepted) == len(flows)
    assert all("cookie:0x6476725f727975" in line for line in accepted)


def test_each_flow_knows_its_line():
    view = _view()
    for bridge in PIPELINES.by_bridge:
        file = flows_dir() / f"{bridge}.flows"
        lines = file.read_text().split("\n")
        for each in PIPELINES.planned(bridge, view).all():
            location = each.flow.location
            assert location and location.file == str(file)
            assert lines[location.line - 1] == location.source
            assert location.source[: location.column - 1].strip() == ""
            assert each.flow.sentence or "miss:" in location.source


def test_flows_of_ports_that_are_not_there_yet_are_left_out():
    view = _view()
    everything = view.planned_ofports("br-tun")
    without = {name: at for name, at in everything.items() if name != "vxlan-0a002c44"}
    fewer = PIPELINES.basis("br-tun", view, without).desired()
    assert fewer.keys() < PIPELINES.basis("br-tun", view, everything).desired().keys()
    assert len(fewer) == len(list(PIPELINES.basis("br-tun", view, without).flows()))
    assert PIPELINES.basis("br-tun", view, {}).desired()
    assert PIPELINES.basis("br-ex", view, {}).desired() == {}


def test_rows_that_say_different_things_of_one_flow_are_an_error_at_the_line(tmp_path: Path):
    pipelines = _pipelines(
        tmp_path,
        "table 0 A\n  each tunnel:\n    priority=1, \\\n    arp actions=output:{tunnel.port}\n",
    )
    view = _view()
    with pytest.raises(FileError) as raised:
        pipelines.basis("br-tun", view, view.planned_ofports("br-tun")).desired()
    (problem,) = raised.value.problems
    assert (problem.location.line, problem.location.column) == (3, 5)
    assert "this line and line 3 make the same flow, with different actions" in problem.message


def test_rows_that_say_the_same_of_one_flow_make_one_flow(tmp_path: Path):
    pipelines = _pipelines(tmp_path, "table 0 A\n  each tunnel:\n    arp actions=drop\n")
    assert len(pipelines.basis("br-tun", _view(), {}).desired()) == 1


def test_sentences_and_tables_are_data(tmp_path: Path):
    (pipeline,) = _pipelines(
        tmp_path,
        '# F.\n\ntable 0 A "What # it decides."\n  # Why\n  # indeed.\n  arp actions=drop # x\n'
        "  # Another block.\n\n  miss: goto_table:B\ntable 7 B\n  miss: NORMAL\n",
    ).by_bridge.values()
    assert pipeline.bridge == "br-tun"
    assert [(t.number, t.name, t.sentence) for t in pipeline.tables] == [
        (0, "A", "What # it decides."),
        (7, "B", ""),
    ]
    assert [flow.sentence for _, flow in pipeline.flows()] == ["Why indeed.", "", ""]


@pytest.mark.parametrize(
    ("name", "hint"),
    [("br-phys", "there are br-int and br-tun"), ("br-tunn", "did you mean br-tun?")],
)
def test_a_file_of_no_bridge_is_refused(tmp_path: Path, name: str, hint: str):
    file = tmp_path / f"{name}.flows"
    file.write_text("table 0 A\n  miss: drop\n")
    with pytest.raises(FileError) as raised:
        _pipelines(tmp_path, "table 0 A\n  miss: drop\n")
    (problem,) = raised.value.problems
    assert (problem.location.file, problem.location.line) == (str(file), 1)
    assert f"no bridge {name} gets flows" in problem.message
    assert hint in problem.message


@pytest.mark.parametrize("depth", [65, 200, 5000])
def test_actions_that_stand_too_deep_in_each_other_are_reported_with_their_location(
    tmp_path: Path, depth: int
):
    with pytest.raises(FileError) as raised:
        _pipelines(tmp_path, f"table 0 A\n  miss: {'clone(' * depth}1{')' * depth}\n")
    (problem,) = raised.value.problems
    assert (problem.location.line, problem.location.column) == (2, 9 + 64 * len("clone("))
    assert "more than 64 deep" in problem.message


def test_actions_may_stand_deep_in_each_other(tmp_path: Path):
    pipelines = _pipelines(tmp_path, f"table 0 A\n  miss: {'clone(' * 63}1{')' * 63}\n")
    pipelines.compile()
    assert not pipelines.warnings
