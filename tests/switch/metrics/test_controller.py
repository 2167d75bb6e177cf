"""The controller's metrics: what Prometheus' tools say of them, and that they are right."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

from dvr_ryu.lab.wait import wait_until
from dvr_ryu.pipeline.compile.pipelines import Pipelines
from dvr_ryu.topology.view import HostView
from tests.counted_lines import Scrape, lines_by_ovs_ofctl, tables_by_ovs_ofctl
from tests.switch.conftest import view_of
from tests.switch.support.controller import Controller
from tests.switch.support.ovs import Ovs
from tests.switch.test_sync import HOST, connect, edit, flow_of

BRIDGE = {"host": HOST, "bridge": "br-tun"}
PACKET = "in_port=patch-int,dl_vlan=1,dl_src=fa:16:3e:ff:aa:66,dl_dst=fa:16:3e:00:00:0"


def scrape(controller: Controller) -> Scrape:
    with urllib.request.urlopen(f"{controller.page}metrics", timeout=30) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        return Scrape(answer.read().decode())


def scraped(controller: Controller, name: str, value: float, **labels: str) -> Scrape:
    """A scrape in which a metric has this value."""
    found: list[Scrape] = []

    def is_so() -> bool:
        found[:] = [scrape(controller)]
        return found[0].value(name, **labels) == value

    wait_until(is_so, 30, f"{name} {labels} is {value}", lambda: found[0].text)
    return found[0]


def fill(ovs: Ovs, controller: Controller, topology_file: Path) -> HostView:
    view = view_of(topology_file, HOST)
    connect(ovs, controller, view, "br-tun")
    controller.wait_for(f"{HOST}/br-tun in sync")
    return view


def test_promtool_finds_nothing_to_say(ovs: Ovs, controller: Controller, topology_file: Path):
    fill(ovs, controller, topology_file)
    found = scrape(controller)
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=found.text, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_packets_count_for_lines_as_ovs_ofctl_counts_them(
    ovs: Ovs, controller: Controller, topology_file: Path, pipelines: Pipelines
):
    view = fill(ovs, controller, topology_file)
    scrape(controller)
    for last in "5678":
        ovs.run("ovs-appctl", "netdev-dummy/receive", "patch-int", flow_of(PACKET + last))
    ovs.run("ovs-appctl", "revalidator/wait")
    basis = pipelines.basis("br-tun", view, view.planned_ofports("br-tun"))
    expected = lines_by_ovs_ofctl(basis, ovs.run, "br-tun")
    expected = {line: counts for line, counts in expected.items() if counts[0]}
    assert len(expected) > 2
    found: list[Scrape] = []

    def counted() -> bool:
        found[:] = [scrape(controller)]
        return found[0].lines(["br-tun.flows"]) == expected

    wait_until(counted, 10, "lines count as ovs-ofctl does", lambda: f"{expected}\n{found[0].text}")
    tables = tables_by_ovs_ofctl(ovs.run, "br-tun")
    for table, packets in tables.items():
        values = found[0].values("dvr_line_packets_total", file="br-tun.flows", table=table)
        assert sum(values.values()) == packets


def test_bridges_and_their_flows_are_counted(ovs: Ovs, controller: Controller, topology_file: Path):
    fill(ovs, controller, topology_file)
    ovs.run("ovs-ofctl", "add-flow", "br-tun", "cookie=0x7,table=99,priority=7,actions=drop")
    ovs.run("ovs-ofctl", "add-flow", "br-tun", "cookie=0x6c6561726e6564,table=20,actions=drop")
    found = scraped(controller, "dvr_flows_foreign", 1, **BRIDGE)
    assert found.value("dvr_bridge_connected", **BRIDGE) == 1
    assert found.value("dvr_bridge_in_sync", **BRIDGE) == 1
    assert found.value("dvr_flows_learned", **BRIDGE) == 1
    assert found.value("dvr_flows_wanted", **BRIDGE) == 54
    assert found.value("dvr_flows_installed", **BRIDGE) == 54
    assert found.value("dvr_flows_refused", **BRIDGE) == 0
    assert found.value("dvr_flow_mods_total", command="add") == 54
    assert found.value("dvr_step_seconds_count", step="sync") == 1
    assert found.value("dvr_bridge_connected", host=HOST, bridge="br-int") == 0
    assert found.value("dvr_objects", kind="host") == 3
    ovs.vsctl("del-controller", "br-tun")
    found = scraped(controller, "dvr_disconnections_total", 1)
    assert found.value("dvr_bridge_connected", **BRIDGE) == 0
    assert found.value("dvr_bridge_in_sync", **BRIDGE) == 0
    assert not found.values("dvr_flows_wanted") and not found.values("dvr_flows_installed")


def test_drift_edits_and_refusals_are_counted(
    ovs: Ovs, controller: Controller, topology_file: Path, flows_folder: Path
):
    fill(ovs, controller, topology_file)
    ovs.run("ovs-ofctl", "-OOpenFlow14", "del-flows", "br-tun", "table=21")
    drift = 54 - len(ovs.flows("br-tun", "-OOpenFlow14"))
    found = scraped(controller, "dvr_flow_mods_total", 54 + drift, command="add")
    assert found.value("dvr_flows_drifted_total") == drift
    text = topology_file.read_text()
    topology_file.write_text(f"{text}\nnonsense")
    found = scraped(controller, "dvr_reloads_total", 1, outcome="refused")
    assert found.value("dvr_last_reload_successful") == 0
    topology_file.write_text(f"{text}\n# the same")
    found = scraped(controller, "dvr_reloads_total", 1, outcome="unchanged")
    assert found.value("dvr_last_reload_successful") == 1
    edit(flows_folder / "br-tun.flows", "  miss: drop", "  miss: group:77")
    found = scraped(controller, "dvr_flows_refused", 1, **BRIDGE)
    assert found.value("dvr_bridge_in_sync", **BRIDGE) == 0
    assert found.value("dvr_reloads_total", outcome="applied") == 1
    attempts = found.value("dvr_changes_refused_total")
    assert found.value("dvr_flow_mod_errors_total") == attempts > 0


JUNK = (
    b"GET /metrics?x=1&line=7 HTTP/1.1\r\nHost: 127.0.0.1\r\nX-File: a\r\n\r\n",
    b"GET /metrics/br-tun.flows HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"POST /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 3\r\n\r\n1=2",
    b"GET /metrics HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01",
    b"\x00" * 70000,
)


def test_junk_requests_change_no_series(ovs: Ovs, controller: Controller, topology_file: Path):
    fill(ovs, controller, topology_file)
    before = scrape(controller)
    address, _, port = controller.page.removeprefix("http://").rstrip("/").rpartition(":")
    for junk in JUNK:
        with suppress(OSError), socket.create_connection((address, int(port)), 10) as sock:
            sock.sendall(junk)
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(1 << 16):
                pass
    after = scrape(controller)
    assert after.series == before.series
    assert after.value("dvr_reloads_total", outcome="refused") == 0
    assert after.value("dvr_bridge_in_sync", **BRIDGE) == 1


def test_a_switch_that_hangs_is_scraped_with_its_last_counts(
    ovs: Ovs, controller: Controller, topology_file: Path
):
    fill(ovs, controller, topology_file)
    scraped(controller, "dvr_flows_installed", 54, **BRIDGE)

    def waits() -> bool:
        began = time.monotonic()
        assert scrape(controller).value("dvr_flows_installed", **BRIDGE) == 54
        return time.monotonic() - began > 1

    ovs.signal("ovs-vswitchd", signal.SIGSTOP)
    try:
        wait_until(waits, 30, "a scrape waits for the switch, but not for long")
        dumps = scrape(controller).value("dvr_step_seconds_count", step="dump")
    finally:
        ovs.signal("ovs-vswitchd", signal.SIGCONT)
    wait_until(
        lambda: scrape(controller).value("dvr_step_seconds_count", step="dump") > dumps,
        30,
        "flows are dumped again",
    )
