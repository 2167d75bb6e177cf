"""Hosts made of namespaces: only the underlay joins them with each other; nothing joins them with
the machine.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from attrs import evolve

from dvr_ryu.errors import DvrError, HostError
from dvr_ryu.lab.hosts.bare import Lab, bare_lab, controller_of, remove
from dvr_ryu.lab.hosts.host import MARKER, LabHost
from dvr_ryu.lab.hosts.init import PAUSES
from dvr_ryu.lab.hosts.process import Process, with_variable
from dvr_ryu.lab.wait import wait_until
from dvr_ryu.topology.controller import Controller
from dvr_ryu.topology.topology import Topology


def _of_the_machine() -> tuple[str, ...]:
    """Everything in the machine's own namespaces that a lab could change: links, named namespaces,
    sockets of Open vSwitch, mounts.
    """
    commands = (
        ["ip", "-br", "link"],
        ["ip", "netns"],
        ["ls", "/run", "/var/log/openvswitch"],
    )
    seen = [subprocess.run(command, capture_output=True, text=True).stdout for command in commands]
    return (*seen, Path("/proc/self/mounts").read_text())


def _processes_of(lab: Lab) -> set[int]:
    """All processes of the machine in network namespaces of the lab."""
    networks = {os.readlink(f"/proc/{host.init.pid}/ns/net") for host in lab.hosts.values()}
    return {
        int(folder.name)
        for folder in Path("/proc").glob("[0-9]*")
        if _link(folder / "ns/net") in networks
    }


def _link(path: Path) -> str | None:
    try:
        return os.readlink(path)
    except OSError:
        return None


@pytest.mark.parametrize("address", ["10.0.44.68", "10.0.44.1"])
def test_hosts_reach_each_other_with_the_underlays_whole_mtu(lab: Lab, address: str) -> None:
    whole = ["ping", "-M", "do", "-c1", "-W5", address, "-s", str(1550 - 28)]
    assert "1 received" in lab["server-233"].run(whole).stdout
    lab["server-233"].run(["ping", "-M", "do", "-c1", "-W5", address, "-s", "1400"])
    too_long = lab["server-233"].run([*whole[:-1], str(1550 - 27)], check=False)
    assert too_long.returncode != 0


def test_nothing_answers_twice(lab: Lab) -> None:
    """The kernel sees eth0's packets too, but only one device answers for the address."""
    output = lab["server-233"].run(["ping", "-c3", "-i0.05", "10.0.44.68"]).stdout
    assert "DUP" not in output and "3 received" in output
    asked = lab.controller.run(["ip", "neigh", "show", "to", "10.0.44.68"], check=False).stdout
    assert "02:01:0a:00:2c:44" not in asked


def test_tcp_crosses_the_underlay(lab: Lab) -> None:
    """A veth leaves checksums incomplete, which would stop TCP if Open vSwitch is the datapath."""
    server = "import socket as s; l = s.create_server(('10.0.44.1', 7000)); open('/run/up', 'w')"
    greet = "c, peer = l.accept(); c.sendall(peer[0].encode()); c.close()"
    client = "import socket as s; print(s.create_connection(('10.0.44.1', 7000), 5).recv(99))"
    listener = subprocess.Popen(lab.controller.enter(["python3", "-c", f"{server}; {greet}"]))
    try:
        wait_until(lab.controller.path("/run/up").exists, 10, "a listener")
        output = lab["server-233"].run(["python3", "-c", client]).stdout
    finally:
        listener.kill()
        listener.wait()
    assert output.strip() == "b'10.0.44.233'"


def test_each_host_has_its_own_open_vswitch(lab: Lab) -> None:
    lab["server-233"].run(["ovs-vsctl", "add-br", "br-test", "--", *_netdev("br-test")])
    lab["server-233"].run(["ovs-ofctl", "add-flow", "br-test", "priority=7,actions=drop"])
    assert "priority=7" in lab["server-233"].run(["ovs-ofctl", "dump-flows", "br-test"]).stdout
    assert "br-test" not in lab["server-68"].run(["ovs-vsctl", "list-br"]).stdout
    system_id = ["ovs-vsctl", "get", "Open_vSwitch", ".", "external_ids:system-id"]
    assert lab["server-68"].run(system_id).stdout.strip() == "server-68"


def _netdev(bridge: str) -> list[str]:
    return ["set", "Bridge", bridge, "datapath_type=netdev"]


def test_namespaces_of_one_name_do_not_collide(lab: Lab) -> None:
    for name in ("server-233", "server-68"):
        lab[name].run(["ip", "netns", "add", "qrouter-x"])
        lab[name].run(
            ["ip", "link", "add", f"d-{name[7:]}", "type", "bridge"], namespace="qrouter-x"
        )
    links = lab["server-68"].run(["ip", "-br", "link"], namespace="qrouter-x").stdout
    assert "d-68" in links and "d-233" not in links
    rule = ["-t", "nat", "-A", "POSTROUTING", "-s", "192.0.2.1/32", "-j", "ACCEPT"]
    lab["server-68"].run(["iptables", *rule], namespace="qrouter-x")
    rules = lab["server-68"].run(["iptables", "-t", "nat", "-S"], namespace="qrouter-x").stdout
    assert " ".join(rule[2:]) in rules
    assert "192.0.2.1" not in lab["server-68"].run(["iptables", "-t", "nat", "-S"]).stdout


def test_a_host_has_its_own_name_and_pids(lab: Lab) -> None:
    assert lab["server-68"].run(["hostname"]).stdout.strip() == "server-68"
    assert (
        "lab/hosts/init.py" in lab["server-68"].run(["ps", "-ww", "-p", "1", "-o", "args="]).stdout
    )


def test_orphans_are_reaped(lab: Lab) -> None:
    host = lab["server-68"]
    host.run(["sh", "-c", "sh -c 'exit 0' & exec true"])
    zombies = ["ps", "-e", "-o", "stat="]
    wait_until(lambda: "Z" not in host.run(zombies).stdout, 10, "reaping", lambda: "zombies stay")


def test_files_of_a_dhcp_client_stay_in_the_host(lab: Lab) -> None:
    lab["server-68"].run(["sh", "-c", "echo nameserver 192.0.2.53 > /etc/resolv.conf"])
    assert "192.0.2.53" not in Path("/etc/resolv.conf").read_text()


@pytest.mark.parametrize("script, code", [("exit 0", 0), ("exit 7", 7), ("kill -TERM $$", -15)])
def test_a_commands_end_is_handed_on(lab: Lab, script: str, code: int) -> None:
    assert lab["server-68"].run(["sh", "-c", script], check=False).returncode == code


def test_a_command_gets_stdin_and_an_error_has_its_output(lab: Lab) -> None:
    assert lab["server-68"].run(["cat"], input="words").stdout == "words"
    with pytest.raises(HostError, match=r"(?s)server-68: ls /nowhere: ended with 2.*No such file"):
        lab["server-68"].run(["ls", "/nowhere"])


def test_a_command_ends_with_nsenter(lab: Lab) -> None:
    """A kill of nsenter, such as at a timeout, leaves no process in the host."""
    sleeping = ["pgrep", "-x", "sleep"]
    with subprocess.Popen(lab["server-68"].enter(["sleep", "1000"])) as nsenter:
        wait_until(lambda: not lab["server-68"].run(sleeping, check=False).returncode, 10, "sleep")
        nsenter.kill()
    wait_until(lambda: bool(lab["server-68"].run(sleeping, check=False).returncode), 10, "its end")


def test_a_service_stays_and_is_known_by_its_pid(lab: Lab, tmp_path: Path) -> None:
    host, log = lab["server-68"], tmp_path / "log"
    host.start_service("talker", ["sh", "-c", "echo $WORD; exec sleep 1000"], log, {"WORD": "hi"})
    wait_until(lambda: log.exists() and untimed(log) == "hi\n", 10, "the service's word")
    host.run(["kill", str(host.service_pid("talker"))])
    wait_until(lambda: host.service_pid("talker") is None, 10, "the service's end")


def test_a_service_that_is_killed_comes_back(lab: Lab, tmp_path: Path) -> None:
    host, log = lab["server-68"], tmp_path / "log"
    command = ["sh", "-c", "echo here; exec sleep 1000"]
    assert host.start_service("victim", command, log, {})
    assert not host.start_service("victim", command, log, {})
    first = host.service_pid("victim")
    host.run(["kill", "-9", str(first)])
    wait_until(lambda: host.service_pid("victim") not in (None, first), 10, "another victim")
    assert host.service_starts("victim") == 2
    host.run(["kill", str(host.service_pid("victim"))])
    wait_until(lambda: host.service_pid("victim") is None, 10, "its end")
    expected = "here\nthe victim was killed by signal 9; it starts again in 0.1 s\nhere\n"
    assert untimed(log) == expected
    host.start_service("victim", ["true"], log, {})
    wait_until(lambda: host.service_pid("victim") is None, 10, "its end of its own accord")
    assert untimed(log) == expected


SAYS_STARTS = """if True:
    import os, socket, sys
    listener = socket.socket(fileno=int(os.environ["LISTENS"].removeprefix("fd:")))
    while True:
        listener.accept()[0].sendall(sys.argv[1].encode())
"""


def test_all_starts_of_a_service_inherit_one_socket_of_this_machine(
    lab: Lab, tmp_path: Path
) -> None:
    """Also a start after an end of its own: the port is never free for another program."""
    host, log = lab["server-68"], tmp_path / "log"

    def start(word: str, listens: tuple[str, socket.socket] | None = None) -> bool:
        return host.start_service(
            "page", [sys.executable, "-c", SAYS_STARTS, word], log, {}, listens
        )

    def answer() -> str:
        with socket.create_connection(address, timeout=20) as client:
            return client.recv(100).decode()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        assert start("first", ("LISTENS", listener))
    assert answer() == "first"
    host.run(["kill", "-9", str(host.service_pid("page"))])
    assert answer() == "first"
    wait_until(lambda: host.service_starts("page") == 2, 10, "its second start")
    host.run(["kill", str(host.service_pid("page"))])
    wait_until(lambda: host.service_pid("page") is None, 10, "its end")
    assert start("second")
    assert answer() == "second"
    host.run(["kill", str(host.service_pid("page"))])
    wait_until(lambda: host.service_pid("page") is None, 10, "its end")


def untimed(log: Path) -> str:
    """The text of a log without the times of its lines; the times must not decrease."""
    lines = [line.partition(" ") for line in log.read_text().splitlines()]
    times = [datetime.strptime(time, "%Y-%m-%dT%H:%M:%S.%f") for time, _, _ in lines]
    assert times == sorted(times)
    return "".join(f"{text}\n" for _, _, text in lines)


def test_a_log_has_all_output(lab: Lab, tmp_path: Path) -> None:
    """Much output at a time, a line without an end, stdout and stderr, and later output of a
    child.
    """
    host, log = lab["server-68"], tmp_path / "log"
    script = "seq 100000; echo wrong >&2; (sleep 0.2; echo child) & printf last"
    host.start_service("writer", ["sh", "-c", script], log, {})
    wait_until(lambda: "child" in log.read_text(), 20, "all of it")
    output = untimed(log).splitlines()
    assert output[:100001] == [*map(str, range(1, 100001)), "wrong"]
    assert "".join(output[100001:]) == "lastchild"
    host.start_service("endless", ["sh", "-c", "head -c 300000 /dev/zero | tr '\\0' x"], log, {})
    wait_until(lambda: log.read_text().count("x") == 300000, 20, "a line of 300 000")


def test_a_service_that_waits_for_its_next_start_may_be_started_at_once(
    lab: Lab, tmp_path: Path
) -> None:
    host, log = lab["server-68"], tmp_path / "log"
    command = ["sh", "-c", "echo here; exec sleep 1000"]
    assert host.start_service("hasty", command, log, {})
    host.run(["kill", "-9", str(host.service_pid("hasty"))])
    wait_until(lambda: host.start_service("hasty", command, log, {}), 10, "its end to be noticed")
    assert host.service_starts("hasty") == 1
    host.run(["kill", str(host.service_pid("hasty"))])
    wait_until(lambda: host.service_pid("hasty") is None, 10, "its end")
    expected = "here\nthe hasty was killed by signal 9; it starts again in 0.1 s\nhere\n"
    assert untimed(log) == expected


def test_a_service_that_always_fails_is_never_given_up_but_started_less_often(
    lab: Lab, tmp_path: Path
) -> None:
    host, log = lab["server-68"], tmp_path / "log"
    host.start_service("failure", ["sh", "-c", "exit 3"], log, {})
    pauses = [f"{pause:g} s" for pause in (*PAUSES, PAUSES[-1])]
    lines = [f"the failure ended with code 3; it starts again in {pause}" for pause in pauses]
    wait_until(lambda: untimed(log).splitlines() == lines, 30, "seven ends", log.read_text)
    host.start_service("failure", ["true"], log, {})
    with pytest.raises(HostError, match=r"cannot start the nothing: .*/no/such/program"):
        host.start_service("nothing", ["/no/such/program"], log, {})


@pytest.mark.parametrize("daemon", ["ovsdb-server", "ovs-vswitchd"])
def test_open_vswitch_comes_back(lab: Lab, daemon: str) -> None:
    """The underlay is there too, and the userspace datapath carries its packets."""
    host = lab["server-68"]
    host.run(["kill", "-9", str(host.service_pid(daemon))])
    wait_until(lambda: host.service_starts(daemon) == 2, 10, f"another {daemon}")
    host.run(
        ["ovs-vsctl", "--retry", "--timeout=20", "set", "Open_vSwitch", ".", "external_ids:a=b"]
    )
    ping = ["ping", "-c1", "-W1", "10.0.44.233"]
    wait_until(lambda: host.run(ping, check=False).returncode == 0, 20, "the underlay")


def test_a_lab_leaves_nothing_and_is_never_seen(two_hosts: Topology) -> None:
    before = _of_the_machine()
    with bare_lab(two_hosts) as lab:
        assert _of_the_machine() == before
        processes = {Process.of(pid) for pid in _processes_of(lab)}
        assert len(processes) >= 4 + 2 * 2, "an init for each, and Open vSwitch on two"
    assert not any(process.alive for process in processes)
    assert _of_the_machine() == before


def test_a_lab_with_a_killed_host_is_taken_down(two_hosts: Topology) -> None:
    with bare_lab(two_hosts) as lab:
        processes = {Process.of(pid) for pid in _processes_of(lab)}
        os.kill(lab["server-68"].init.pid, signal.SIGKILL)
        wait_until(lambda: not lab["server-68"].init.alive, 10, "its end")
    assert not any(process.alive for process in processes)


def test_a_lab_that_fails_halfway_is_taken_down(
    two_hosts: Topology, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Open vSwitch is not found: the hosts exist by then, and must be removed."""
    made: list[LabHost] = []
    start = LabHost.start

    def start_and_note(name: str, lab: str) -> LabHost:
        made.append(start(name, lab))
        return made[-1]

    monkeypatch.setattr(LabHost, "start", start_and_note)
    monkeypatch.setattr("dvr_ryu.lab.hosts.openvswitch._SCHEMA", str(tmp_path / "gone"))
    with pytest.raises(HostError, match="ovsdb-tool create"), bare_lab(two_hosts):
        pass
    assert len(made) == 4
    assert not any(host.init.alive for host in made)


def test_a_recycled_pid_is_not_killed() -> None:
    with subprocess.Popen(["sleep", "1000"]) as sleep:
        process = Process.of(sleep.pid)
        Process(sleep.pid, process.started - 1).kill()
        assert process.alive
        process.kill()
        assert not process.alive


def test_a_lab_is_removed_without_its_neighbour(two_hosts: Topology) -> None:
    with bare_lab(two_hosts) as one, bare_lab(two_hosts) as other:
        marker = Path(f"/proc/{one.underlay_host.init.pid}/environ").read_text()
        folder = dict(word.split("=", 1) for word in marker.split("\0") if word)[MARKER]
        assert remove(folder) == sorted(one.hosts)
        assert not any(host.init.alive for host in one.hosts.values())
        assert all(host.init.alive for host in other.hosts.values())
        assert not list(with_variable(MARKER, folder))


@pytest.mark.parametrize(
    "controller",
    [Controller("127.0.0.1", 6653), Controller("10.0.44.68", 6653)],
    ids=["not on the underlay", "a host's"],
)
def test_a_controller_that_no_lab_host_can_have(
    two_hosts: Topology, controller: Controller
) -> None:
    with pytest.raises(DvrError, match="on a host of its own"):
        controller_of(evolve(two_hosts, controller=controller))
