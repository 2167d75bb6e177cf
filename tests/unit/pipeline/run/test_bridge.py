"""The shipped pipelines run on packets of the article's topology."""

from __future__ import annotations

import pytest

from dvr_ryu.pipeline.language.numbers import read_ipv4, read_mac
from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.pipeline.run.bridge import Bridge
from dvr_ryu.pipeline.run.packet import arp_request, icmp_echo
from dvr_ryu.pipeline.run.state import BridgeState
from dvr_ryu.shipped import examples_dir, flows_dir
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.topology import Topology
from dvr_ryu.topology.view import HostView

PIPELINES = load_pipelines(flows_dir())
FRESH = BridgeState()


@pytest.fixture(scope="module")
def topology() -> Topology:
    return load_topology(examples_dir() / "human-defined-dvr.yaml")


def bridge(topology: Topology, name: str, host: str = "server-233") -> Bridge:
    return Bridge(PIPELINES.by_bridge[name], HostView(topology, host))


def test_an_arp_request_for_a_remote_port_is_answered(topology: Topology) -> None:
    cirros, blue = topology.instances["cirros"], topology.instances["blue-68"]
    br_int, br_tun = bridge(topology, "br-int"), bridge(topology, "br-tun")
    request = arp_request(read_mac(cirros.mac), read_ipv4(cirros.ip), read_ipv4(blue.ip))
    asked = br_int.forward(FRESH, request, cirros.device)
    [crossing] = [packet for name, packet in asked.outputs if name == "patch-tun"]
    assert crossing.vlan == 1
    answered = br_tun.forward(FRESH, crossing, "patch-int")
    [(port, reply)] = answered.outputs
    assert port == "patch-int"
    assert reply == request.reply(read_mac(blue.mac)).tagged(1)
    delivered = br_int.forward(asked.state, reply, "patch-tun")
    assert [name for name, _ in delivered.outputs] == [cirros.device]


def test_a_step_tells_line_sentence_and_changes(topology: Topology) -> None:
    cirros, blue = topology.instances["cirros"], topology.instances["blue-68"]
    packet = icmp_echo(
        read_mac(cirros.mac), read_mac(blue.mac), read_ipv4(cirros.ip), read_ipv4(blue.ip)
    ).tagged(1)
    steps = bridge(topology, "br-tun").forward(FRESH, packet, "patch-int").steps
    last = steps[-1]
    assert [step.name for step in steps] == [
        "LOCAL_SWITCHING", "DVR_PROCESS", "PATCH_LV_TO_TUN", "UCAST_TO_TUN",
    ]  # fmt: skip
    assert last.sentence == f"blue-68 ({blue.ip}) is on server-68."
    assert last.location and last.location.file.endswith("br-tun.flows")
    assert {(each.name, each.before, each.after) for each in last.changes} == {
        ("vlan_tci", 0x1001, None),
        ("tun_id", None, 25),
    }
