"""The metrics of a running lab: a real Prometheus scrapes them, and they are right."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from attrs import frozen

from dvr_ryu.errors import HostError
from dvr_ryu.lab import entering, lifecycle
from dvr_ryu.lab.hosts.host import LabHost
from dvr_ryu.lab.state import StateFolder
from dvr_ryu.lab.wait import wait_until
from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.shipped import flows_dir
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.view import HostView
from tests.counted_lines import Scrape, lines_by_ovs_ofctl
from tests.switch.metrics.test_monitoring import expressions
from tests.switch.support.controller import free_port

LAB = """\
hosts:
  h1: {address: 10.0.0.1}
  h2: {address: 10.0.0.2}
networks:
  blue:  {subnets: [{cidr: 10.1.0.0/24}]}
  green: {subnets: [{cidr: 10.2.0.0/24}]}
routers:
  r1: {interfaces: [{network: blue}, {network: green}]}
instances:
  a: {host: h1, network: blue}
  b: {host: h2, network: green, ip: 10.2.0.20}
"""
COMPANION, PROMETHEUS = 9653, 9090
GET = "import sys, urllib.request as u; sys.stdout.buffer.write(u.urlopen(sys.argv[1]).read())"
MONITORING = Path(__file__).parents[3] / "packaging" / "monitoring"
PARTS = {
    "10.0.44.64:9653, 10.0.44.68:9653, 10.0.44.233:9653": "10.0.0.1:9653, 10.0.0.2:9653",
    "15s": "1s",
}
"""Parts of the example of a configuration → those of this lab."""


@frozen
class Running:
    """A lab that is up, and its topology."""

    folder: StateFolder
    file: Path

    def host(self, name: str) -> LabHost:
        return entering.find(name, self.folder)[0]

    def get(self, host: str, port: int, path: str) -> str:
        """What a URL of a host's own loopback answers."""
        command = [sys.executable, "-c", GET, f"http://127.0.0.1:{port}{path}"]
        return self.host(host).run(command).stdout

    @property
    def page(self) -> str:
        """Where the controller's page is, on this machine."""
        state = self.folder.read()
        assert state
        return state.page.rstrip("/")

    def controller(self) -> Scrape:
        return Scrape(get(f"{self.page}/metrics"))

    def companion(self, host: str) -> Scrape:
        return Scrape(self.get(host, COMPANION, "/metrics"))


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        text: str = answer.read().decode()
        return text


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Its companions' metrics are also at their hosts' underlay addresses."""
    file = tmp_path_factory.mktemp("metrics") / "lab.yaml"
    file.write_text(LAB)
    folder = StateFolder(file.with_name("dvr_lab"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "DVR_METRICS", f"0.0.0.0:{COMPANION}")
        try:
            lifecycle.up(file, lambda _: None, folder)
            yield Running(folder, file)
        finally:
            lifecycle.down(folder)


def eventually(holds: Callable[[], bool], what: str) -> None:
    wait_until(holds, 40, what)


def test_promtool_finds_nothing_to_say(lab: Running):
    for scrape in (lab.controller(), lab.companion("h1")):
        command = ["promtool", "check", "metrics"]
        done = lab.host("h1").run(command, input=scrape.text, check=False)
        assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_pings_count_for_lines_as_ovs_ofctl_counts_them(lab: Running):
    pipelines, topology = load_pipelines(flows_dir()), load_topology(lab.file)
    instance, namespace = entering.find("a", lab.folder)
    instance.run(["ping", "-c5", "-i0.2", "10.2.0.20"], namespace=namespace)
    seen: list[Any] = []

    def of(host: LabHost, bridge: str) -> dict[Any, list[int]]:
        def run(*command: str, input: str = "") -> str:
            return host.run(command, input=input).stdout

        basis = pipelines.planned(bridge, HostView(topology, host.name))
        return lines_by_ovs_ofctl(basis, run, bridge)

    def equal() -> bool:
        expected: dict[Any, Counter[str]] = {}
        for host in (lab.host("h1"), lab.host("h2")):
            for bridge in ("br-int", "br-tun"):
                for line, (packets, size) in of(host, bridge).items():
                    expected.setdefault(line, Counter()).update(packets=packets, bytes=size)
        wanted = {k: [v["packets"], v["bytes"]] for k, v in expected.items() if v["packets"]}
        counted = lab.controller().lines(["br-int.flows", "br-tun.flows"])
        seen[:] = wanted, {line: counted[line] for line in wanted.keys() & counted.keys()}
        return bool(seen[0] == seen[1])

    wait_until(equal, 40, "the lines count as ovs-ofctl does", lambda: str(seen))
    tunnelled = [line for line, (packets, _) in seen[0].items() if packets >= 10]
    assert {file for file, _, _ in tunnelled} == {"br-int.flows", "br-tun.flows"}


def test_all_bridges_are_in_sync_and_all_hosts_applied(lab: Running):
    found = lab.controller()
    assert set(found.values("dvr_bridge_in_sync").values()) == {1}
    assert len(found.values("dvr_bridge_in_sync")) == 4
    assert found.values("dvr_flows_wanted") == found.values("dvr_flows_installed")
    for host in ("h1", "h2"):
        of_host = lab.companion(host)
        assert of_host.value("dvr_companion_state", state="applied") == 1
        assert of_host.value("dvr_controller_connected") == 1
        assert of_host.value("dvr_last_reload_successful") == 1
        assert of_host.value("dvr_resources", kind="bridge") == 2
        assert not of_host.values("dvr_drift_mended_total")
    leases = [lab.companion(host).values("dvr_leases", declared="true") for host in ("h1", "h2")]
    assert leases[0] | leases[1] == {("true", "blue"): 1, ("true", "green"): 1}


def test_drift_that_the_companion_mends_is_counted(lab: Running):
    host = lab.host("h1")
    found = host.run(["ip", "netns"]).stdout
    (router,) = re.findall(r"qrouter-\S+", found)
    host.run(["ip", "route", "flush", "table", "main"], namespace=router)
    eventually(
        lambda: sum(lab.companion("h1").values("dvr_drift_mended_total").values()) > 0,
        "the companion has mended drift",
    )
    after = lab.companion("h1")
    assert after.value("dvr_applies_total", cause="drift") >= 1
    assert after.value("dvr_step_seconds_count", step="apply") >= 2


def test_an_edit_and_a_mistake_are_counted(lab: Running):
    before = lab.companion("h2").value("dvr_reloads_total", outcome="applied")
    lab.file.write_text(LAB.replace("ip: 10.2.0.20", "ip: 10.2.0.21"))
    eventually(
        lambda: (
            lab.companion("h2").value("dvr_reloads_total", outcome="applied") == before + 1
            and lab.controller().value("dvr_reloads_total", outcome="applied") == 1
        ),
        "the edit is counted",
    )
    lab.file.write_text(LAB + "nonsense")
    eventually(
        lambda: (
            lab.companion("h2").value("dvr_last_reload_successful") == 0
            and lab.controller().value("dvr_last_reload_successful") == 0
        ),
        "the mistake is counted",
    )
    assert lab.companion("h2").value("dvr_companion_state", state="failed") == 1
    lab.file.write_text(LAB)
    eventually(
        lambda: lab.companion("h2").value("dvr_last_reload_successful") == 1, "all is right again"
    )


def configuration(lab: Running, folder: Path) -> list[str]:
    """A Prometheus with the example of a configuration, for this lab; its arguments."""
    text = (MONITORING / "prometheus.yml").read_text().replace('"', "")
    parts = {**PARTS, "127.0.0.1:8080": lab.page.removeprefix("http://")}
    for old, new in parts.items():
        assert old in text
        text = text.replace(old, new)
    config = folder / "prometheus.yml"
    config.write_text(text)
    shutil.copy(MONITORING / "alerts.yml", folder)
    return ["prometheus", f"--config.file={config}"]


def test_prometheus_scrapes_them_and_answers_queries(lab: Running, tmp_path: Path):
    """One Prometheus is on this machine, as the controller's page is; another one on a lab host,
    from which it reaches the companions.
    """
    command, port = configuration(lab, tmp_path), free_port()
    here = f"--web.listen-address=127.0.0.1:{port}", f"--storage.tsdb.path={tmp_path / 'here'}"
    there = f"--web.listen-address=127.0.0.1:{PROMETHEUS}", f"--storage.tsdb.path={tmp_path / 'h1'}"

    def ask_here(path: str) -> str:
        return get(f"http://127.0.0.1:{port}{path}")

    def ask_there(path: str) -> str:
        return lab.get("h1", PROMETHEUS, path)

    def query(ask: Callable[[str], str], text: str) -> list[float]:
        try:
            found = json.loads(ask(f"/api/v1/query?query={quote(text)}"))["data"]["result"]
        except (HostError, OSError):  # it does not listen yet
            return []
        return [float(each["value"][1]) for each in found]

    def shows(text: str) -> bool:
        return bool(query(ask_here, text) or query(ask_there, text))

    def up(ask: Callable[[str], str], job: str, count: int) -> bool:
        return query(ask, f"sum(up{{job='{job}'}})") == [count]

    def rules_are_well() -> bool:
        groups = json.loads(ask_here("/api/v1/rules"))["data"]["groups"]
        return {rule["health"] for group in groups for rule in group["rules"]} == {"ok"}

    with lab.host("h1").running([*command, *there]):
        prometheus = subprocess.Popen([*command, *here], stderr=subprocess.DEVNULL)
        try:
            eventually(partial(up, ask_here, "dvr_controller", 1), "the controller is scraped")
            eventually(partial(up, ask_there, "dvr_companion", 2), "the companions are scraped")
            assert query(ask_here, "sum(dvr_bridge_in_sync)") == [4]
            assert query(ask_there, "count(dvr_companion_state{state='applied'} == 1)") == [2]
            assert query(ask_here, "sum(dvr_line_packets_total{file='br-tun.flows'})")[0] > 0
            for each in expressions():
                eventually(partial(shows, each), f"the dashboard shows {each}")
            eventually(rules_are_well, "all rules are evaluated without an error")
        finally:
            prometheus.kill()
            prometheus.wait()
