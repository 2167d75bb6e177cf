"""A host stays on the datapath that it began with, and says what Open vSwitch cannot make."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dvr_ryu.companion.providers.netlink.datapath import datapath_type
from dvr_ryu.companion.providers.ovs_appctl.vswitchd import NO_DATAPATHS
from dvr_ryu.lab.hosts.bare import bare_lab
from dvr_ryu.lab.hosts.host import LabHost
from dvr_ryu.topology.loading import parse_topology
from tests.lab.support.companions import run
from tests.lab.support.datapath import BY_KERNEL
from tests.lab.support.one_host import inventory

TOPOLOGY = """\
controller: tcp:10.0.0.9:6653
hosts: {h1: {address: 10.0.0.1}, h2: {address: 10.0.0.2}}
networks: {n: {subnets: [{cidr: 10.1.0.0/24, gateway_ip: 10.1.0.1, dhcp: false}]}}
routers: {r: {interfaces: [{network: n}]}}
instances: {a: {host: h1, network: n}}
"""
_DVR = """
import sys
from dvr_ryu.cli import main
from dvr_ryu.companion.providers.netlink import datapath
from dvr_ryu.companion.providers.ovs_appctl import vswitchd
datapath.FAMILY, vswitchd.NO_DATAPATHS = sys.argv.pop(1), sys.argv.pop(1)
main()
"""
WITHOUT_MODULE, WITH_MODULE = ("no_such_family", NO_DATAPATHS), ("nlctrl", NO_DATAPATHS)
"""What stands for the module's family of generic netlink: no kernel has the one, and every kernel
the other. Then the answer of an ovs-vswitchd without the kernel's datapaths."""
RESTARTED = ("nlctrl", "what no ovs-vswitchd answers")
"""With the module, and with an ovs-vswitchd that seems to have been restarted since it came."""


@pytest.fixture(scope="module")
def host() -> Iterator[LabHost]:
    with bare_lab(parse_topology(TOPOLOGY, "test.yaml")) as lab:
        yield lab["h1"]


@pytest.fixture
def file(host: LabHost, tmp_path: Path) -> Iterator[Path]:
    file = tmp_path / "topology.yaml"
    file.write_text(TOPOLOGY)
    before = inventory(host)
    yield file
    dvr(host, "down", "--host", "h1")
    assert inventory(host) == before


def dvr(host: LabHost, *arguments: str, machine: tuple[str, str] = WITH_MODULE) -> tuple[int, str]:
    """Run dvr companion on a machine with or without the module; return its code and output."""
    command = [sys.executable, "-c", _DVR, *machine, "companion", *arguments]
    done = host.run(command, check=False, timeout=240)
    return done.returncode, done.stdout + done.stderr


def finding(host: LabHost, what: str, *arguments: str, machine: tuple[str, str]) -> str:
    _, output = dvr(host, "check", *arguments, "--json", machine=machine)
    document = json.loads(output)
    (found,) = (each for each in document["findings"] if each["what"] == what)
    return f"{found['verdict']} {found['seen']} {found['advice']}"


def test_a_module_that_comes_later_changes_nothing_and_check_tells(
    host: LabHost, file: Path
) -> None:
    topology = (str(file), "--host", "h1")
    dvr(host, "apply", *topology, machine=WITHOUT_MODULE)
    assert run(host, "ovs-vsctl get Bridge br-int datapath_type") == "netdev\n"
    assert finding(host, "datapath", machine=WITHOUT_MODULE).startswith("PASS userspace")
    assert dvr(host, "plan", *topology) == (0, "h1: no change\n")
    told = finding(host, "datapath", *topology, machine=WITH_MODULE)
    assert told.startswith("WARN userspace, without the kernel's openvswitch module")
    assert "to use the module: dvr companion down --host HOST, then " in told
    # The module has come before the lab's ovs-vswitchd began only where the kernel has it.
    assert ("restart openvswitch-switch" in told) != BY_KERNEL


def test_our_bridges_stay_as_they_began_when_open_vswitch_gets_the_module(
    host: LabHost, file: Path
) -> None:
    topology = (str(file), "--host", "h1")
    dvr(host, "apply", *topology, machine=WITHOUT_MODULE)
    assert dvr(host, "plan", *topology, machine=RESTARTED) == (0, "h1: no change\n")
    told = finding(host, "datapath", *topology, machine=RESTARTED)
    assert told.startswith("WARN userspace") and "as our bridges began so" in told
    assert "restart openvswitch-switch" not in told


def test_the_first_bridges_are_of_the_datapath_that_the_running_daemon_has(
    host: LabHost, file: Path
) -> None:
    dvr(host, "apply", str(file), "--host", "h1")
    assert run(host, "ovs-vsctl get Bridge br-int datapath_type") == f"{datapath_type()}\n"


@contextmanager
def no_tun(host: LabHost) -> Iterator[None]:
    run(host, "mount -t tmpfs none /dev/net")
    try:
        yield
    finally:
        run(host, "umount /dev/net")


def test_a_machine_without_tun_is_told_so(host: LabHost, file: Path) -> None:
    topology = (str(file), "--host", "h1")
    assert finding(host, "taps (tun)", machine=WITHOUT_MODULE).startswith("PASS")
    with no_tun(host):
        told = finding(host, "taps (tun)", machine=WITHOUT_MODULE)
        assert told.startswith("FAIL /dev/net/tun: No such file or directory modprobe tun")
        code, output = dvr(host, "apply", *topology, machine=WITHOUT_MODULE)
        assert code == 1 and "Open vSwitch cannot make bridge br-" in output
        assert "could not open network device br-" in output and "No such file" in output
        told = finding(host, "br-int", machine=WITHOUT_MODULE)
        assert told.startswith("FAIL Open vSwitch cannot make it: could not open")


def test_a_bridge_of_a_datapath_that_open_vswitch_lacks_is_told(host: LabHost, file: Path) -> None:
    unknown = "-- set Bridge br-int datapath_type=none external_ids:dvr_ryu=h1"
    run(host, f"ovs-vsctl --timeout=10 add-br br-int {unknown}")
    run(host, "ovs-vsctl set Port br-int external_ids:dvr_ryu=h1/local")
    told = finding(host, "br-int", machine=WITHOUT_MODULE)
    assert told.startswith("FAIL Open vSwitch cannot make it: /var/log/openvswitch/ovs-vswitchd")


def test_a_tunnel_that_open_vswitch_cannot_make_is_told_each_time(
    host: LabHost, file: Path
) -> None:
    """Another tunnel has its remote end already: ours cannot be made until that is gone."""
    topology = (str(file), "--host", "h1")
    options = "options:remote_ip=10.0.0.2 options:local_ip=10.0.0.1 options:key=flow"
    dvr(host, "apply", *topology)
    run(host, "ovs-vsctl del-port br-tun vxlan-0a000002")
    run(host, f"ovs-vsctl add-port br-tun x -- set Interface x type=vxlan {options}")
    try:
        for _ in range(2):
            code, output = dvr(host, "apply", *topology)
            assert code == 1
            assert "Open vSwitch cannot make port vxlan-0a000002: could not add" in output
            assert "dvr companion check" in output
        assert "FAIL" in finding(host, "vxlan-0a000002", machine=WITH_MODULE)
    finally:
        run(host, "ovs-vsctl del-port br-tun x")
    assert dvr(host, "apply", *topology)[0] == 0
    assert dvr(host, "plan", *topology) == (0, "h1: no change\n")
