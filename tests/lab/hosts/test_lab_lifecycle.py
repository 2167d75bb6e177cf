"""Up, down and their errors: only one lab at a time, and down always cleans up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path

import pytest
from attrs import evolve

from dvr_ryu.companion.providers.kernel import taps
from dvr_ryu.companion.providers.netlink import datapath
from dvr_ryu.errors import DvrError, HostError
from dvr_ryu.lab import entering, lifecycle, membership, preflight, report
from dvr_ryu.lab.hosts import openvswitch
from dvr_ryu.lab.hosts.bare import Lab
from dvr_ryu.lab.hosts.host import MARKER, LabHost
from dvr_ryu.lab.hosts.process import with_variable
from dvr_ryu.lab.services import flows
from dvr_ryu.lab.services.readiness import Goal
from dvr_ryu.lab.services.services import LabService, await_ready, start
from dvr_ryu.lab.state import StateFolder
from dvr_ryu.lab.wait import wait_until
from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.shipped import flows_dir
from dvr_ryu.topology.topology import Topology

BARE = """
controller: tcp:10.0.44.1:6653
hosts: {server-233: {address: 10.0.44.233}, server-68: {address: 10.0.44.68}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[StateFolder]:
    folder = StateFolder(tmp_path / "dvr_lab")
    yield folder
    lifecycle.down(folder)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "bare.yaml"
    path.write_text(BARE)
    return path


@pytest.fixture
def bare_up(folder: StateFolder, two_hosts: Topology, file: Path) -> Lab:
    """The lab of a state folder, up, without services."""
    with folder.locked():
        lab = membership.make_hosts(two_hosts, file, folder, _silent)
        state = folder.read()
        assert state is not None and not state.whole
        folder.write(evolve(state, complete=True))
    return lab


def _silent(step: str) -> None:
    pass


def _left(folder: StateFolder) -> bool:
    return folder.path.exists() or bool(list(with_variable(MARKER, str(folder.path))))


@pytest.mark.usefixtures("bare_up")
def test_one_lab_at_a_time(folder: StateFolder, file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(BARE)
    with pytest.raises(HostError, match=rf"lab of {file} is up since .*type sudo .*dvr lab down"):
        lifecycle.up(other, _silent, folder)
    assert lifecycle.running(folder).whole, "the first lab is as it was"


@pytest.mark.usefixtures("bare_up")
def test_down_removes_all_and_lists_it(folder: StateFolder) -> None:
    removed = lifecycle.down(folder)
    assert removed[:2] == ["lab host controller", "lab host server-233"]
    assert removed[-1].startswith(str(folder.path))
    assert not _left(folder)
    assert lifecycle.down(folder) == []


def test_a_lab_that_lost_a_host(bare_up: Lab, folder: StateFolder, file: Path) -> None:
    os.kill(bare_up["server-68"].init.pid, signal.SIGKILL)
    wait_until(lambda: not bare_up["server-68"].init.alive, 10, "its end")
    with pytest.raises(HostError, match=r"type sudo .*dvr lab down"):
        entering.find("server-233", folder)
    with pytest.raises(HostError, match=r"left its remains: type sudo .*dvr lab down"):
        lifecycle.up(file, _silent, folder)
    lifecycle.down(folder)
    assert not _left(folder)


def test_an_edit_whose_new_host_cannot_be_made_leaves_a_lab_that_works(
    bare_up: Lab, folder: StateFolder, two_hosts: Topology, monkeypatch: pytest.MonkeyPatch
) -> None:
    stays, goes = two_hosts.hosts.values()
    comes = evolve(goes, name="new")
    folder.remember(BARE)
    edited = evolve(two_hosts, hosts={stays.name: stays, comes.name: comes})
    with folder.locked(), monkeypatch.context() as patch:
        patch.setattr(openvswitch, "_SCHEMA", "/nowhere")
        with pytest.raises(HostError, match="/nowhere"):
            membership.renew_hosts(lifecycle.running(folder), edited, folder, _silent)
    assert entering.find(stays.name, folder) == (bare_up[stays.name], None)
    with folder.locked():
        lab = membership.renew_hosts(lifecycle.running(folder), edited, folder, _silent)
    assert lab[comes.name].run(["hostname"]).stdout == "new\n"
    assert lifecycle.running(folder).whole and goes.name not in entering.names(folder)


def test_an_edit_of_tunnels_and_mtu_needs_no_other_lab_but_one_of_the_cidr_does(
    bare_up: Lab, folder: StateFolder, two_hosts: Topology
) -> None:
    """The companions take the type of tunnels as soon as the file is saved."""
    underlay = evolve(two_hosts.underlay, tunnel_type="geneve", mtu=9000)
    with folder.locked():
        edited = evolve(two_hosts, underlay=underlay)
        membership.renew_hosts(lifecycle.running(folder), edited, folder, _silent)
        wider = evolve(two_hosts, underlay=evolve(underlay, cidr=IPv4Network("10.0.0.0/16")))
        with pytest.raises(HostError, match=r"the underlay's cidr, .* type sudo .*dvr lab down"):
            membership.renew_hosts(lifecycle.running(folder), wider, folder, _silent)
    assert lifecycle.running(folder).mtu == 9000
    for address in ("10.0.44.68", "10.0.44.1"):
        ping = ["ping", "-c1", "-W5", "-Mdo", "-s8972", address]
        host = bare_up["server-233"]

        def answers(host: LabHost = host, ping: list[str] = ping) -> bool:
            return host.run(ping, check=False).returncode == 0

        wait_until(answers, 10, "an answer to a packet of the new MTU")


@pytest.mark.parametrize("text", ["", '{"topology": "/x", "sta', "[]", '{"hosts": {"a": 1}}'])
@pytest.mark.usefixtures("bare_up")
def test_a_state_file_cut_short(folder: StateFolder, file: Path, text: str) -> None:
    (folder.path / "lab.json").write_text(text)
    with pytest.raises(HostError, match="left its remains"):
        lifecycle.up(file, _silent, folder)
    assert "lab host server-233" in lifecycle.down(folder)
    assert not _left(folder)


@pytest.mark.usefixtures("bare_up")
def test_a_state_folder_that_is_gone(folder: StateFolder) -> None:
    folder.remove()
    assert "lab host server-233" in lifecycle.down(folder)
    assert not _left(folder)


def test_up_and_down_do_not_wait_for_a_lock(folder: StateFolder, file: Path) -> None:
    with folder.locked():
        for command in (
            lambda: lifecycle.up(file, _silent, folder),
            lambda: lifecycle.down(folder),
        ):
            with pytest.raises(HostError, match="another dvr lab up, flows or down is at work"):
                command()


@pytest.mark.parametrize("at", [0, 1])
def test_an_interrupted_up_leaves_nothing(folder: StateFolder, file: Path, at: int) -> None:
    steps: list[str] = []

    def interrupt(step: str) -> None:
        steps.append(step)
        if len(steps) == at + 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lifecycle.up(file, interrupt, folder)
    assert not _left(folder)


def test_ctrl_c_while_hosts_are_made(folder: StateFolder, file: Path) -> None:
    # If these tests run in the background, SIGINT is ignored, and children inherit that.
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "from pathlib import Path; from dvr_ryu.lab import lifecycle, state;"
        "lifecycle.up(Path(sys.argv[1]), lambda step: print(step, flush=True),"
        " state.StateFolder(Path(sys.argv[2])))"
    )
    command = [sys.executable, "-c", code, str(file), str(folder.path)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as up:
        assert up.stdout and up.stdout.readline()
        os.killpg(up.pid, signal.SIGINT)
        _, output = up.communicate(timeout=30)
    assert "KeyboardInterrupt" in output
    assert not _left(folder)


def test_a_killed_up_is_cleaned_by_down(folder: StateFolder, file: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from dvr_ryu.lab import lifecycle, state;"
        "lifecycle.up(Path(sys.argv[1]), lambda step: 'compan' in step and os.kill(os.getpid(), 9),"
        " state.StateFolder(Path(sys.argv[2])))"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(file), str(folder.path)])
    assert killed.returncode == -signal.SIGKILL
    with pytest.raises(HostError, match="left its remains"):
        lifecycle.up(file, _silent, folder)
    assert "lab host wire" in lifecycle.down(folder)
    assert not _left(folder)


def test_the_log_of_a_service_that_ends_early_is_shown(
    bare_up: Lab, folder: StateFolder, file: Path, two_hosts: Topology
) -> None:
    command = ["sh", "-c", "echo said before; echo the reason >&2; exit 3"]
    service = LabService("companion", bare_up["server-68"], command, folder.log("companion"))
    start([service], file)
    with pytest.raises(HostError, match=r"(?s)companion of server-68 has ended.*the reason"):
        await_ready([service], [1], Goal(two_hosts, "", load_pipelines(flows_dir())), _silent)


def test_a_topology_that_hosts_cannot_read(bare_up: Lab, folder: StateFolder) -> None:
    service = LabService("companion", bare_up["server-68"], ["true"], folder.log("companion"))
    with pytest.raises(HostError, match=r"cannot read /run/x\.yaml; move it elsewhere"):
        start([service], Path("/run/x.yaml"))


def test_flows_that_hosts_cannot_read(bare_up: Lab, tmp_path: Path) -> None:
    flows.select(bare_up.controller, tmp_path)
    with pytest.raises(HostError, match=r"cannot read /run/flows; move it elsewhere"):
        flows.select(bare_up.controller, Path("/run/flows"))
    assert flows.selected(bare_up.controller) == tmp_path


def test_flows_that_are_wrong_make_no_lab(folder: StateFolder, file: Path, tmp_path: Path) -> None:
    with pytest.raises(DvrError, match="no flow files here"):
        lifecycle.up(file, _silent, folder, tmp_path)
    assert not _left(folder)


def test_names_lead_to_hosts_and_instances(bare_up: Lab, folder: StateFolder) -> None:
    bare_up["server-68"].run(["ip", "netns", "add", "vm-cirros"])
    assert entering.find("server-68", folder) == (bare_up["server-68"], None)
    assert entering.find("cirros", folder) == (bare_up["server-68"], "vm-cirros")
    with pytest.raises(DvrError, match=r"no nobody; it has server-233, .*wire, cirros"):
        entering.find("nobody", folder)


def test_execute_becomes_the_command(bare_up: Lab, folder: StateFolder) -> None:
    bare_up["server-68"].run(["ip", "netns", "add", "vm-cirros"])
    code = (
        "import sys; from pathlib import Path; from dvr_ryu.lab import entering, state;"
        "entering.execute(sys.argv[2], sys.argv[3:], state.StateFolder(Path(sys.argv[1])))"
    )

    def execute(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", code, str(folder.path), *arguments]
        return subprocess.run(command, input="typed", capture_output=True, text=True)

    assert execute("server-233", "sh", "-c", "cat; hostname; exit 9").returncode == 9
    assert execute("server-233", "sh", "-c", "cat; hostname").stdout == "typedserver-233\n"
    assert execute("cirros", "ip", "-br", "link").stdout.startswith("lo")
    assert execute("cirros", "false").returncode == 1
    assert execute("server-233", "no-such-command").returncode == 127


def test_show_reads_hosts_and_instances(bare_up: Lab, folder: StateFolder) -> None:
    bare_up["server-68"].run(["ip", "netns", "add", "vm-cirros"])
    shown = report.show(folder)
    assert [host.name for host in shown.hosts] == ["server-233", "server-68", "controller", "wire"]
    first = shown.hosts[0]
    assert first.address == "10.0.44.233/24"
    assert first.pid == bare_up["server-233"].init.pid
    assert [each.name for each in shown.hosts[1].namespaces] == ["vm-cirros"]
    assert [(at.name, at.host, at.addresses) for at in shown.instances] == [
        ("cirros", "server-68", ())
    ]


def test_no_lab_is_one_clear_error(folder: StateFolder) -> None:
    for command in (
        lambda: report.show(folder),
        lambda: entering.find("server-68", folder),
        lambda: lifecycle.pipelines_of(folder),
        lambda: lifecycle.change_pipelines(flows_dir(), folder),
    ):
        with pytest.raises(HostError, match=r"no lab is up: type sudo .*dvr lab up"):
            command()


def test_missing_programs_are_named_with_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    preflight.require_programs()
    monkeypatch.setattr(preflight, "environment", lambda: {"PATH": "/nowhere"})
    with pytest.raises(HostError, match=r"ovs-vswitchd.*apt-get install .*openvswitch-switch"):
        preflight.require_programs()


def test_a_machine_without_tap_devices_or_the_module_is_told_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    preflight.require_devices()
    monkeypatch.setattr(datapath, "FAMILY", "no_such_family")
    preflight.require_devices()
    monkeypatch.setattr(taps, "TUN", "/nowhere/tun")
    with pytest.raises(HostError, match=r"/nowhere/tun fails: No such file .*: modprobe tun"):
        preflight.require_devices()


def test_only_root_makes_labs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(HostError, match=r"which needs root: type sudo /\S*"):
        lifecycle.down()


def test_a_lab_of_another_topology_is_not_taken_down(
    bare_up: Lab, folder: StateFolder, file: Path, tmp_path: Path
) -> None:
    with pytest.raises(HostError, match=f"is that of {file}, not of"):
        lifecycle.down(folder, tmp_path / "other.yaml")
    lifecycle.require_lab_of(file, folder)
    assert lifecycle.down(folder, file)
