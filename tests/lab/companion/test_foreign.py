"""A host whose Open vSwitch others use, too: it has bridges of our names, with foreign ports and
flows.

The foreign ports and flows keep working beside ours, the companion reports them, and `down` leaves
them as they were.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dvr_ryu.lab.hosts.bare import CONTROLLER, Lab, bare_lab
from dvr_ryu.lab.hosts.host import LabHost
from dvr_ryu.lab.services import flows, services
from dvr_ryu.lab.state import StateFolder
from dvr_ryu.lab.wait import wait_until
from dvr_ryu.shipped import flows_dir
from dvr_ryu.topology.loading import parse_topology
from tests.lab.support.companions import Companion, await_answer, await_state, pings, run

TOPOLOGY = """\
controller: tcp:10.0.0.9:6653
underlay: {cidr: 10.0.0.0/24}
hosts:
  h1: {address: 10.0.0.1, local_vlans: {n: 77}}
networks:
  n: {subnets: [{cidr: 10.1.0.0/24, dhcp: false}]}
routers:
  r: {interfaces: [{network: n}]}
instances:
  a: {host: h1, network: n, ip: 10.1.0.11}
  b: {host: h1, network: n, ip: 10.1.0.12}
"""
DVR = str(Path(sys.executable).with_name("dvr"))

FOREIGN = (
    "ovs-vsctl add-br br-int -- set Bridge br-int datapath_type=netdev external_ids:whose=others"
    " other_config:hwaddr=02:00:00:00:00:77 other_config:mac-aging-time=99",
    "ovs-vsctl add-br br-tun -- set Bridge br-tun datapath_type=netdev fail_mode=secure"
    " protocols=OpenFlow10,OpenFlow13,OpenFlow14",
    "ovs-vsctl set-controller br-tun tcp:127.0.0.1:59999",
    "ovs-ofctl add-flow br-int cookie=0x7,priority=50,udp,tp_dst=7777,actions=drop",
    "ovs-ofctl add-flow br-int cookie=0,table=200,priority=3,icmp,actions=resubmit(,201)",
    "ovs-ofctl add-flow br-tun cookie=0x8,table=99,priority=9,actions=drop",
    # The controller puts its flows into this table.
    "ovs-ofctl add-flow br-int cookie=0x9,table=60,priority=1,idle_timeout=9999,actions=drop",
    "ovs-ofctl add-flow br-tun priority=0,actions=NORMAL",
)


def plug(host: LabHost, bridge: str, name: str, address: str, tag: str = "") -> None:
    """Add a foreign port, whose peer is in a namespace of its own."""
    run(host, f"ovs-vsctl add-port {bridge} {name} {tag} -- set Interface {name} type=internal")
    run(host, f"ip netns add {name}")
    wait_until(lambda: name in run(host, "ip -br link"), 10, f"the device {name}")
    run(host, f"ip link set {name} netns {name}")
    run(host, f"ethtool -K {name} tx off", name)
    run(host, f"ip address add {address} dev {name}", name)
    run(host, f"ip link set {name} up", name)


def foreign_state(host: LabHost) -> tuple[object, ...]:
    """Everything foreign in Open vSwitch, with its settings."""
    settings = "fail_mode,datapath_type,protocols,mcast_snooping_enable,other_config,external_ids"
    return (
        run(host, f"ovs-vsctl --columns=name,{settings} list Bridge"),
        run(host, "ovs-vsctl --columns=target list Controller"),
        [sorted(run(host, f"ovs-vsctl list-ports {b}").split()) for b in ("br-int", "br-tun")],
        [dumped(host, bridge) for bridge in ("br-int", "br-tun")],
        run(host, "ip netns").split(),
        run(host, "ip -br link").split(),
    )


def dumped(host: LabHost, bridge: str, cookie: str = "") -> list[str]:
    command = f"ovs-ofctl -O OpenFlow14 --no-stats dump-flows {bridge} {cookie}"
    return sorted(line.strip() for line in run(host, command).splitlines() if "actions=" in line)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A host that others use, and a running controller."""
    folder = tmp_path_factory.mktemp("foreign")
    file = folder / "topology.yaml"
    file.write_text(TOPOLOGY)
    topology = parse_topology(TOPOLOGY, str(file))
    with bare_lab(topology) as lab:
        host = lab["h1"]
        for command in FOREIGN:
            run(host, command)
        plug(host, "br-int", "x1", "10.9.0.1/24")
        plug(host, "br-int", "x2", "10.9.0.2/24")
        flows.select(lab[CONTROLLER], flows_dir())
        controller, _ = services.services_of(topology, file, lab, StateFolder(folder))
        controller.start(file)
        yield lab


@pytest.fixture
def companion(lab: Lab, tmp_path: Path) -> Iterator[Companion]:
    """A companion on the host; the foreign things must be the same before and after the test."""
    file = tmp_path / "topology.yaml"
    file.write_text(TOPOLOGY)
    companion = Companion(lab["h1"], file, "h1")
    wait_until(lambda: pings(lab["h1"], "x1", "10.9.0.2"), 10, "the others' traffic")
    before = foreign_state(lab["h1"])
    yield companion
    companion("down")
    assert foreign_state(lab["h1"]) == before
    await_answer(lab["h1"], "x1", "10.9.0.2")
    assert companion("plan")


def filled(host: LabHost) -> bool:
    """Whether all of our flows are on the bridge. Foreign flows that are restored after the
    controller has connected may displace flows of ours until the controller's next look.
    """
    ours = [dumped(host, b, "cookie=0x6476725f727975/-1") for b in ("br-int", "br-tun")]
    return min(map(len, ours)) > 5 and dumped(host, "br-int", "cookie=0x9/-1") == []


def test_bridges_of_others_are_shared_and_given_back(companion: Companion) -> None:
    host = companion.host
    planned = companion("plan")
    assert [line.split()[0] for line in planned if "add-br" in line] == ["~", "~"]
    assert companion("apply") == planned
    assert companion("apply") == []
    wait_until(lambda: filled(host), 20, "our flows")
    await_answer(host, "vm-a", "10.1.0.12")
    await_answer(host, "vm-a", "10.1.0.1")
    await_answer(host, "x1", "10.9.0.2")
    assert len(dumped(host, "br-int", "cookie=0x7/-1")) == 1
    assert "tp_dst=7777" in dumped(host, "br-int", "cookie=0x7/-1")[0]
    assert any("table=200" in flow for flow in dumped(host, "br-int"))
    assert len(dumped(host, "br-tun", "cookie=0x8/-1")) == 1
    controllers = run(host, "ovs-vsctl get-controller br-tun").split()
    assert sorted(controllers) == ["tcp:10.0.0.9:6653", "tcp:127.0.0.1:59999"]
    # An address on br-int itself can still be reached.
    assert "02:00:00:00:00:77" in run(host, "ip link show br-int")


def test_killed_while_it_takes_bridges_it_loses_no_flow_of_others(companion: Companion) -> None:
    host = companion.host
    for kill_at in (1, 2):
        companion.attempt("apply", kill_at=kill_at, check=False)
    companion("apply")
    # This is the state after a kill, if Open vSwitch had forgotten the foreign flows.
    note = host.path("/run/dvr_ryu/flows/br-int")
    note.parent.mkdir(exist_ok=True)
    note.write_text("".join(f"{flow}\n" for flow in dumped(host, "br-int", "cookie=0x7/-1")))
    run(host, "ovs-ofctl del-flows br-int cookie=0x7/-1")
    companion("apply")
    assert len(dumped(host, "br-int", "cookie=0x7/-1")) == 1 and not note.exists()


def test_foreign_things_on_our_bridges_are_reported_once_and_left_alone(
    companion: Companion, lab: Lab, tmp_path: Path
) -> None:
    host, log = companion.host, tmp_path / "log"
    command = [DVR, "companion", "run", str(companion.file), "--host", "h1"]
    host.start_service("companion", command, log, {})
    await_state(host, lambda state: state["state"] == "applied")
    wait_until(lambda: filled(host), 20, "our flows")
    plug(host, "br-int", "x3", "10.9.0.3/24", "tag=77")
    expected = "br-int has the port x3, not ours, in n: both have the tag 77 here"
    try:
        wait_until(lambda: expected in log.read_text(), 20, expected, log.read_text)
        assert log.read_text().count("br-int was here before dvr_ryu") == 1
        assert log.read_text().count("br-int has the port x1, not ours: left alone") == 1
        assert "br-tun has the controller tcp:127.0.0.1:59999, not ours" in log.read_text()
        plan = host.run([DVR, "companion", "plan", str(companion.file), "--host", "h1"])
        assert plan.stdout == "" and expected in plan.stderr
        check = [DVR, "companion", "check", str(companion.file)]
        checked = host.run([*check, "--host", "h1"], check=False)
        assert expected.partition(":")[0] in checked.stdout and checked.returncode == 0
        assert "give n another: local_vlans: {n: TAG}" in checked.stdout
        assert "br-int has 2 flows of others (cookies 0x0, 0x7)" in checked.stdout
    finally:
        run(host, f"kill {host.service_pid('companion')}")
        run(host, "ovs-vsctl del-port br-int x3")
        run(host, "ip netns del x3")
        wait_until(lambda: host.service_pid("companion") is None, 10, "its end")


def test_a_port_of_others_with_one_of_our_names_is_refused_before_anything(
    companion: Companion,
) -> None:
    host = companion.host
    run(host, "ovs-vsctl add-port br-tun patch-int -- set Interface patch-int type=internal")
    try:
        before = foreign_state(host)
        for verb in ("plan", "apply"):
            refused = companion.attempt(verb, check=False)
            assert refused.returncode == 1
            assert "the port patch-int exists and is not dvr_ryu's" in refused.stderr
        assert foreign_state(host) == before
    finally:
        run(host, "ovs-vsctl del-port br-tun patch-int")


def test_the_script_does_the_same(companion: Companion) -> None:
    host = companion.host
    command = [DVR, "companion", "plan", str(companion.file), "--host", "h1", "--as", "script"]
    script = host.run(command, check=False).stdout
    host.run(["sh", "-"], input=script)
    assert companion("plan") == []
    assert len(dumped(host, "br-int", "cookie=0x7/-1")) == 1
    assert len(run(host, "ovs-vsctl get-controller br-tun").split()) == 2
    wait_until(lambda: filled(host), 20, "our flows")


def test_notes_of_a_failed_attempt_stay(companion: Companion) -> None:
    """Foreign flows that a bridge has lost, and that the companion restores when it takes the
    bridge.
    """
    host = companion.host
    noted = "/run/dvr_ryu/flows/br-int"
    failing_script = (
        "from dvr_ryu.companion.providers.ovs_ofctl import flows\n"
        "try:\n"
        "    with flows.restored({'br-int': 'standalone'}):\n"
        "        raise OSError\n"
        "except OSError:\n"
        "    pass\n"
    )
    host.run([sys.executable, "-c", failing_script])
    run(host, "ovs-ofctl del-flows br-int cookie=0x7/-1")
    host.run([sys.executable, "-c", failing_script])
    assert "cookie=0x7" in host.path(noted).read_text()
    assert "table=200" in host.path(noted).read_text()
    companion("apply")
    assert len(dumped(host, "br-int", "cookie=0x7/-1")) == 1 and not host.path(noted).exists()


_WITH_THE_MODULE = """
from dvr_ryu.companion import check
from dvr_ryu.companion.providers.netlink import datapath
datapath.FAMILY = "nlctrl"  # every kernel has this family
for each in check.findings(None):
    print(each.what, each.verdict.name, each.seen)
"""


def test_a_check_takes_the_datapath_of_bridges_that_are_there(lab: Lab) -> None:
    output = lab["h1"].run([sys.executable, "-c", _WITH_THE_MODULE]).stdout
    assert "datapath PASS userspace, like the bridges that were here before dvr_ryu" in output
