"""The script of a change: each line is valid sh, and each resource has its commands, both ways."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from attrs import evolve

from dvr_ryu.companion.change import change
from dvr_ryu.companion.desired import desired_resources
from dvr_ryu.companion.resources.device import Device
from dvr_ryu.companion.resources.dhcp.files import leases_file
from dvr_ryu.companion.resources.dhcp.leases import LeaseBook, StaleLease
from dvr_ryu.companion.resources.dhcp.lines import DhcpHost, DhcpOption
from dvr_ryu.companion.resources.namespace import ROOT, Namespace
from dvr_ryu.companion.resources.netfilter.chain import Chain
from dvr_ryu.companion.resources.netfilter.translation import Translation
from dvr_ryu.companion.resources.openvswitch.bridge import Bridge
from dvr_ryu.companion.resources.openvswitch.bridge_flows import DISPLACED
from dvr_ryu.companion.resources.openvswitch.port import OvsPort, port_key
from dvr_ryu.companion.resources.process import Process, pid_file
from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.companion.script import script
from dvr_ryu.topology.topology import Topology
from dvr_ryu.topology.view import HostView

PLACES = (
    Bridge("br-int", {}, {}),
    Namespace("r"),
    Namespace("vm-a"),
    OvsPort("br-int", "qr-1", "r", 1, {}),
)


def commands(desired: Sequence[Resource], installed: Sequence[Resource]) -> list[str]:
    """The script's lines without its head and comments; all containers are there and stay."""
    needed = change((*PLACES, *desired), (*PLACES, *installed))
    lines = "\n".join(script(needed, "h1")).splitlines()
    its = lines[lines.index("set -e") + 1 :]
    return [line for line in its if line and line[0] != "#" and not line.startswith("mkdir")]


@pytest.mark.parametrize("host", ("server-233", "server-68", "server-64"))
@pytest.mark.parametrize("way", ("up", "down"))
def test_a_shell_reads_it_and_no_resource_is_left_out(
    article: Topology, host: str, way: str
) -> None:
    there = desired_resources(HostView(article, host), "netdev")
    needed = change(there, ()) if way == "up" else change((), there)
    text = "\n".join(script(needed, host)) + "\n"
    subprocess.run(["sh", "-n"], input=text, text=True, check=True)
    counted = [line for line in text.splitlines() if line.startswith(("# +", "# -"))]
    steps = needed.makings if way == "up" else needed.removals
    assert sum(int(line.split()[1]) for line in counted) in (
        sum(map(len, steps)),
        -sum(map(len, steps)),
    )


def test_a_bridge_of_others_is_marked_and_given_back_as_it_was() -> None:
    had = {"fail_mode": "", "datapath_type": "netdev", "other_config:hwaddr": "02:00:00:00:00:01"}
    found = Bridge("br-tun", had, {}, before=had)
    controller = {"target": "tcp:10.0.0.9:6653", "max_backoff": "1000"}
    ours = Bridge("br-tun", {**had, "fail_mode": "secure", "protocols": "OpenFlow14"}, controller)
    text = "\n".join(commands((ours,), (found,)))
    assert "add-br" not in text and "add Bridge br-tun controller @ours" in text
    assert "target='\"tcp:10.0.0.9:6653\"'" in text and "dvr_ryu_before=" in text
    assert text.index("dump-flows") < text.index("fail_mode=secure") < text.index("add-flows")
    text = "\n".join(commands((), (evolve(ours, before=had),)))
    assert "del-br" not in text
    for line in (
        "clear Bridge br-tun fail_mode",
        "set Bridge br-tun datapath_type=netdev",
        "clear Bridge br-tun protocols",
        "remove Bridge br-tun external_ids dvr_ryu dvr_ryu_before",
        "del-flows br-tun cookie=0x6476725f727975/-1",
    ):
        assert line in text


def test_a_missing_program_ends_it_before_anything_is_made(tmp_path: Path) -> None:
    needed = change((*PLACES, Translation("r", "2.2.2.2", "10.0.0.2")), PLACES)
    head = "\n".join(script(needed, "h1")).partition("set -e")[0]
    done = subprocess.run(
        ["/bin/sh"], input=head, env={"PATH": str(tmp_path)}, text=True, stderr=subprocess.PIPE
    )
    assert done.returncode == 1
    assert done.stderr == "this host lacks conntrack: apt install conntrack\n"
    assert "udhcpc" not in head


def test_nothing_to_change_is_no_command() -> None:
    assert commands((), ()) == []


def test_all_chains_are_there_before_rules_name_them() -> None:
    one = Chain("r", "nat", "PREROUTING", ("-j neutron-x",))
    two = Chain("r", "nat", "neutron-x", ("-j ACCEPT",))
    iptables = "ip netns exec r iptables -t nat"
    assert commands((one, two), ()) == [
        f"{iptables} -N neutron-x",
        f"{iptables} -A PREROUTING -j neutron-x",
        f"{iptables} -A neutron-x -j ACCEPT",
    ]
    assert commands((), (one, two)) == [
        f"{iptables} -F PREROUTING",
        f"{iptables} -F neutron-x",
        f"{iptables} -X neutron-x",
    ]


def test_a_chain_that_is_changed_is_emptied_and_not_made() -> None:
    old, new = (Chain("r", "nat", "neutron-x", (f"-j {target}",)) for target in ("ACCEPT", "DROP"))
    iptables = "ip netns exec r iptables -t nat"
    assert commands((new,), (old,)) == [
        f"{iptables} -F neutron-x",
        f"{iptables} -A neutron-x -j DROP",
    ]


def test_a_device_is_moved_once() -> None:
    narrow, wide = (
        Device("r", "qr-1", "fa:16:3e:00:00:01", mtu, False, port_key("qr-1"))
        for mtu in (1400, 1500)
    )
    no_checksum = "ip netns exec r ethtool -K qr-1 tx off > /dev/null"
    assert commands((wide,), ()) == [
        "ip link set qr-1 netns r",
        no_checksum,
        "ip -n r link set qr-1 address fa:16:3e:00:00:01 mtu 1500 up",
    ]
    # Nor is its MAC set again: the kernel would forget its neighbours.
    assert commands((wide,), (narrow,)) == [no_checksum, "ip -n r link set qr-1 mtu 1500 up"]


def test_a_port_says_whose_it_is() -> None:
    (line,) = commands((OvsPort("br-int", "tap1", "vm-a", 7, {"ofport_request": "3"}),), ())
    assert line == (
        "ovs-vsctl --may-exist add-port br-int tap1"
        " -- set Port tap1 tag=7 protected=false external_ids:dvr_ryu=h1"
        " external_ids:dvr_ryu_netns=vm-a"
        " -- set Interface tap1 ofport_request=3"
    )


def test_a_dhcp_host_that_changes_has_one_line() -> None:
    old, new = (DhcpHost("q", "fa:16:3e:00:00:01", ip, "a") for ip in ("10.0.0.1", "10.0.0.2"))
    file = DhcpHost.file("q")
    assert commands((new,), (old,))[:2] == [
        rf"sed -i '/^fa:16:3e:00:00:01\(,\|$\)/d' {file}",
        f"printf '%s\\n' fa:16:3e:00:00:01,10.0.0.2,a >> {file}",
    ]


def test_a_shell_writes_an_option_as_the_companion_would(tmp_path: Path) -> None:
    """Also if its text has characters that are special to a shell."""
    file = tmp_path / "options"
    resources = [
        DhcpOption("q", "subnet-10.1.0.0", option, value)
        for option, value in (
            ("option:router", ""),
            ("15", '"it\'s $HOME \\\\ `date`"'),
            ("150", "1.2.3.4"),
        )
    ]
    lines = commands(resources, ())
    stays = DhcpOption("q", "subnet-10x1.0.0", "15", "1b")
    lines += [stays.describe(), *commands((), resources[1:])]
    text = "\n".join(line for line in lines if "kill" not in line and not line.startswith("cp "))
    text = text.replace(DhcpOption.file("q"), str(file))
    subprocess.run(["sh", "-e"], input=text, text=True, check=True)
    left = [DhcpOption.of_line("q", line) for line in file.read_text().splitlines()]
    assert left == [resources[0], stays]


def test_a_stale_lease_goes_while_its_server_does_not_run() -> None:
    server = Process("dnsmasq-q", "vm-a", ("dnsmasq", "-i", "tap1"), ("namespace", "vm-a"))
    book = LeaseBook("q", "h1", "n", ())
    lines = commands((book,), (book, StaleLease("q", "fa:16:3e:00:00:01", "10.0.0.1", server)))
    assert lines[1] == 'kill "$pid" || :'
    assert lines[-2] == f"sed -i '/ fa:16:3e:00:00:01 10.0.0.1 /d' {leases_file('q')}"
    assert lines[-1] == "ip netns exec vm-a dnsmasq -i tap1"


def test_a_program_that_changes_is_ended_first() -> None:
    old, new = (
        Process("udhcpc-a", "vm-a", ("udhcpc", "-r", ip), ("namespace", "vm-a"))
        for ip in ("10.0.0.1", "10.0.0.2")
    )
    lines = commands((new,), (old,))
    assert lines[0] == f'pid="$(cat {pid_file("udhcpc-a")})"'
    assert lines[-1].startswith("NETNS=vm-a ip netns exec vm-a udhcpc -r 10.0.0.2 <")
    assert lines[-1].endswith(" &")


def test_what_is_in_the_hosts_own_namespace_needs_no_place() -> None:
    assert commands((Device(ROOT, "tap1", None, 1500, None, ("veth", "w")),), ()) == [
        "ip link set tap1 mtu 1500 up"
    ]


def test_a_script_finds_what_our_flows_have_taken_the_place_of(tmp_path: Path) -> None:
    before = tmp_path / "before"
    before.write_text(
        "cookie=0x9, table=60, idle_timeout=9999, reset_counts priority=1 actions=drop\n"
        "cookie=0x9, table=60, priority=2 actions=drop\n"
        " reset_counts priority=0 actions=NORMAL\n"
    )
    ours = (
        " cookie=0x6476725f727975, table=60, priority=1 actions=NORMAL\n"
        " cookie=0x6476725f727975, priority=0 actions=resubmit(,58)\n"
    )
    for dumped, expected in ((ours, before.read_text().splitlines()[::2]), ("", [])):
        command = ["sh", "-c", f"{DISPLACED} - {before}"]
        found = subprocess.run(command, input=dumped, text=True, stdout=subprocess.PIPE).stdout
        assert found.splitlines() == expected
