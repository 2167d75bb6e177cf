"""Ports that all hosts share or whose MAC changes, while they are pinged: no ping waits long, and a
router answers once, on its own host.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml
from attrs import frozen

from dvr_ryu.lab import lifecycle
from dvr_ryu.lab.hosts.bare import UNDERLAY
from dvr_ryu.lab.hosts.cabling import BRIDGE
from dvr_ryu.lab.hosts.host import LabHost
from dvr_ryu.lab.state import StateFolder
from dvr_ryu.lab.wait import wait_until
from dvr_ryu.topology.loading import load_topology
from tests.lab.edits.test_changes import hosts_of, lab
from tests.lab.support.companions import await_answer, await_state, plugged, run
from tests.lab.support.pinging import PACKETS_A_SECOND, Pings, counted

START = """
controller: tcp:10.0.45.1:6653
underlay: {cidr: 10.0.45.0/24, mtu: 1550}
hosts:
  h1: {address: 10.0.45.11}
  h2: {address: 10.0.45.12, snat: true}
  h3: {address: 10.0.45.13}
networks:
  blue:
    dhcp_host: h1
    subnets: [{cidr: 10.1.0.0/24, dhcp_ranges: [{start: 10.1.0.100, end: 10.1.0.109}]}]
  green: {subnets: [{cidr: 10.2.0.0/24, dhcp: false}]}
  x: {external: true, gateway_host: h3, subnets: [{cidr: 2.2.2.0/24}]}
routers:
  r: {interfaces: [{network: blue}, {network: green}], external_network: x}
instances:
  a: {host: h1, network: blue, ip: 10.1.0.11}
  b: {host: h2, network: blue, ip: 10.1.0.12}
  b1: {host: h1, network: blue, ip: 10.1.0.13}
  c: {host: h1, network: green, ip: 10.2.0.11}
  d: {host: h3, network: green, ip: 10.2.0.12}
"""
WHILE = 2 * PACKETS_A_SECOND
"""About a second of silence, on a busy machine."""


@frozen
class Running:
    """A lab that is up, and the document of its file."""

    folder: StateFolder
    file: Path
    document: dict[str, Any]

    def __getitem__(self, host: str) -> LabHost:
        return hosts_of(self.folder, self.file)[host]

    def write(self) -> None:
        """Save the document."""
        self.file.write_text(yaml.safe_dump(self.document, sort_keys=False))

    def save(self) -> None:
        """Bring the lab to the current document."""
        self.write()
        lifecycle.up(self.file, lambda _: None, self.folder)

    def counted(
        self, pings: Mapping[str, tuple[str, str | None, str]], edit: Callable[[], object]
    ) -> dict[str, Pings]:
        """The results of pings (host, namespace, address) during an edit; all are answered before
        it.
        """
        for host, namespace, address in pings.values():
            await_answer(self[host], namespace, address)
        with ExitStack() as stack:
            found = {
                what: stack.enter_context(counted(self[host], namespace, address))
                for what, (host, namespace, address) in pings.items()
            }
            edit()
            self.save()
        return found


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    file = tmp_path_factory.mktemp("gateways") / "topology.yaml"
    file.write_text(START)
    with lab(file, file.parent / "lab") as folder:
        yield Running(folder, file, yaml.safe_load(START))


def silent(found: dict[str, Pings]) -> dict[str, str]:
    """The pings that waited for more than a while."""
    print({what: (each.longest_gap, each.duplicates) for what, each in found.items()})
    return {what: str(each) for what, each in found.items() if each.longest_gap > WHILE}


ACROSS = {
    "on one host": ("h1", "vm-a", "10.2.0.11"),
    "across hosts": ("h1", "vm-a", "10.2.0.12"),
    "from a host without the receiver's network": ("h2", "vm-b", "10.2.0.12"),
}


@pytest.mark.alone
@pytest.mark.parametrize("edit", ["mac", "again"])
def test_a_gateway_with_another_mac_is_found_at_once(running: Running, edit: str) -> None:
    interface = running.document["routers"]["r"]["interfaces"][0]
    mac = {"mac": "fa:16:3e:00:00:07", "again": "fa:16:3e:00:00:08"}[edit]
    assert silent(running.counted(ACROSS, lambda: interface.update(mac=mac))) == {}


NEIGHBOURS = {
    "on another host": ("h1", "vm-a", "10.1.0.12"),
    "by the router": ("h1", "vm-c", "10.1.0.12"),
    "by another host's router": ("h3", "vm-d", "10.1.0.12"),
    "by itself": ("h2", "vm-b", "10.1.0.11"),
}


@pytest.mark.alone
def test_an_instance_with_another_mac_is_found_at_once(running: Running) -> None:
    b = running.document["instances"]["b"]
    assert silent(running.counted(NEIGHBOURS, lambda: b.update(mac="fa:16:3e:00:00:b7"))) == {}


@pytest.mark.alone
def test_a_neighbour_on_the_same_host_with_another_mac_is_found_at_once(running: Running) -> None:
    b1 = running.document["instances"]["b1"]
    pings = {"on its host": ("h1", "vm-a", "10.1.0.13"), "by itself": ("h1", "vm-b1", "10.1.0.11")}
    assert silent(running.counted(pings, lambda: b1.update(mac="fa:16:3e:00:00:b8"))) == {}


def other_gateway(document: dict[str, Any]) -> None:
    document["routers"]["r"]["gateway_port"] = {"mac": "fa:16:3e:00:00:c1"}


def other_snat_port(document: dict[str, Any]) -> None:
    document["routers"]["r"]["interfaces"][0]["snat_port"] = {"mac": "fa:16:3e:00:00:c2"}


def other_router(document: dict[str, Any]) -> None:
    """Another router, whose name and so whose MACs differ, replaces the router."""
    document["routers"]["s"] = document["routers"].pop("r")
    del document["routers"]["s"]["interfaces"][0]["mac"]


@pytest.mark.alone
@pytest.mark.parametrize("edit", [other_gateway, other_snat_port, other_router])
def test_the_path_to_the_world_is_found_at_once_by_another_mac(
    running: Running, edit: Callable[[dict[str, Any]], None]
) -> None:
    pings = {"by SNAT": ("h1", "vm-a", "2.2.2.1"), "between networks": ("h1", "vm-a", "10.2.0.12")}
    assert silent(running.counted(pings, lambda: edit(running.document))) == {}


# A shared MAC stays on its host -------------------------------------------------------------------


@contextmanager
def halted(running: Running, *halted_services: str) -> Iterator[None]:
    """Suspend the companions of hosts, or the controller, while the block runs."""
    hosts = lifecycle.running(running.folder).lab_hosts
    services = {name: name if name == "controller" else "companion" for name in halted_services}
    pids = [(hosts[name], hosts[name].service_pid(service)) for name, service in services.items()]
    for host, pid in pids:
        host.run(["kill", "-STOP", str(pid)])
    try:
        yield
    finally:
        for host, pid in pids:
            host.run(["kill", "-CONT", str(pid)])


@contextmanager
def crossing(running: Running, mac: str) -> Iterator[list[str]]:
    """The frames that this MAC sends through tunnels while the block runs, as tcpdump prints
    them.
    """
    first, last = mac.replace(":", "")[:8], mac.replace(":", "")[8:]
    sent = f"udp port 4789 and udp[22:4]=0x{first} and udp[26:2]=0x{last}"
    command = ["tcpdump", "--immediate-mode", "-lnne", "-Z", "root", "-i", BRIDGE, sent]
    lines: list[str] = []
    underlay_host = lifecycle.running(running.folder).lab_hosts[UNDERLAY]
    with underlay_host.running(command) as tcpdump:
        yield lines
        tcpdump.terminate()
        assert tcpdump.stdout is not None
        lines += tcpdump.stdout.read().splitlines()


def await_applied(
    running: Running, halted_services: Collection[str], mac: str, there: bool
) -> None:
    """Wait until all services that are not suspended have applied the file's router MAC."""
    for name in ("h1", "h2", "h3"):
        host = running[name]
        if "controller" not in halted_services:
            command = "ovs-ofctl dump-flows br-tun table=1"
            wait_until(lambda: (mac in run(host, command)) == there, 10, f"flows of {name}")  # noqa: B023
        if name not in halted_services:
            digest = sha256(running.file.read_bytes()).hexdigest()
            await_state(host, lambda state: state["topology"] == digest)  # noqa: B023


@pytest.mark.parametrize(
    "halted_services", [(), ("controller",), ("h2", "h3"), ("h1",), ("h1", "h3")], ids="-".join
)
def test_a_router_that_leaves_a_network_and_comes_back_answers_once(
    running: Running, halted_services: Collection[str]
) -> None:
    """The controller and the companions may act in any order."""
    (router,) = running.document["routers"].values()
    interfaces, mac = router["interfaces"], "fa:16:3e:00:00:08"
    interfaces[0]["mac"] = mac
    running.save()

    def leave_and_come_back() -> None:
        for there in (False, True):
            router["interfaces"] = interfaces if there else interfaces[1:]
            with halted(running, *halted_services):
                running.write()
                await_applied(running, halted_services, mac, there)
            running.save()

    with crossing(running, mac) as crossed:
        found = running.counted(ACROSS, leave_and_come_back)
    print({what: (each.longest_gap, each.duplicates) for what, each in found.items()})
    assert {what: each.duplicates for what, each in found.items()} == dict.fromkeys(ACROSS, 0)
    assert crossed == []


# Undeclared machines ------------------------------------------------------------------------------


@pytest.mark.alone
def test_an_undeclared_machine_is_routed_to_from_every_host(running: Running) -> None:
    """No log advises to move its network away from it."""
    h1 = running["h1"]
    ip = plugged(h1, "alien", load_topology(running.file).local_vlans["h1"]["blue"])
    assert ip is not None
    run(h1, f"ip addr add {ip}/24 dev eth0", "alien")
    run(h1, "ip route add default via 10.1.0.1", "alien")
    for host, name in (("h3", "vm-d"), ("h1", "vm-c"), ("h2", "vm-b"), ("h1", "vm-a")):
        await_answer(running[host], name, ip)
    for address in ("10.2.0.12", "10.2.0.11", "10.1.0.12"):
        await_answer(h1, "alien", address)
    pings = {"to it": ("h3", "vm-d", ip), "from it": ("h1", "alien", "10.2.0.12")}
    found = running.counted(pings, lambda: None)
    assert {what: (each.lost, each.duplicates) for what, each in found.items()} == dict.fromkeys(
        pings, ([], 0)
    )
    log = running.folder.log("companion-h1").read_text()
    assert "has the port alien, not ours, in blue\n" in log and "give blue" not in log
