"""Which interfaces are those of instances that others plug in, and what is said about the rest."""

from __future__ import annotations

from attrs import evolve

from dvr_ryu.companion.desired import desired_resources
from dvr_ryu.companion.desired.plugged import lines, plugged, resources, roaming_hosts
from dvr_ryu.companion.foreign import ForeignInterface
from dvr_ryu.companion.providers.ovs_appctl.learned import parsed
from dvr_ryu.companion.resources.openvswitch.plugged_port import PluggedPort
from dvr_ryu.topology.loading import parse_topology
from dvr_ryu.topology.view import HostView
from tests.unit.topology.files import topology_file

ONE = "{host: one, network: blue, ip: 192.168.1.7, plugged: true}"
TOPOLOGY = parse_topology(topology_file(instances=f"{{a: {ONE}}}"), "t.yaml")
NAMESPACE = parse_topology(
    topology_file(instances=f"{{a: {ONE.replace('plugged: true', 'plugged: false')}}}"), "t.yaml"
)
PORT = TOPOLOGY.instances["a"]
HERE, THERE = (HostView(TOPOLOGY, host) for host in ("one", "two"))
VNET0 = ForeignInterface("br-int", "vnet0", PORT.id, PORT.mac, "")
TAP = ForeignInterface("br-int", PORT.device, "", "", "")
OTHER = ForeignInterface("br-int", "vnet9", "of-others", "", "")


def of(view: HostView, *interfaces: ForeignInterface) -> tuple[list[PluggedPort], list[str]]:
    found = plugged(view.topology, interfaces)
    return list(resources(view, found)), list(lines(view, found))


def used(name: str) -> list[PluggedPort]:
    return [PluggedPort("br-int", name, HERE.local_vlans["blue"], PORT.ofport)]


def test_an_interface_is_known_by_its_id_or_by_the_name_of_the_tap():
    for each in (VNET0, TAP):
        assert of(HERE, each, OTHER) == (used(each.name), [f"a is plugged in, as {each.name}"])
    assert of(HERE, OTHER) == ([], ["a is not plugged in; dvr show port a tells how"])


def test_no_namespace_and_no_device_of_ours_is_made_for_it():
    def made(view: HostView) -> set[tuple[object, ...]]:
        return {each.key for each in desired_resources(view, "netdev")}

    gone = made(HostView(NAMESPACE, "one")) - made(HERE)
    assert all(any(name in str(key) for name in ("vm-a", PORT.device, "udhcpc-a")) for key in gone)
    assert ("namespace", "vm-a") in gone and len(gone) > 5


def test_of_several_the_same_one_counts_in_any_order():
    second = evolve(VNET0, name="vnet1")
    broken = evolve(TAP, error="no such device")
    elsewhere = evolve(TAP, bridge="br-other")
    for interfaces in ((VNET0, second), (second, VNET0)):
        for others in ((), (broken,), (elsewhere,)):
            (port,), said = of(HERE, *others, *interfaces)
            assert port.name == "vnet0"
            names = ", ".join(["vnet1", *(each.name for each in others)])
            assert said[1] == f"a is plugged in more than once: vnet0 counts, unplug {names}"
    assert of(HERE, VNET0, TAP)[0] == used(TAP.name)


def test_what_is_wrong_with_one_is_said():
    assert of(THERE) == ([], [])
    assert of(THERE, VNET0) == (
        [],
        [
            "a is plugged in here, as vnet0, and the file has it on one: left alone; plug it in "
            "there, or write host: two"
        ],
    )
    assert of(HERE, evolve(VNET0, bridge="br-ex")) == (
        [],
        ["a is plugged into br-ex as vnet0: plug it into br-int"],
    )
    _, (_, mac) = of(HERE, evolve(VNET0, mac="02:00:00:00:00:01"))
    assert f"should have the MAC {PORT.mac}" in mac and "mac: '02:00:00:00:00:01'" in mac
    _, (_, error) = of(HERE, evolve(VNET0, error="could not open vnet0"))
    assert error == "a has no device: Open vSwitch says: could not open vnet0"


def test_a_guest_that_sends_with_another_mac_only_is_named():
    silent = evolve(VNET0, mac="")
    found = plugged(TOPOLOGY, [silent])
    for macs, said in (((), 0), ((PORT.mac, "02:00:00:00:00:01"), 0), (("02:00:00:00:00:01",), 1)):
        _, *more = lines(HERE, found, {PORT.ofport: macs, 7: ("02:00:00:00:00:02",)})
        assert len(more) == said and all("sends as 02:00:00:00:00:01" in each for each in more)


def test_macs_are_read_from_what_open_vswitch_prints():
    shown = """\
 port  VLAN  MAC                Age
    1    77  fa:16:3e:00:00:01    3
33000    77  02:00:00:00:00:01    0
LOCAL     0  02:00:00:00:00:02    1
"""
    assert parsed(shown) == {1: {"fa:16:3e:00:00:01"}, 33000: {"02:00:00:00:00:01"}}


def test_its_number_is_one_that_open_vswitch_itself_never_gives():
    assert PORT.ofport >= 0x8000 > NAMESPACE.instances["a"].ofport


ROAMING = parse_topology(
    topology_file(instances=f"{{a: {ONE.replace('host: one, ', '')}}}"), "t.yaml"
)


def test_a_roaming_instance_is_here_once_flows_lead_to_it():
    card = ROAMING.instances["a"]
    interface = evolve(VNET0, iface_id=card.id)
    for host in ROAMING.hosts:
        view = HostView(ROAMING, host)
        (found,) = plugged(ROAMING, [interface])
        waiting = evolve(found, led=False)
        assert [each.name for each in resources(view, [found])] == ["vnet0"]
        assert [each.name for each in resources(view, [waiting])] == ["vnet0"]
        here = ROAMING.with_roaming(roaming_hosts(ROAMING, host, [found]))
        elsewhere = ROAMING.with_roaming(roaming_hosts(ROAMING, host, [waiting]))
        assert here.instances["a"].host == host != elsewhere.instances["a"].host
        assert [each.ip for each in HostView(here, host).floating_ips] == ["2.2.2.10"]
        assert HostView(elsewhere, host).floating_ips == ()
        assert [*lines(view, [waiting])] == [
            "a is plugged in, as vnet0, and on another host until it sends from here"
        ]
        assert [*lines(view, [])] == []
