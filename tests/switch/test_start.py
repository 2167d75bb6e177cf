"""The start of `ryu-manager dvr_ryu.app`: the topology that it uses, and its messages if it cannot
start.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
from pathlib import Path
from urllib.request import urlopen

import pytest

from dvr_ryu.companion.check.hello import exchange
from dvr_ryu.shipped import examples_dir
from tests.switch.support.controller import PATIENCE, RYU_MANAGER, Controller

ARTICLE = examples_dir() / "human-defined-dvr.yaml"


def start(folder: Path, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Start it in a state in which it must fail."""
    environment = {name: value for name, value in os.environ.items() if name != "DVR_TOPOLOGY"}
    return subprocess.run(
        [str(RYU_MANAGER), *options, "dvr_ryu.app"],
        env={**environment, **variables},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
    )


def complaint(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Its last lines, after Ryu's own; it must have failed without a traceback."""
    assert done.returncode == 1
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert not [line for line in lines if "Traceback" in line or "Warning" in line]
    return lines[lines.index("instantiating app dvr_ryu.app of DvrApp") + 1 :]


def test_no_topology_is_one_clear_line(tmp_path: Path) -> None:
    if Path("/etc/dvr_ryu/topology.yaml").exists():
        pytest.skip("this machine has a topology of its own in /etc/dvr_ryu")
    (line,) = complaint(start(tmp_path))
    assert line.startswith("no topology: name one in DVR_TOPOLOGY or as [dvr] topology")


def test_a_bad_topology_is_reported_with_its_location(tmp_path: Path) -> None:
    (tmp_path / "topology.yaml").write_text("hosts: {a: {address: 10.0.0.1}}\nnetworks: {x: 1}\n")
    location, source, caret = complaint(start(tmp_path))
    assert location.startswith("topology.yaml:2:15:")
    assert source.strip() == "networks: {x: 1}"
    assert caret.index("^") == source.index("1}")


def test_bad_flows_are_reported_with_their_location(tmp_path: Path) -> None:
    (tmp_path / "br-tun.flows").write_text("table 0 A\n  miss: fly\n")
    config = tmp_path / "ryu.conf"
    config.write_text(f"[dvr]\ntopology = {ARTICLE}\nflows = {tmp_path}\n")
    location, *_ = complaint(start(tmp_path, f"--config-file={config}"))
    assert location.startswith(f"{tmp_path}/br-tun.flows:2:9: unknown action 'fly'")


def test_an_address_that_is_not_here(tmp_path: Path) -> None:
    line = complaint(start(tmp_path, DVR_TOPOLOGY=str(ARTICLE)))[-1]
    assert line.startswith("cannot listen on tcp:10.0.44.1:6653: Cannot assign requested address")


def test_where_the_topology_is_found(tmp_path: Path) -> None:
    """[dvr] topology takes precedence over DVR_TOPOLOGY, which does over ./topology.yaml; each
    error names its file.
    """
    (tmp_path / "topology.yaml").write_text("local")
    (tmp_path / "variable").write_text("variable")
    (tmp_path / "option").write_text("option")
    config = tmp_path / "ryu.conf"
    config.write_text("[dvr]\ntopology = option\n")
    assert complaint(start(tmp_path))[0].startswith("topology.yaml:1:1:")
    variable = {"DVR_TOPOLOGY": "variable"}
    assert complaint(start(tmp_path, **variable))[0].startswith("variable:1:1:")
    named = start(tmp_path, f"--config-file={config}", **variable)
    assert complaint(named)[0].startswith("option:1:1:")


def test_it_starts_in_a_few_lines_and_without_a_warning(tmp_path: Path) -> None:
    controller = Controller(tmp_path, ARTICLE)
    with controller:
        assert controller.lines()[:7] == [
            "loading app dvr_ryu.app",
            "loading app ryu.controller.ofp_handler",
            "instantiating app dvr_ryu.app of DvrApp",
            f"topology {ARTICLE}: 3 hosts, 4 networks, 1 router, 7 instances, 3 floating IPs",
            *[line for line in controller.lines() if line.startswith("flows ")],
            f"listening on {controller.target}",
        ]


def test_a_taken_port_is_one_clear_line(tmp_path: Path) -> None:
    first = Controller(tmp_path, ARTICLE)
    with first:
        options = ["--ofp-listen-host=127.0.0.1", f"--ofp-tcp-listen-port={first.port}"]
        line = complaint(start(tmp_path, *options, DVR_TOPOLOGY=str(ARTICLE)))[-1]
        assert "Address already in use" in line


def test_a_hello_is_answered_at_once(tmp_path: Path) -> None:
    """`dvr companion check` recognizes the controller by it."""
    controller = Controller(tmp_path, ARTICLE)
    with controller, socket.create_connection(("127.0.0.1", controller.port)) as connected:
        assert exchange(connected, PATIENCE) == "1.4"
    assert not [line for line in controller.lines() if "Traceback" in line]


def test_options_of_ryus_own_listener_are_refused(tmp_path: Path) -> None:
    arguments = ["--ofp-switch-address-list=127.0.0.1:6653"]
    line = complaint(start(tmp_path, *arguments, DVR_TOPOLOGY=str(ARTICLE)))[-1]
    assert line.startswith("--ofp-switch-address-list is not for dvr_ryu: switches call it")


def test_a_wrong_page_is_one_clear_line(tmp_path: Path) -> None:
    config = tmp_path / "ryu.conf"
    config.write_text(f"[dvr]\ntopology = {ARTICLE}\npage = 127.0.0.1:8080, nowhere\n")
    arguments = ["--ofp-listen-host=127.0.0.1", "--ofp-tcp-listen-port=0"]
    line = complaint(start(tmp_path, f"--config-file={config}", *arguments))[-1]
    assert line.startswith("[dvr] page = 'nowhere' is no address to serve at: write ADDRESS:PORT")


def test_an_occupied_page_stops_nothing(tmp_path: Path) -> None:
    """Of two addresses one is taken: the log says so, and the other one has the page."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        controller = Controller(tmp_path, ARTICLE)
        controller.environment["DVR_PAGE"] = f"{taken},127.0.0.1:0"
        with controller:
            controller.wait_for(f"no page: cannot listen on {taken}: Address already in use")
            with urlopen(f"{controller.page}status.json", timeout=20) as answer:
                assert json.load(answer)["controller"]["topology"] == str(ARTICLE)


def test_there_may_be_no_page(tmp_path: Path) -> None:
    controller = Controller(tmp_path, ARTICLE)
    controller.environment["DVR_PAGE"] = "off"
    with controller:
        with socket.create_connection(("127.0.0.1", controller.port)) as connected:
            assert exchange(connected, PATIENCE) == "1.4"
        assert not [line for line in controller.lines() if "page" in line]
