"""The picture of hosts has all that the companions make: every bridge, port, namespace and device,
and cables between the right ones.
"""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dvr_ryu.companion.desired import desired_resources
from dvr_ryu.companion.resources.device import Device
from dvr_ryu.companion.resources.namespace import ROOT, Namespace
from dvr_ryu.companion.resources.openvswitch.bridge import Bridge
from dvr_ryu.companion.resources.openvswitch.port import OvsPort
from dvr_ryu.companion.resources.veth_pair import VethPair
from dvr_ryu.graph.host import bridge_id, device_id, namespace_id, port_id
from dvr_ryu.graph.hosts import OUTSIDE, hosts_picture
from dvr_ryu.graph.picture import CableKind, cable_id
from dvr_ryu.topology.topology import Topology
from dvr_ryu.topology.view import HostView
from tests.unit.graph.elements import all_ids
from tests.unit.pipeline.sites import Site, sites, topology

DATAPATHS = st.sampled_from(["system", "netdev"])


@settings(max_examples=40, deadline=None)
@given(site=sites, datapath=DATAPATHS)
def test_every_port_and_device_of_every_host_is_in_it(site: Site, datapath: str) -> None:
    wished = topology(site)
    picture = hosts_picture(wished, datapath_type=datapath)
    ids = Counter(all_ids(picture))
    assert max(ids.values()) == 1
    assert {name.partition("/")[0] for name in ids} >= {"host", "bridge", "port", "underlay"}
    for host in wished.hosts:
        ends: Counter[str] = Counter()
        for cable in picture.cables:
            ends.update((cable.start, cable.end))
        for each in desired_resources(HostView(wished, host), datapath):
            if isinstance(each, Bridge):
                assert bridge_id(host, each.name) in ids
            elif isinstance(each, Namespace):
                assert namespace_id(host, each.name) in ids
            elif isinstance(each, OvsPort):
                # Each port has one cable, and each device: all are plugged.
                assert ends[port_id(host, each.bridge, each.name)] == 1
            elif isinstance(each, Device) and each.namespace != ROOT and each.name != "lo":
                assert ends[device_id(host, each.namespace, each.name)] == 1
            elif isinstance(each, VethPair) and each.peer_namespace == ROOT:
                inner = device_id(host, each.namespace, each.device)
                assert cable_id(inner, port_id(host, "br-int", each.peer)) in ids


@settings(max_examples=20, deadline=None)
@given(site=sites)
def test_cables_end_at_elements_and_lead_to_the_right(site: Site) -> None:
    picture = hosts_picture(topology(site))
    for cable in picture.cables:
        for end, side in ((cable.start, "right"), (cable.end, "left")):
            box = picture.box_of[end]
            if box.left and box.right:
                assert end in {item.id for item in getattr(box, side)}


def test_a_host_that_is_not_shown_is_one_box(article: Topology) -> None:
    picture = hosts_picture(article, ["server-233"])
    assert [group.name for group in picture.groups] == ["server-233"]
    assert {"host/server-68", "host/server-64"} <= {box.id for box in picture.boxes}
    assert not any("/server-68/" in id for id in all_ids(picture))
    # The gateway of the external network is on server-64.
    assert cable_id("host/server-64", OUTSIDE) in {cable.id for cable in picture.cables}


def test_ids_are_the_names_that_people_type(article: Topology) -> None:
    ids = set(all_ids(hosts_picture(article)))
    router = "qrouter-28e4ec01-f0a1-4c0e-9c2b-4f8a5d7e6b10"
    assert {
        "host/server-233",
        "bridge/server-233/br-int",
        "port/server-233/br-int/patch-tun",
        "port/server-233/br-tun/vxlan-0a002c40",
        f"namespace/server-233/{router}",
        f"device/server-233/{router}/rfp-28e4ec01-f",
        "device/server-233/vm-cirros/eth0",
        "underlay/server-233",
        "underlay",
        "outside",
    } <= ids


def test_titles_have_names_and_addresses(article: Topology) -> None:
    picture = hosts_picture(article)
    titles = {item.id: item.title for box in picture.every_box for item in box.items}
    eth0 = titles["device/server-233/vm-cirros/eth0"]
    assert eth0.splitlines() == [
        "eth0 in vm-cirros on server-233",
        "fa:16:3e:ff:aa:66",
        "192.168.10.222/24",
        "The network blue",
    ]
    tunnel = titles["port/server-233/br-tun/vxlan-0a002c40"]
    assert tunnel.splitlines() == [
        "vxlan-0a002c40, port 2 of br-tun on server-233",
        "A tunnel (vxlan) to server-64, 10.0.44.64",
    ]


@pytest.mark.parametrize(
    ("datapath", "kind"), [("system", CableKind.INTERNAL), ("netdev", CableKind.VETH)]
)
def test_a_datapath_decides_how_a_router_is_plugged(
    article: Topology, datapath: str, kind: CableKind
) -> None:
    cables = hosts_picture(article, ["server-233"], datapath).cables
    kinds = {cable.kind for cable in cables if "/qr-" in cable.start}
    assert kinds == {kind}
