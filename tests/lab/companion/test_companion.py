"""A companion on one lab host makes resources, restores them after damage, and removes them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dvr_ryu.lab.hosts.bare import bare_lab
from dvr_ryu.lab.hosts.host import LabHost
from dvr_ryu.lab.wait import wait_until
from dvr_ryu.topology.loading import parse_topology
from tests.lab.support.companions import (
    Companion,
    await_answer,
    await_lease,
    pings,
    run,
    seen_as,
)
from tests.lab.support.one_host import TOPOLOGY, fresh_companion, inventory, namespace


@pytest.fixture(scope="module")
def host() -> Iterator[LabHost]:
    with bare_lab(parse_topology(TOPOLOGY, "test.yaml")) as lab:
        yield lab["h1"]


@pytest.fixture
def companion(host: LabHost, tmp_path: Path) -> Iterator[Companion]:
    with fresh_companion(host, tmp_path) as companion:
        yield companion


@pytest.fixture
def applied(companion: Companion) -> Companion:
    assert companion("apply")
    run(companion.host, "ovs-ofctl add-flow br-int actions=NORMAL")
    return companion


# What the companion makes -------------------------------------------------------------------------


def test_plan_changes_nothing_and_apply_makes_the_planned_changes(companion):
    bare = inventory(companion.host)
    planned = companion("plan")
    assert planned and inventory(companion.host) == bare
    assert companion("apply") == planned
    assert companion("plan") == companion("apply") == []


def test_instances_talk_within_a_network_and_across_networks(applied):
    host = applied.host
    for name in "abc":
        await_lease(host, name)
    assert pings(host, "vm-a", "10.1.0.12")
    assert pings(host, "vm-a", "10.2.0.14")
    assert seen_as((host, "vm-a"), (host, "vm-d"), "10.2.0.14") == "10.1.0.11"


@pytest.mark.parametrize(
    "damage", ["link set eth0 down", "addr flush dev eth0", "route del default"]
)
def test_a_client_asks_again_for_a_lost_lease(applied, damage):
    host = applied.host
    await_lease(host, "a")
    assert applied("plan") == []
    before = run(host, "ip route", "vm-a")
    run(host, f"ip {damage}", "vm-a")
    if "down" in damage:
        run(host, "ip link set eth0 up", "vm-a")
    assert applied("plan") == ["~ kill -USR1 $(cat /run/dvr_ryu/processes/udhcpc-a.pid)"]
    assert applied("apply")
    wait_until(lambda: run(host, "ip route", "vm-a") == before, 15, "what it had")
    assert applied("plan") == []


def test_north_south_on_one_host(applied):
    """Everything runs in namespaces of one host: SNAT, floating IPs, and connections among them."""
    host = applied.host
    for name in "abc":
        await_lease(host, name)
    outside = (host, None)
    a, b, c, d = ((host, f"vm-{name}") for name in "abcd")
    assert pings(*outside, "2.2.2.101")
    assert seen_as(a, outside, "10.0.0.1") == "2.2.2.101"
    assert seen_as(c, outside, "10.0.0.1") == "2.2.2.20"
    assert seen_as(d, outside, "10.0.0.1") == "2.2.2.20"
    assert seen_as(a, b, "2.2.2.102") == "2.2.2.101"
    assert seen_as(b, a, "2.2.2.101") == "2.2.2.102"
    assert seen_as(c, a, "2.2.2.101") == "2.2.2.20"
    assert seen_as(d, a, "2.2.2.101") == "2.2.2.20"
    assert seen_as(a, a, "2.2.2.101") == "2.2.2.101"
    # East-west traffic is not translated, with or without floating IPs.
    assert seen_as(a, d, "10.2.0.14") == "10.1.0.11"
    assert seen_as(d, a, "10.1.0.11") == "10.2.0.14"


# What the companion restores ----------------------------------------------------------------------

DAMAGE = {
    "an address": ("ip -n {qrouter} addr del 2.2.2.101/32 dev {rfp}", ["addr add 2.2.2.101/32"]),
    "a rule": ("ip -n {qrouter} rule del from 10.1.0.11", ["rule add from 10.1.0.11"]),
    "a route": ("ip -n {fip} route del default", ["route replace default via 2.2.2.1"]),
    "a neighbour": ("ip -n {qrouter} neigh del 10.1.0.13 dev {qr}", ["neigh replace 10.1.0.13"]),
    "a proxied address": ("ip -n {fip} neigh del proxy 2.2.2.102 dev {fg}", ["neigh add proxy"]),
    "a nat rule": (
        "ip netns exec {qrouter} iptables -t nat -F neutron-l3-agent-float-snat",
        ["neutron-l3-agent-float-snat"],
    ),
    "a rule too many": ("ip -n {qrouter} rule add from 9.9.9.9 table 16 priority 9", ["rule add"]),
    "a route of another type": (
        "ip -n {qrouter} route add blackhole 10.9.0.0/16 metric 5",
        ["- ip -n {qrouter} route add blackhole 10.9.0.0/16 metric 5"],
    ),
    "a blackhole in the place of a route": (
        "ip -n {fip} route replace blackhole default",
        ["- ip -n {fip} route add blackhole default", "+ ip -n {fip} route replace default"],
    ),
    "a route of several next hops": (
        "ip -n {fip} route add 9.9.9.0/24 nexthop via 2.2.2.1 nexthop via 2.2.2.200",
        ["nexthop via 2.2.2.1 dev {fg} weight 1 nexthop via 2.2.2.200 dev {fg} weight 1"],
    ),
    "a route with a TOS": (
        "ip -n {fip} route add default tos 0x10 via 2.2.2.200",
        ["- ip -n {fip} route add default tos 0x10 via 2.2.2.200 dev {fg}"],
    ),
    "a second route": (
        "ip -n {fip} route append default via 2.2.2.200",
        ["- ip -n {fip} route add default via 2.2.2.200 dev {fg}"],
    ),
    "an address with a peer": (
        "ip -n {qrouter} addr add 9.9.9.1 peer 9.9.9.2/32 dev {qr}",
        ["- ip -n {qrouter} addr add 9.9.9.1 peer 9.9.9.2/32 dev {qr}"],
    ),
    "a sysctl": ("ip netns exec {qrouter} sysctl -q net.ipv4.ip_forward=0", ["ip_forward=1"]),
    "a tag": ("ovs-vsctl set Port {qr} tag=99", ["add-port br-int {qr}"]),
    "an MTU": ("ip -n vm-d link set eth0 mtu 1400", ["link set eth0"]),
    "a program": ("sh -c kill$IFS-9$IFS$(cat$IFS/run/dvr_ryu/processes/dnsmasq-*)", ["dnsmasq"]),
    "the controller": ("ovs-vsctl del-controller br-tun", ["set-controller br-tun"]),
}


@pytest.mark.parametrize("damage_name", DAMAGE)
def test_apply_restores_only_damaged_resources(applied, damage_name):
    host = applied.host
    names = {
        "qrouter": namespace(host, "qrouter-"),
        "fip": namespace(host, "fip-"),
    }
    links = run(host, f"ip -n {names['qrouter']} -br link") + run(
        host, f"ip -n {names['fip']} -br link"
    )
    for prefix in ("rfp", "fg"):
        names[prefix] = next(
            word.split("@")[0] for word in links.split() if word.startswith(prefix)
        )
    owner = run(host, f"ip -n {names['qrouter']} -br -4 addr")
    (device,) = (line.split()[0] for line in owner.splitlines() if "10.1.0.1/24" in line)
    names["qr"] = device.split("@")[0]
    damage, expected = DAMAGE[damage_name]
    run(host, damage.format(**names))
    if damage_name == "a program":
        wait_until(lambda: bool(applied("plan")), 10, "the end of dnsmasq")
    mended = applied("apply")
    assert len(mended) == len(expected), mended
    for line, part in zip(mended, expected, strict=True):
        assert part.format(**names) in line
    assert applied("plan") == []


@pytest.mark.parametrize("prefix", ["vm-a", "qrouter-", "fip-", "snat-", "qdhcp-"])
def test_apply_restores_a_removed_namespace(applied, prefix):
    host = applied.host
    run(host, f"ip netns del {namespace(host, prefix)}")
    assert applied("apply")
    assert applied("plan") == []
    for name in "abc":
        await_lease(host, name)
    assert pings(host, "vm-c", "10.1.0.11")
    await_answer(host, None, "2.2.2.101")


@pytest.mark.parametrize("how", ["by an edit", "by hand"])
def test_a_guests_name_servers_go_with_it(applied, how):
    """Removed by hand, the namespace is in the state that a companion leaves if it is killed
    then.
    """
    host = applied.host
    for name in "ab":
        await_lease(host, name)
        file = host.path(f"/etc/netns/vm-{name}/resolv.conf")
        wait_until(file.exists, 15, f"name servers of {name}")
        assert run(host, "cat /etc/resolv.conf", f"vm-{name}") == "nameserver 192.0.2.53\n"
    if how == "by an edit":
        applied.edit("  a: {host: h1, network: n, ip: 10.1.0.11}\n", "")
        applied.edit("  2.2.2.101: {instance: a}\n", "")
        applied("apply")
    else:
        pid = host.path("/run/dvr_ryu/processes/udhcpc-a.pid").read_text()
        run(host, f"kill -KILL {pid}")
        run(host, "ip netns del vm-a")
        applied("down")
    assert not host.path("/etc/netns/vm-a").exists()
    assert host.path("/etc/netns/vm-b").exists() == (how == "by an edit")


def test_apply_restores_an_instances_veth_pair(applied):
    host = applied.host
    await_lease(host, "a")
    tap = next(word for word in run(host, "ip -br link").split() if word.startswith("tap"))
    run(host, f"ip link del {tap.split('@')[0]}")
    assert applied("apply")
    assert applied("plan") == []
    for name in "abc":
        await_lease(host, name)
        await_answer(host, f"vm-{name}", "10.1.0.1")


def test_a_restart_of_open_vswitch_leaves_nothing_to_mend_but_flows(applied):
    host = applied.host
    await_lease(host, "a")
    host.run(["sh", "-c", "kill -9 $(cat /run/openvswitch/ovs-vswitchd.pid)"])
    wait_until(lambda: host.run(["pidof", "ovs-vswitchd"], check=False).returncode != 0, 10, "end")
    run(
        host,
        "ovs-vswitchd unix:/run/openvswitch/db.sock --pidfile --detach --no-chdir -vconsole:off",
    )
    wait_until(lambda: applied("plan") == [], 10, "all that there was")
    run(host, "ovs-ofctl add-flow br-int actions=NORMAL")
    assert pings(host, "vm-d", "10.2.0.1")


# Programs and edits -------------------------------------------------------------------------------


def test_a_program_that_a_killed_companion_was_ending_is_not_taken_for_one_that_runs(
    host: LabHost, applied: Companion
) -> None:
    pid = run(host, "cat /run/dvr_ryu/processes/udhcpc-a.pid").strip()
    host.path("/run/dvr_ryu/ending").write_text("udhcpc-a\n")
    run(host, f"kill -STOP {pid}")  # it ends slowly
    run(host, f"kill -TERM {pid}")
    assert [line for line in applied("apply") if "udhcpc-a" in line]
    assert run(host, "cat /run/dvr_ryu/processes/udhcpc-a.pid").strip() not in ("", pid)
    assert applied("plan") == []


@pytest.mark.parametrize("program", ["dnsmasq-qdhcp-", "udhcpc-a"])
def test_a_program_is_known_without_its_pid_file(applied, program):
    """A companion may be killed before it writes the pid file, or another process may have the
    pid.
    """
    (file,) = applied.host.path("/run/dvr_ryu/processes").glob(f"{program}*.pid")
    wait_until(lambda: file.exists() and bool(file.read_text()), 10, "its pid file")
    pid = file.read_text()
    file.unlink()
    assert applied("plan") == []
    file.write_text("1\n")
    assert applied("plan") == []
    file.write_text(pid)


def test_a_program_that_has_a_double_is_started_anew(applied):
    """Two companions at work could start a double; apply ends both."""
    host = applied.host
    (file,) = host.path("/run/dvr_ryu/processes").glob("dnsmasq-*.pid")
    command = host.path(f"/proc/{file.read_text().strip()}/cmdline").read_text().split("\0")[:-1]
    file.unlink()
    host.run(
        [word.replace("/dvr_ryu/dhcp/", "/double-") for word in command],
        namespace=namespace(host, "qdhcp-"),
    )
    assert len(run(host, "pgrep -x dnsmasq").split()) == 2
    mended = applied("apply")
    assert len(mended) == 1 and "dnsmasq" in mended[0], mended
    assert len(run(host, "pgrep -x dnsmasq").split()) == 1
    assert applied("plan") == []


EDITS = [
    ("  b: {host: h1,", "  b: {host: h2,"),
    ("  2.2.2.101: {instance: a}", "  2.2.2.101: {instance: c}"),
    ("dhcp: false}]}\n  x", "dhcp: true}]}\n  x"),
    ("10.1.0.13}", "10.1.0.33}"),
    ("{network: m}], ", "{network: m}], routes: [{destination: 9.9.9.9/32, nexthop: 10.1.0.12}], "),
    ("external_network: x", ""),
    ("mtu: 1500", "mtu: 1600"),
    (
        "dns: [192.0.2.53]}]\n    dhcp_host: h1",
        "dns: [192.0.2.53], dhcp_options: {domain-name: n.example}, dhcp_ranges: "
        "[{start: 10.1.0.100, end: 10.1.0.109, host: h1}]}]\n    dhcp: distributed",
    ),
    ("address: 10.0.0.2}", "address: 10.0.0.3}"),
    ("  2.2.2.102: {instance: b}\n", ""),
    ("network: m, ip: 10.2.0.14}", "ports: [{network: m, ip: 10.2.0.14}, {network: n}]}"),
]


def test_any_edit_ends_where_a_fresh_start_ends(applied):
    """After each edit nothing is left to do; when all are undone, the host is as before."""
    applied.edit("underlay: {cidr: 10.0.0.0/24}", "underlay: {cidr: 10.0.0.0/24, mtu: 1500}")
    assert applied("apply") == []
    settings = run(applied.host, "sysctl net.ipv4.conf", "vm-d")
    for old, new in EDITS:
        before = applied.file.read_text()
        if old == "external_network: x":
            applied.edit("external_network: x, gateway_port: {ip: 2.2.2.20}", "")
            text = applied.file.read_text()
            applied.file.write_text(text.split("floating_ips:")[0])
        else:
            applied.edit(old, new)
        assert applied("apply"), (old, new)
        assert applied("plan") == []
        applied.file.write_text(before)
        assert applied("apply"), (old, new)
        assert applied("plan") == []
    assert run(applied.host, "sysctl net.ipv4.conf", "vm-d") == settings


# What the companion refuses -----------------------------------------------------------------------


def test_without_open_vswitch_it_says_how_to_start_it(companion):
    host = companion.host
    socket = host.path("/run/openvswitch/db.sock")
    aside = socket.with_name("aside.sock")
    socket.rename(aside)
    try:
        refused = companion.attempt("apply", check=False)
    finally:
        aside.rename(socket)
    assert refused.returncode == 1
    assert "systemctl start openvswitch-switch" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_bridge_of_another_host_of_ours_is_not_taken_over(companion):
    bridge = "Bridge br-int datapath_type=netdev external_ids:dvr_ryu=h9"
    run(companion.host, f"ovs-vsctl add-br br-int -- set {bridge}")
    try:
        refused = companion.attempt("apply", check=False)
        assert refused.returncode == 1
        assert "dvr companion down --host h9" in refused.stderr
    finally:
        run(companion.host, "ovs-vsctl del-br br-int")


@pytest.mark.parametrize("verb", ["down", "apply"])
def test_in_the_name_of_another_host_nothing_is_done(applied, verb):
    """The name may be mistyped, or the machine may be another one."""
    refused = Companion(applied.host, applied.file, "h2").attempt(verb, check=False)
    assert refused.returncode == 1
    assert "dvr companion down --host h1" in refused.stderr
    assert applied("plan") == []


def test_a_foreign_namespace_is_not_taken_over(companion):
    run(companion.host, "ip netns add vm-a")
    try:
        refused = companion.attempt("apply", check=False)
        assert refused.returncode == 1
        assert "the namespace vm-a exists and is not dvr_ryu's" in refused.stderr
    finally:
        run(companion.host, "ip netns del vm-a")
