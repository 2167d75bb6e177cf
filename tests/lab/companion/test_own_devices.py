"""Open vSwitch's own devices in namespaces, which a host with the kernel's datapath has.

This machine may lack that datapath. So the test puts the kernel datapath's resources on a bridge of
the userspace datapath, which also makes such devices and lets them be moved.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dvr_ryu.lab.hosts.bare import bare_lab
from dvr_ryu.lab.hosts.host import LabHost
from dvr_ryu.topology.loading import parse_topology
from tests.lab.support.companions import await_answer, await_lease, run
from tests.lab.support.one_host import TOPOLOGY, inventory, namespace

PREFIXES = {"ta", "qr", "sg", "qg", "fg", "gw"}
"""The prefixes of such devices' names; an instance's tap is an end of a veth pair."""

_RECONCILE = """
import json, sys
from contextlib import closing
from attrs import evolve
from dvr_ryu.companion.agent import reconcile
from dvr_ryu.companion.desired import desired_resources
from dvr_ryu.companion.resources.device import Device
from dvr_ryu.companion.resources.openvswitch.bridge import Bridge
from dvr_ryu.companion.host import Host, locked
from dvr_ryu.companion.providers.ovsdb.database import Database
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.view import HostView

def here(resource):
    if isinstance(resource, Bridge):
        return evolve(resource, settings={**resource.settings, "datapath_type": "netdev"})
    if isinstance(resource, Device) and resource.tx_checksum:
        return evolve(resource, tx_checksum=False)
    return resource

with locked(), closing(Database()) as database:
    host = Host("h1", database)
    desired = ()
    if sys.argv[1:]:
        desired = desired_resources(HostView(load_topology(sys.argv[1]), "h1"), "system")
    print(json.dumps(list(reconcile(host, tuple(map(here, desired))).lines())))
"""


@pytest.fixture(scope="module")
def host() -> Iterator[LabHost]:
    with bare_lab(parse_topology(TOPOLOGY, "test.yaml")) as lab:
        yield lab["h1"]


def reconcile(host: LabHost, *file: Path) -> list[str]:
    """Make the resources of the file, or none without a file; return the lines of the change."""
    done = host.run([sys.executable, "-c", _RECONCILE, *map(str, file)])
    lines: list[str] = json.loads(done.stdout)
    return lines


def test_they_are_made_found_mended_and_removed(host: LabHost, tmp_path: Path) -> None:
    file = tmp_path / "topology.yaml"
    file.write_text(TOPOLOGY)
    bare = inventory(host)
    made = [line.split() for line in reconcile(host, file) if "type=internal" in line]
    assert {command[command.index("add-port") + 2][:2] for command in made} == PREFIXES
    assert reconcile(host, file) == []
    for prefix in ("qrouter-", "fip-", "snat-", "qdhcp-"):
        run(host, f"ip netns del {namespace(host, prefix)}")
    assert reconcile(host, file)
    assert reconcile(host, file) == []
    run(host, "ovs-ofctl add-flow br-int actions=NORMAL")
    await_lease(host, "a")
    await_answer(host, "vm-a", "10.2.0.14")
    await_answer(host, None, "2.2.2.101")
    reconcile(host)
    run(host, "rm -r /run/dvr_ryu")
    assert inventory(host) == bare
