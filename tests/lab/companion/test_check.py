"""`dvr companion check` says what a host lacks, and `apply` changes nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dvr_ryu.lab.hosts.bare import bare_lab
from dvr_ryu.lab.hosts.host import LabHost
from dvr_ryu.lab.wait import wait_until
from dvr_ryu.topology.loading import parse_topology
from tests.lab.support.companions import run
from tests.lab.support.datapath import BY_KERNEL, DEVICE, widened
from tests.lab.support.one_host import TOPOLOGY, inventory

DVR = str(Path(sys.executable).with_name("dvr"))


@pytest.fixture(scope="module")
def host() -> Iterator[LabHost]:
    with bare_lab(parse_topology(TOPOLOGY, "test.yaml")) as lab:
        yield lab["h1"]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("check") / "topology.yaml"
    file.write_text(TOPOLOGY)
    return file


def dvr(host: LabHost, verb: str, file: Path, *before: str) -> subprocess.CompletedProcess[str]:
    command = [DVR, "companion", verb, str(file), "--host", "h1"]
    return host.run([*before, *command], check=False)


def test_a_host_as_the_lab_makes_it_is_ready(host: LabHost, file: Path) -> None:
    before = inventory(host)
    result = dvr(host, "check", file)
    assert result.returncode == 0, result.stdout
    assert "FAIL" not in result.stdout and "Traceback" not in result.stderr
    assert f"10.0.0.1 on {DEVICE}" in result.stdout
    assert "the kernel can tell them" in result.stdout
    assert "tcp:10.0.0.9:6653 does not answer" in result.stdout
    assert inventory(host) == before
    assert host.run([DVR, "companion", "check"], check=False).returncode == 0


HIDE, SHOW = "mount --bind /dev/null {}", "umount {}"
DAMAGE = {
    "no program": (
        [HIDE.format("/usr/sbin/dnsmasq")],
        [SHOW.format("/usr/sbin/dnsmasq")],
        ["dnsmasq", "FAIL", "apt install dnsmasq-base"],
    ),
    "no Open vSwitch": (
        ["mv /run/openvswitch/db.sock /run/openvswitch/aside"],
        ["mv /run/openvswitch/aside /run/openvswitch/db.sock"],
        ["Open vSwitch", "FAIL", "systemctl start openvswitch-switch"],
    ),
    "no daemon": (
        ["mv /run/openvswitch/ovs-vswitchd.pid /run/openvswitch/aside"],
        ["mv /run/openvswitch/aside /run/openvswitch/ovs-vswitchd.pid"],
        ["ovs-vswitchd", "FAIL", "systemctl start openvswitch-switch"],
    ),
    "no address": (
        [f"ip address del 10.0.0.1/24 dev {DEVICE}"],
        [f"ip address add 10.0.0.1/24 brd + dev {DEVICE}"],
        ["underlay address", "FAIL", "ip address add 10.0.0.1/24 dev DEVICE"],
    ),
    "too small an MTU": (
        [widened(1400)],
        [widened(1500)],
        [f"{DEVICE} has 1400, not 1500", "FAIL", "mtu: 1400"],
    ),
    "a firewall": (
        ["iptables -P FORWARD DROP"],
        ["iptables -P FORWARD ACCEPT"],
        ["FORWARD", "WARN", "iptables drops what it has no rule for", "iptables -I FORWARD"],
    ),
    "a rule that rejects": (
        ["iptables -A FORWARD -j REJECT"],
        ["iptables -D FORWARD -j REJECT"],
        ["FORWARD", "WARN", "-A FORWARD -j REJECT", "iptables -I FORWARD"],
    ),
    "a rule about the controller": (
        ["iptables -A OUTPUT -p tcp -d 10.0.0.0/8 --dport 6600:6700 -j DROP"],
        ["iptables -D OUTPUT -p tcp -d 10.0.0.0/8 --dport 6600:6700 -j DROP"],
        ["OUTPUT", "FAIL", "to the controller", "iptables -I OUTPUT -p tcp --dport 6653 -j ACC"],
    ),
}
if not BY_KERNEL:
    DAMAGE["its address on a card"] = (
        ["ip address del 10.0.0.1/24 dev br-phys", "ip address add 10.0.0.1/24 dev eth0"],
        ["ip address del 10.0.0.1/24 dev eth0", "ip address add 10.0.0.1/24 brd + dev br-phys"],
        ["10.0.0.1 on eth0, which is no bridge", "FAIL"],
    )


@pytest.mark.parametrize("what", DAMAGE)
def test_it_reports_each_problem_with_advice(host: LabHost, file: Path, what: str) -> None:
    damage, undo, expected = DAMAGE[what]

    def is_reported() -> bool:
        """A device may take a moment to get its new settings."""
        result = dvr(host, "check", file)
        lines = result.stdout.splitlines()
        code = 1 if "FAIL" in expected else 0
        found = any(all(word in line for word in expected) for line in lines)
        return found and result.returncode == code

    for command in damage:
        run(host, command)
    try:
        wait_until(is_reported, 5, what, lambda: dvr(host, "check", file).stdout)
    finally:
        for command in undo:
            run(host, command)
    wait_until(lambda: dvr(host, "check", file).returncode == 0, 5, "all well again")


def test_apply_reports_failed_checks_and_makes_all_resources(host: LabHost, file: Path) -> None:
    before = inventory(host)

    def mtu_is(wanted: int) -> bool:
        run(host, widened(wanted))
        return f"mtu {wanted}" in run(host, f"ip link show {DEVICE}")

    wait_until(lambda: mtu_is(1400), 5, "the smaller MTU")
    try:
        applied, again = dvr(host, "apply", file), dvr(host, "apply", file)
        wait_until(lambda: mtu_is(1500), 5, "the MTU as it was")
        well = dvr(host, "apply", file)
    finally:
        wait_until(lambda: mtu_is(1500), 5, "the MTU as it was")
        down, nothing = (host.run([DVR, "companion", "down"]) for _ in range(2))
    assert (down.returncode, down.stderr.split()[0]) == (0, "h1:")
    assert (nothing.returncode, nothing.stdout) == (0, "")
    assert nothing.stderr == "no companion has made anything here\n"
    first, *_, last = [line for line in applied.stderr.splitlines() if "controller" not in line]
    assert (applied.returncode, again.returncode) == (2, 2)
    assert first.startswith(f"FAIL underlay MTU: {DEVICE} has 1400, not 1500; {widened(1500)}")
    assert last == "h1: all is made, but packets cannot pass until the failed checks are corrected"
    assert "+ ip netns add vm-a" in applied.stdout and again.stdout == ""
    assert well.returncode == 0 and "FAIL" not in well.stderr
    assert "WARN controller: tcp:10.0.0.9:6653 does not answer" in well.stderr
    assert inventory(host) == before


_FIREWALL = """
import sys
from dvr_ryu.companion.check.firewall.findings import findings
from dvr_ryu.companion.providers.ovsdb.database import Database
from dvr_ryu.topology.controller import Controller
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.view import HostView
here = Controller("10.0.0.1", 6653)  # on this host, so that the other host's switches come here
for each in findings(HostView(load_topology(sys.argv[1]), "h1"), "system", here, Database()):
    print(each.what, each.verdict.name, each.seen, "->", each.advice)
"""
TUNNELS, CONTROLLER = "vxlan tunnels", "switches' connections to the controller"
FIREWALLS = {
    "iptables -P INPUT DROP": [
        f"INPUT FAIL iptables drops what it has no rule for: {TUNNELS} -> "
        "iptables -I INPUT -p udp --dport 4789 -s 10.0.0.0/24 -j ACCEPT",
        f"INPUT FAIL iptables drops what it has no rule for: {CONTROLLER} -> "
        "iptables -I INPUT -p tcp --dport 6653 -s 10.0.0.0/24 -j ACCEPT",
    ],
    "iptables -A INPUT -p udp --dport 4789 -j REJECT": [
        "INPUT FAIL iptables: -A INPUT -p udp -m udp --dport 4789 -j REJECT --reject-with "
        f"icmp-port-unreachable drops: {TUNNELS} -> "
        "iptables -I INPUT -p udp --dport 4789 -s 10.0.0.0/24 -j ACCEPT",
    ],
    "iptables -A OUTPUT -p udp -m length --length 1400: -j DROP": [
        "OUTPUT WARN iptables: -A OUTPUT -p udp -m length --length 1400:65535 -j DROP may drop: "
        f"{TUNNELS} -> iptables -I OUTPUT -p udp --dport 4789 -j ACCEPT",
    ],
    "iptables -t raw -A PREROUTING -s 10.0.0.2 -j DROP": [
        f"INPUT FAIL iptables: -A PREROUTING -s 10.0.0.2/32 -j DROP drops: {TUNNELS} -> "
        "iptables -t raw -I PREROUTING -p udp --dport 4789 -s 10.0.0.0/24 -j ACCEPT",
        f"INPUT FAIL iptables: -A PREROUTING -s 10.0.0.2/32 -j DROP drops: {CONTROLLER} -> "
        "iptables -t raw -I PREROUTING -p tcp --dport 6653 -s 10.0.0.0/24 -j ACCEPT",
    ],
    "nft add table inet t; "
    "nft add chain inet t in { type filter hook input priority 0 ; policy accept ; }; "
    "nft add rule inet t in tcp dport 6000-7000 drop": [
        f"INPUT FAIL nft: tcp dport 6000-7000 drop drops: {CONTROLLER} -> "
        "nft insert rule inet t in ip saddr 10.0.0.0/24 tcp dport 6653 accept",
    ],
    "iptables -A INPUT -p tcp -m tcp --dport 22 -j DROP": [
        "firewall PASS lets the tunnels and the controller's connections pass -> ",
    ],
}


@pytest.mark.parametrize("firewall", FIREWALLS)
def test_a_rule_that_drops_what_a_host_needs_is_shown_with_the_remedy(
    host: LabHost, file: Path, firewall: str
) -> None:
    for command in firewall.split("; nft"):
        run(host, command if command.startswith(("nft", "iptables")) else f"nft{command}")
    try:
        output = host.run([sys.executable, "-c", _FIREWALL, str(file)]).stdout
        assert output.splitlines() == FIREWALLS[firewall]
        for line in FIREWALLS[firewall]:
            _, _, remedy = line.partition(" -> ")
            run(host, remedy or "true")
        output = host.run([sys.executable, "-c", _FIREWALL, str(file)]).stdout
        assert output.startswith("firewall PASS") and len(output.splitlines()) == 1
    finally:
        run(host, "iptables -P INPUT ACCEPT")
        run(host, "nft flush ruleset")


def test_with_the_kernels_datapath_any_device_has_the_underlay_address(
    host: LabHost, file: Path
) -> None:
    move = "ip address del 10.0.0.1/24 dev {}", "ip address add 10.0.0.1/24 brd + dev {}"
    run(host, move[0].format(DEVICE))
    run(host, move[1].format("eth0"))
    try:
        output = host.run([sys.executable, "-c", _UNDERLAY, str(file)]).stdout
    finally:
        run(host, move[0].format("eth0"))
        run(host, move[1].format(DEVICE))
    assert "underlay address PASS 10.0.0.1 on eth0" in output


_UNDERLAY = """
import sys
from dvr_ryu.companion.check.underlay import findings
from dvr_ryu.companion.providers.ovsdb.database import Database
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.view import HostView
for each in findings(HostView(load_topology(sys.argv[1]), "h1"), "system", Database()):
    print(each.what, each.verdict.name, each.seen)
"""


_WITHOUT_NETFILTER = """
from dvr_ryu.companion.check import kernel
from dvr_ryu.companion.providers.netlink import client
client.NETLINK_NETFILTER = 31  # a protocol that no kernel has
for each in kernel.findings(None, "system"):
    print(each.what, each.verdict.name, each.advice)
"""


def test_a_kernel_that_does_not_tell_its_connections(host: LabHost) -> None:
    output = host.run([sys.executable, "-c", _WITHOUT_NETFILTER]).stdout
    assert "connections (conntrack) FAIL this kernel needs nf_conntrack_netlink" in output


@pytest.mark.parametrize("verb", ["apply", "run", "plan", "check"])
def test_a_root_without_rights_gets_an_error(host: LabHost, file: Path, verb: str) -> None:
    before = inventory(host)
    without = ["setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin"]
    refused = dvr(host, verb, file, *without)
    assert refused.returncode == 1
    assert "no CAP_NET_ADMIN" in refused.stdout or "lacks CAP_NET_ADMIN" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert inventory(host) == before


def test_a_missing_program_is_named_before_anything_is_made(host: LabHost, file: Path) -> None:
    before = inventory(host)
    hidden = ("/usr/sbin/dnsmasq", "/usr/sbin/iptables-restore")
    for path in hidden:
        run(host, HIDE.format(path))
    try:
        refused = dvr(host, "apply", file)
    finally:
        for path in hidden:
            run(host, SHOW.format(path))
    assert refused.returncode == 1
    assert "lacks dnsmasq, iptables-restore" in refused.stderr
    assert "apt install dnsmasq-base iptables" in refused.stderr
    made = inventory(host)
    host.run([DVR, "companion", "down", "--host", "h1"])
    assert made[:-1] == before[:-1] and inventory(host) == before
