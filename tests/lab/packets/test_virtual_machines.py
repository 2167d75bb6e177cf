"""The example with virtual machines: its proof, a console, a move while a
machine runs, several cards, a killed machine, and a host that leaves nothing behind.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from attrs import frozen

from dvr_ryu.companion.resources.virtual_machine import FOLDERS, console_socket
from dvr_ryu.lab import lifecycle, tracing
from dvr_ryu.lab.guests import client
from dvr_ryu.lab.hosts.bare import Lab
from dvr_ryu.lab.hosts.host import LabHost
from dvr_ryu.lab.proof import proof
from dvr_ryu.lab.state import StateFolder
from dvr_ryu.lab.wait import wait_until
from dvr_ryu.shipped import examples_dir
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.trace.live.comparing import compare

CIRROS = "vm-cirros"
BOOT = ("cat", "/proc/sys/kernel/random/boot_id")
"""What a machine prints that differs each time that it boots."""
DVR = Path(sys.executable).with_name("dvr")


@frozen
class Machines:
    """The lab that is up, and its file."""

    file: Path
    folder: StateFolder
    lab: Lab

    def host(self, instance: str) -> LabHost:
        return self.lab[load_topology(self.file).instances[instance].host]

    def run(self, instance: str, command: Sequence[str], check: bool = True) -> str:
        host = self.host(instance)
        return host.run(command, namespace=f"vm-{instance}", check=check).stdout

    def edit(self, old: str, new: str) -> None:
        text = self.file.read_text()
        assert text.count(old) == 1
        fresh = self.file.with_suffix(".fresh")
        fresh.write_text(text.replace(old, new))
        fresh.replace(self.file)
        lifecycle.up(self.file, lambda _: None, self.folder)

    def pings(self, instance: str, address: str) -> bool:
        host = self.host(instance)
        command = ["ping", "-c1", "-w10", address]
        return not host.run(command, namespace=f"vm-{instance}", check=False).returncode


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    scratch = tmp_path_factory.mktemp("machines")
    file, folder = scratch / "topology.yaml", StateFolder(scratch / "dvr_lab")
    shutil.copy(examples_dir() / "human-defined-dvr-vm.yaml", file)
    try:
        lifecycle.up(file, lambda _: None, folder)
        yield Machines(file, folder, Lab(lifecycle.running(folder).lab_hosts))
    finally:
        lifecycle.down(folder)


def test_every_check_passes_between_machines_and_namespaces(machines: Machines) -> None:
    results = proof.prove(lambda _: None, machines.folder)
    assert [each for each in results if not each.passed] == []
    leased = {each.source for each in results if each.what == "DHCP lease"}
    assert leased == {"cirros", "vm-68", "vm-233", "blue-68"}
    seen = {(each.what, each.source, each.target) for each in results}
    assert ("floating IP, outbound", "cirros", "server-68") in seen
    assert ("layer 3, across hosts", "cirros", "vm-68") in seen
    assert ("largest packet", "cirros", "vm-68") in seen


def test_a_machine_has_the_leases_host_name_mtu_and_routes(machines: Machines) -> None:
    assert machines.run("cirros", ["hostname"]) == "cirros\n"
    (link,) = json.loads(machines.run("cirros", ["ip", "-json", "link", "show", "eth0"]))
    assert link["mtu"] == 1500 and link["address"] == "fa:16:3e:ff:aa:66"
    server = machines.lab["server-233"]
    books = server.path("/run/dvr_ryu/dhcp").glob("*.leases")
    assert any("192.168.10.222 cirros" in book.read_text() for book in books)


def test_a_live_trace_asks_a_machine_as_it_asks_a_namespace(machines: Machines) -> None:
    network, ask = tracing.network(machines.folder), tracing.asker(machines.folder)
    for source, target in (("cirros", "vm-68"), ("vm-68", "vm-233"), ("blue-68", "cirros")):
        trace = network.trace(source, target, reply=True)
        assert compare(network, trace, ask).departures == ()
    machines.run("vm-68", ["ip", "route", "add", "192.168.10.222/32", "dev", "lo"])
    (departure,) = compare(network, network.trace("vm-68", "cirros"), ask).departures
    assert departure.node == "vm-vm-68" and "dev lo" in departure.text
    machines.run("vm-68", ["ip", "route", "del", "192.168.10.222/32"])


def test_a_command_ends_as_it_would_elsewhere(machines: Machines) -> None:
    def run(*command: str, input: str = "") -> subprocess.CompletedProcess[str]:
        host = machines.host("cirros")
        return host.run(command, namespace=CIRROS, check=False, input=input)

    done = run("sh", "-c", "cat; echo wrong >&2; exit 3", input="right\n")
    assert (done.returncode, done.stdout, done.stderr) == (3, "right\n", "wrong\n")
    assert run("no-such-program").returncode == 127
    assert run("sh", "-c", "kill -TERM $$").returncode == 128 + 15
    # If the client is killed, the command ends, too.
    with machines.host("cirros").running(["sleep", "1000"], CIRROS):
        wait_until(lambda: "sleep 1000" in run("ps").stdout, 30, "the command")
    wait_until(lambda: "sleep 1000" not in run("ps").stdout, 30, "its end")
    # A client that takes no output holds up no other one, nor does its end.
    for _ in range(5):
        with machines.host("cirros").running(["yes"], CIRROS) as client:
            assert client.stdout and client.stdout.read(2) == "y\n"
            assert run("hostname").stdout == "cirros\n"
        assert run("hostname").stdout == "cirros\n"


def test_the_console_is_a_shell_that_a_key_leaves(machines: Machines) -> None:
    path = machines.host("cirros").path(console_socket("cirros"))
    join = "import sys, pathlib; from dvr_ryu.lab.guests.terminal import join; "
    join += "sys.exit(join('cirros', pathlib.Path(sys.argv[1])))"
    with subprocess.Popen(
        [sys.executable, "-c", join, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as console:
        assert console.stdin and console.stdout
        console.stdin.write(b"echo $((6 * 7)) $(hostname)\n")
        console.stdin.flush()
        shown = b""
        while b"42 cirros" not in shown:
            block = os.read(console.stdout.fileno(), 4096)
            assert block, shown
            shown += block
        console.stdin.write(b"\x1d")
        console.stdin.flush()
        assert console.wait(10) == 0


def test_an_edit_moves_a_machine_that_runs_on(machines: Machines) -> None:
    boot = machines.run("cirros", BOOT)
    machines.run("cirros", ["sh", "-c", "echo stays >/tmp/file"])
    machines.edit("cirros: {host: server-233", "cirros: {host: server-68")
    assert machines.run("cirros", BOOT) == boot
    assert machines.run("cirros", ["cat", "/tmp/file"]) == "stays\n"
    for address in ("192.168.10.1", "10.10.10.4", "2.2.2.1"):
        assert machines.pings("cirros", address), address
    assert machines.pings("vm-233", "192.168.10.222")
    left = machines.lab["server-233"]
    wait_until(lambda: not left.path(f"{FOLDERS}/cirros").exists(), 20, "its old host without it")


def test_a_killed_machine_is_back(machines: Machines) -> None:
    boot, host = machines.run("vm-68", BOOT), machines.host("vm-68")
    pid = host.path("/run/dvr_ryu/processes/qemu-vm-68.pid").read_text().strip()
    host.run(["kill", "-KILL", pid])

    def is_back() -> bool:
        found = machines.run("vm-68", BOOT, check=False)
        return found not in ("", boot)

    wait_until(is_back, 60, "the machine, booted again")
    wait_until(lambda: machines.pings("vm-233", "10.10.10.4"), 60, "its address")


def test_an_edit_gives_a_machine_a_second_card(machines: Machines) -> None:
    machines.edit(
        "vm-68: {host: server-68, guest: qemu, network: yellow, ip: 10.10.10.4}",
        "vm-68: {host: server-68, guest: qemu, ports: [{network: yellow, ip: 10.10.10.4}, "
        "{network: blue, ip: 192.168.10.77, allowed_address_pairs: [{ip: 192.168.10.200}]}]}",
    )

    def addresses() -> set[str]:
        links = json.loads(
            machines.run("vm-68", ["ip", "-json", "-4", "address"], check=False) or "[]"
        )
        return {f"{link['ifname']} {each['local']}" for link in links for each in link["addr_info"]}

    wanted = {"eth0 10.10.10.4", "eth1 192.168.10.77"}
    wait_until(lambda: wanted <= addresses(), 60, "an address on each card")
    machines.run("vm-68", ["ip", "address", "add", "192.168.10.200/32", "dev", "eth1"])
    machines.run("vm-68", ["arping", "-c1", "-U", "-I", "eth1", "192.168.10.200"], check=False)
    assert machines.pings("blue-68", "192.168.10.77")
    assert machines.pings("blue-68", "192.168.10.200")


def test_down_leaves_neither_machines_nor_taps(machines: Machines) -> None:
    host = machines.lab["server-68"]
    pid = host.service_pid("companion")
    host.run(["kill", "-TERM", str(pid)])
    wait_until(lambda: host.service_pid("companion") is None, 20, "the companion's end")
    assert machines.run("cirros", ["true"]) == ""  # its end ended no machine
    taps = [
        card.device
        for card in load_topology(machines.file).cards
        if card.name in ("cirros", "vm-68")
    ]
    host.run([str(DVR), "companion", "down", "--host", "server-68"])
    links = host.run(["ip", "-brief", "link"]).stdout
    assert not any(tap in links for tap in taps)
    assert "qemu-system" not in host.run(["ps", "ax", "-o", "args"]).stdout
    assert not host.path(FOLDERS).exists()


def test_the_client_knows_all_ports_of_the_agent() -> None:
    from dvr_ryu.companion.resources.virtual_machine import AGENT_PORTS

    assert client.PORTS == AGENT_PORTS
