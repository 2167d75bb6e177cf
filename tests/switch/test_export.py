"""`dvr flows` as a script, and from a dump: on a real switch the flows are the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from dvr_ryu.cli import cli
from dvr_ryu.shipped import examples_dir
from tests.switch.conftest import view_of
from tests.switch.support.ovs import Ovs
from tests.switch.test_sync import assert_holds

EXAMPLE = examples_dir() / "human-defined-dvr.yaml"
HOSTS = ("server-233", "server-68", "server-64")
BRIDGES = ("br-int", "br-tun")
NOBODY = "tcp:127.0.0.1:1"


def printed(*arguments: str, stdin: str = "") -> str:
    result = CliRunner().invoke(cli, ["flows", *arguments], input=stdin)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def bridges(ovs: Ovs, host: str) -> None:
    for bridge in BRIDGES:
        ovs.vsctl("--if-exists", "del-br", bridge)
        ovs.add_bridge(bridge, "nobody", view_of(EXAMPLE, host).planned_ofports(bridge), NOBODY)


@pytest.mark.parametrize("all_hosts", [True, False])
def test_the_script_fills_both_bridges_of_a_host(ovs: Ovs, folder: Path, all_hosts: bool) -> None:
    file = folder / "flows.sh"
    for host in HOSTS[: 3 if all_hosts else 1]:
        chosen = [] if all_hosts else ["--host", host]
        file.write_text(printed(str(EXAMPLE), "--as", "script", *chosen))
        bridges(ovs, host)
        ovs.run("sh", str(file), *([host] if all_hosts else []))
        for bridge in BRIDGES:
            lines = printed(str(EXAMPLE), "--host", host, "--bridge", bridge).splitlines()
            assert_holds(ovs, bridge, lines)


def test_the_script_has_the_articles_lines_and_the_sentences() -> None:
    script = printed(str(EXAMPLE), "--as", "script", "--bridge", "br-tun")
    assert script.startswith("#!/bin/sh\n")
    assert "br-int of" not in script
    lines = script.splitlines()
    at = lines.index("# 10.10.10.1 is on this host: packets to it must not leave.")
    assert lines[at + 1] == (
        "ovs-ofctl -O OpenFlow14 add-flow br-tun 'cookie=0x6476725f727975,table=1,priority=2,"
        "dl_vlan=2,dl_dst=fa:16:3e:de:07:79 actions=drop'"
    )
    table = "# Table 20, UCAST_TO_TUN: To one receiver: into the tunnel that leads to it."
    assert lines.count(table) == 3


def test_the_script_wants_a_host_that_it_has(ovs: Ovs, folder: Path) -> None:
    file = folder / "flows.sh"
    file.write_text(printed(str(EXAMPLE), "--as", "script"))
    with pytest.raises(AssertionError, match=r"usage: sh .*flows.sh server-233\|server-68\|server"):
        ovs.run("sh", str(file), "server-1")


FLOWS = [
    "table=0,priority=1,in_port=1 actions=resubmit(,1)",
    "cookie=0x77,table=1,priority=7,idle_timeout=600,hard_timeout=900,send_flow_rem,arp,arp_op=1 "
    "actions=set_field:2->arp_op,IN_PORT",
    "table=1,ip,nw_src=10.0.0.0/8,nw_tos=32 actions=dec_ttl,CONTROLLER:128",
    "table=1,priority=3,tcp,tp_dst=80 actions=mod_vlan_vid:7,output:2",
    "table=2,priority=3,reg3=0x5/0xff actions=note:00.01.02,output:NXM_NX_REG1[]",
    "table=9,ipv6,ipv6_src=2001:db8::/32 actions=load:0x5->NXM_NX_REG0[],resubmit(3,4)",
]


@pytest.mark.parametrize("protocol", ["OpenFlow10", "OpenFlow13", "OpenFlow14"])
def test_a_clean_dump_makes_the_same_flows(ovs: Ovs, folder: Path, protocol: str) -> None:
    host = HOSTS[0]
    bridges(ovs, host)
    lines = folder / "lines"
    lines.write_text(printed(str(EXAMPLE), "--host", host) + "\n".join(FLOWS) + "\n")
    ovs.run("ovs-ofctl", "-O", "OpenFlow14", "add-flows", "br-tun", str(lines))
    dump = folder / "dump"
    dump.write_text(ovs.run("ovs-ofctl", "-O", protocol, "dump-flows", "br-tun"))
    text = printed("--from-dump", str(dump), "--bridge", "br-tun")
    assert printed("--from-dump", "-", stdin=dump.read_text()) == text
    assert "n_packets" not in text and "duration" not in text
    assert "\n# Table 20, UCAST_TO_TUN: " in text
    assert_holds(ovs, "br-tun", text.splitlines(), protocol)
