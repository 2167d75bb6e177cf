"""Ports that others plug into a bridge, in a real OVSDB: an instance's gets its tag and its number,
and gets back what it had; no other port changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from dvr_ryu.companion.providers.ovsdb.bridges import Ovsdb
from dvr_ryu.companion.providers.ovsdb.database import Database
from dvr_ryu.companion.providers.ovsdb.guest_ports import GuestPorts
from dvr_ryu.companion.resources.openvswitch.bridge import Bridge
from dvr_ryu.companion.resources.openvswitch.plugged_port import PluggedPort
from tests.switch.support.ovs import Ovs

BRIDGE = Bridge("br-int", {"datapath_type": "dummy", "fail_mode": "secure"}, {})
USED = PluggedPort("br-int", "vnet0", 7, 33000)
IDS = ("external_ids:iface-id=3f2b", 'external_ids:attached-mac="FA:16:3E:00:00:01"')
BEFORE = {
    "bare": (),
    "tagged": ("tag=9", "--", "set", "Port", "vnet0", "external_ids:whose=theirs"),
    "numbered": ("--", "set", "Interface", "vnet0", "ofport_request=12"),
}


@pytest.fixture
def database(ovs: Ovs) -> Iterator[Database]:
    with closing(Database(path=f"{ovs.folder}/db.sock")) as database:
        yield database


@pytest.fixture
def guests(ovs: Ovs, database: Database) -> GuestPorts:
    """The ports of others on a bridge of ours that has one without an id."""
    Ovsdb("h1", database).make_bridges([BRIDGE])
    plug(ovs, "vnet1", "tag=7")
    return GuestPorts("h1", database)


def plug(ovs: Ovs, name: str, *settings: str) -> None:
    """As libvirt does: a port, with the settings of whoever plugs it in."""
    add = ("add-port", "br-int", name, *settings)
    ovs.vsctl(*add, "--", "set", "Interface", name, "type=dummy")


def state(ovs: Ovs, name: str) -> tuple[str, str]:
    return (
        ovs.vsctl("--columns=tag,external_ids", "list", "Port", name),
        ovs.vsctl("--columns=ofport_request,external_ids", "list", "Interface", name),
    )


@pytest.mark.parametrize("settings", BEFORE.values(), ids=BEFORE)
def test_a_port_of_others_is_used_and_given_back(
    ovs: Ovs, database: Database, guests: GuestPorts, settings: tuple[str, ...]
) -> None:
    plug(ovs, "vnet0", *settings)
    ovs.vsctl("set", "Interface", "vnet0", *IDS)
    before, bystander = state(ovs, "vnet0"), state(ovs, "vnet1")
    named = {each.name: each for each in guests.interfaces()}
    assert (named["vnet0"].iface_id, named["vnet0"].mac) == ("3f2b", "fa:16:3e:00:00:01")
    assert (named["vnet1"].iface_id, named["vnet1"].mac) == ("", "")
    assert named.keys() == {"vnet0", "vnet1"}
    guests.make([USED, PluggedPort("br-int", "vnet9", 7, 33001)])
    assert guests.read() == [USED]
    assert ovs.vsctl("get", "Interface", "vnet0", "ofport").strip() == "33000"
    _, _, foreign = Ovsdb("h1", database).read(())
    assert [each.name for each in foreign] == ["vnet1"]
    guests.make([PluggedPort("br-int", "vnet0", 8, 33000)])  # an edit notes nothing again
    assert guests.read()[0].tag == 8
    guests.remove([USED])
    assert guests.read() == []
    assert (state(ovs, "vnet0"), state(ovs, "vnet1")) == (before, bystander)


@pytest.mark.parametrize("settings", BEFORE.values(), ids=BEFORE)
def test_a_script_does_the_same(ovs: Ovs, guests: GuestPorts, settings: tuple[str, ...]) -> None:
    plug(ovs, "vnet0", *settings)
    before = state(ovs, "vnet0")
    run(ovs, USED.make_lines(None, "h1"))
    assert guests.read() == [USED]
    run(ovs, PluggedPort("br-int", "vnet0", 8, 33000).make_lines(USED, "h1"))
    assert guests.read()[0].tag == 8
    run(ovs, USED.remove_lines("h1"))
    assert state(ovs, "vnet0") == before


def run(ovs: Ovs, lines: Iterator[str]) -> None:
    ovs.run("sh", "-ec", "\n".join(lines))
