"""The JSON documents have exactly the keys that docs/json.rst describes."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dvr_ryu.cli import documents, main
from dvr_ryu.companion.change import change
from dvr_ryu.companion.check.finding import fails, passes
from dvr_ryu.companion.desired import desired_resources
from dvr_ryu.companion.guest_commands import guest_port
from dvr_ryu.companion.providers.dnsmasq.leases import Lease
from dvr_ryu.lab import status
from dvr_ryu.lab.proof.proof import Result
from dvr_ryu.lab.report import HostReport, InstanceReport, LabReport, NamespaceReport
from dvr_ryu.lab.status import Companion
from dvr_ryu.shipped import examples_dir, flows_dir
from dvr_ryu.switch.guard.identity import BridgeName, Peer
from dvr_ryu.switch.record import Records
from dvr_ryu.topology.loading import load_topology, parse_topology
from dvr_ryu.topology.view import HostView
from dvr_ryu.trace.live.comparing import Comparison, Departure
from dvr_ryu.trace.story.document import of_comparison
from dvr_ryu.web.status import ControllerState, Status

DOCS = (Path(__file__).parents[2] / "docs" / "json.rst").read_text(encoding="utf-8")
EXAMPLE = str(examples_dir() / "human-defined-dvr.yaml")


def documented(word: str) -> set[str]:
    """The keys in the section of a command, as `a[].b`."""
    section = re.search(rf"^``dvr {word}.*?``\n-+\n(.*?)(?=^``dvr |\Z)", DOCS, re.M | re.S)
    assert section, word
    return set(re.findall(r"^``([\w.\[\]]+)``  ?", section[1], re.M))


def keys(data: Any, path: str = "") -> Iterator[str]:
    """All keys of a document, in the notation of the documentation."""
    if isinstance(data, list):
        yield f"{path}[]"
        for each in data:
            yield from keys(each, f"{path}[]")
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from keys(value, f"{path}.{key}" if path else key)
    else:
        yield path


def shown(document: dict[str, Any]) -> set[str]:
    """The keys; of a list of objects, only the keys of the objects and that of the list."""
    return set(keys(json.loads(json.dumps(document))))


def document_of(capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    """Run `dvr` with --json; exactly one document is on stdout."""
    saved, sys.argv = sys.argv, ["dvr", *arguments, "--json"]
    code: Any = 0
    try:
        main()
    except SystemExit as end:
        code = end.code
    finally:
        sys.argv = saved
    out = capfd.readouterr().out
    return code, json.loads(out)


def test_check(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert document_of(capfd, "check", EXAMPLE) == (0, {"problems": []})
    bad = tmp_path / "bad.yaml"
    bad.write_text(Path(EXAMPLE).read_text().replace("network: lonely}", "network: lonly}"))
    code, document = document_of(capfd, "check", str(bad))
    assert code == 1
    assert shown(document) == documented("check")
    first = document["problems"][0]
    assert first["file"] == str(bad) and first["severity"] == "error"
    assert first["message"] == "no network 'lonly'" and first["hint"].startswith("did you mean")
    source = bad.read_text().split("\n")[first["line"] - 1]
    assert source[first["column"] - 1 :].startswith("lonly}")


def test_check_of_a_missing_file_and_of_warnings(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, document = document_of(capfd, "check", str(tmp_path / "none.yaml"))
    (problem,) = document["problems"]
    assert (code, problem["file"], problem["line"]) == (1, None, None)
    assert shown(document) == documented("check")
    (tmp_path / "br-tun.flows").write_text("table 0 A\n  arp actions=drop\n")
    flows = ["--flows", str(tmp_path)]
    code, document = document_of(capfd, "check", EXAMPLE, *flows)
    assert (code, document["problems"][0]["severity"]) == (0, "warning")
    code, document = document_of(capfd, "check", EXAMPLE, *flows, "--strict")
    assert (code, document["problems"][0]["severity"]) == (1, "error")


def test_hosts(capfd: pytest.CaptureFixture[str]) -> None:
    code, document = document_of(capfd, "hosts", EXAMPLE)
    assert (code, document["hosts"][0]["dvr_mac"]) == (0, "fa:16:3f:02:d7:f2")
    assert shown(document) == documented("hosts")


def test_prove(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    topology = tmp_path / "expected.yaml"
    lines = (
        "\nexpect:\n  - {from: cirros, to: vm-68}\n  - {from: vm-68, to: cirros, reach: false}\n"
    )
    topology.write_text(Path(EXAMPLE).read_text() + lines)
    flows = tmp_path / "flows"
    shutil.copytree(flows_dir(), flows, ignore=lambda *_: ["experiments"])
    pipeline = (flows / "br-tun.flows").read_text()
    across = "actions=strip_vlan,set_tunnel:{remote_port.vni},output:{remote_port.tunnel}"
    (flows / "br-tun.flows").write_text(pipeline.replace(across, "actions=drop"))
    code, document = document_of(capfd, "prove", str(topology), "--flows", str(flows))
    assert (code, document["holds"], document["findings"][0]["fault"]) == (2, False, "cut")
    assert shown(document) == documented("prove")
    (line,) = document["expect"]
    assert topology.read_text().splitlines()[line["line"] - 1] == "  - {from: cirros, to: vm-68}"
    code, document = document_of(capfd, "prove", EXAMPLE)
    assert (code, document["holds"], document["findings"]) == (0, True, [])


def test_companion_check(capfd: pytest.CaptureFixture[str]) -> None:
    code, document = document_of(capfd, "companion", "check")
    assert shown(document) == documented("companion check")
    assert document["ready"] is (code == 0)
    found = documents.of_findings([passes("a", "b"), fails("c", "d", "e")])
    assert found["ready"] is False and found["findings"][1]["verdict"] == "FAIL"


def test_companion_plan() -> None:
    view = HostView(load_topology(EXAMPLE), "server-233")
    should = desired_resources(view, "netdev")
    document = documents.of_change("server-233", change(should[10:], should[:-10]))
    assert shown(document) == documented("companion plan")
    assert {each["action"] for each in document["changes"]} >= {"add", "remove"}
    assert documents.of_change("h", change(should, should)) == {"host": "h", "changes": []}


def test_lab_show() -> None:
    host = HostReport("h1", "10.0.0.1/24", 7, ("br-int",), (NamespaceReport("snat-1", "router r"),))
    instance = InstanceReport("a", "h1", ("10.1.0.2/24",))
    parts = (host,), (instance,), (Path("/x.log"),)
    report = LabReport("/t.yaml", "2026-01-01 00:00:00", "http://127.0.0.1:8080/", *parts)
    assert shown(documents.of_lab(report)) == documented("lab show")


def test_lab_test() -> None:
    results = [Result("layer 2", "a", "b", passed, "seen") for passed in (True, False)]
    document = documents.of_results(results)
    assert shown(document) == documented("lab test")
    assert document["passed"] is False
    assert [each["verdict"] for each in document["checks"]] == ["PASS", "FAIL"]


def test_show_leases() -> None:
    leases = [Lease("h1", "blue", "m", "10.1.0.2", name, at) for name, at in (("a", 1), ("", 0))]
    document = documents.of_leases(leases)
    assert shown(document) == documented("show leases")
    assert [each["expires"] for each in document["leases"]] == ["1970-01-01T00:00:01Z", None]
    assert [each["instance"] for each in document["leases"]] == ["a", None]


def test_show_port() -> None:
    text = Path(EXAMPLE).read_text().replace("cirros: {", "cirros: {plugged: true, ")
    ports = [
        guest_port(topology, "cirros", offloads=False)
        for topology in (parse_topology(text, "t.yaml"), load_topology(EXAMPLE))
    ]
    plugged, own = map(documents.of_port, ports)
    assert shown(plugged) == documented("show port")
    assert plugged["mac"] == own["mac"] and own["libvirt"] is None and own["qemu"] == []


def test_status() -> None:
    topology, records = load_topology(EXAMPLE), Records()
    controller = ControllerState("/t.yaml", "flows", error="wrong", moving={"a": "server-68"})
    name = BridgeName("server-68", "br-int")
    records.of(name).connected(Peer("10.0.0.1", 2))
    records.of(name).fails("no answer")
    bridges, plugged = ("br-int", "br-tun"), {"vm": ["server-68"], "other": []}
    found = Status(controller, topology.hosts, bridges, {}, records, plugged).document()
    companion = Companion("server-68", "applied", 0.0, "", "an error", running=True)
    document = status.put_together(found, {"server-68": companion})
    assert (document["in_sync"], status.exit_code(document)) == (False, 2)
    alone = status.put_together(None, {"server-68": companion})
    assert (alone["in_sync"], alone["controller"], alone["bridges"]) == (True, None, [])
    controller.error = ""
    well = Status(controller, topology.hosts, (), {}, records).document()
    assert well["in_sync"] is True
    assert shown(document) | shown(alone) | shown(well) == documented("status")


def test_trace(capfd: pytest.CaptureFixture[str]) -> None:
    found = set[str]()
    for target, ended in (("vm-68", 0), ("lonely-68", 2)):
        code, document = document_of(capfd, "trace", EXAMPLE, "cirros", target, "--reply")
        assert (code, document["verdict"]["delivered"]) == (ended, ended == 0)
        reply = document["reply"]
        assert (reply is None) is (ended == 2)
        found |= shown({**document, "reply": None}) | shown({**(reply or document), "reply": None})
    departure = Departure(3, 1, "server-68", "br-int", "another flow")
    live = {"live": of_comparison(Comparison((departure,), ("server-68",), ("server-64",)))}
    described = {re.sub(r"\.fields\..*", ".fields", each) for each in found} - {"live"}
    assert described | shown(live) == documented("trace") - {"live"}


def test_each_command_with_json_has_a_section() -> None:
    from dvr_ryu.cli import cli

    def arguments(command: Any, name: str) -> Iterator[str]:
        if any("--json" in each.opts for each in command.params):
            yield name
        for below in getattr(command, "commands", {}).values():
            yield from arguments(below, f"{name} {below.name}".strip())

    documented_commands = {each for each in re.findall(r"^``dvr ((?:[a-z]+ ?)+)", DOCS, re.M)}
    assert {each.strip() for each in documented_commands} == set(arguments(cli, ""))
