"""Clients of the page cannot harm the controller: its switches are served as before."""

from __future__ import annotations

import json
import os
import socket
import urllib.request
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import urlsplit

from dvr_ryu.lab.wait import wait_until
from tests.switch.conftest import view_of
from tests.switch.support.controller import Controller
from tests.switch.support.ovs import Ovs

HOST, BRIDGE = "server-233", "br-int"
JUNK = (
    b"\x05\x00\x00\x0c\x00\x00\x00\x01\x00\x02\x00\x00",  # OpenFlow
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
    b"GET / HTTP/1.1\r\n" + b"A: " + b"x" * 100_000,
    b"GET / HTTP/9.9\r\n\r\n",
    b"POST /status.json HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n",
    b"GET /trace.json?from=\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"\r\n" * 10_000,
)


def page_of(controller: Controller) -> tuple[str, int]:
    parts = urlsplit(controller.page)
    assert parts.hostname and parts.port
    return parts.hostname, parts.port


def fetch(page: tuple[str, int], path: str) -> dict[str, object]:
    host, port = page
    with urllib.request.urlopen(f"http://{host}:{port}{path}", timeout=60) as response:
        return dict(json.load(response))


def connected(ovs: Ovs, controller: Controller, topology_file: Path) -> None:
    ports = view_of(topology_file, HOST).planned_ofports(BRIDGE)
    ovs.add_bridge(BRIDGE, f"{HOST}/{BRIDGE}", ports, controller.target)
    controller.wait_for(f"{HOST}/{BRIDGE} in sync")


def test_silent_clients_and_junk_delay_no_edit(
    ovs: Ovs, controller: Controller, topology_file: Path, flows_folder: Path
) -> None:
    page = page_of(controller)
    connected(ovs, controller, topology_file)
    with ExitStack() as clients:
        for number in range(200):
            client = clients.enter_context(socket.create_connection(page, timeout=10))
            if number % 2:
                with suppress(OSError):
                    client.sendall(JUNK[number // 2 % len(JUNK)])
        mark = controller.mark()
        file = flows_folder / f"{BRIDGE}.flows"
        file.write_text(file.read_text() + "    priority=77, in_port=7777  actions=drop\n")
        controller.wait_for(f"{HOST}/{BRIDGE} in sync", mark)
        assert fetch(page, "/status.json")["hosts"]
    assert not [line for line in controller.lines() if "Traceback" in line]


def test_with_few_descriptors_switches_still_connect(
    ovs: Ovs, folder: Path, topology_file: Path
) -> None:
    controller = Controller(folder, topology_file)
    controller.command = ["prlimit", "--nofile=64:64", *controller.command]
    with controller:
        page = page_of(controller)
        with ExitStack() as clients:
            for _ in range(100):
                clients.enter_context(socket.create_connection(page, timeout=10))
            connected(ovs, controller, topology_file)
        wait_until(lambda: bool(fetch(page, "/status.json")), 20, "the page answers again")


def test_a_killed_worker_stops_nothing(
    ovs: Ovs, controller: Controller, topology_file: Path
) -> None:
    """The worker is killed; the controller goes on, and asks another one."""
    page = page_of(controller)
    assert "svg" in fetch(page, "/picture.json")
    children = Path(f"/proc/{controller.pid}/task/{controller.pid}/children").read_text().split()
    for child in children:
        os.kill(int(child), 9)
    connected(ovs, controller, topology_file)
    wait_until(lambda: _answers(page), 60, "another worker answers")
    way = fetch(page, "/trace.json?from=cirros&to=vm-68")
    assert way["delivered"] is True
    lines = fetch(page, f"/lines.json?host={HOST}&bridge={BRIDGE}")
    assert lines["tables"]


def _answers(page: tuple[str, int]) -> bool:
    with suppress(OSError):
        return "svg" in fetch(page, "/picture.json")
    return False
