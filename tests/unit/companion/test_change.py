"""The change of a host, made on a fake one: contents end with containers, as in kernels."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dvr_ryu.companion.change import HostChange, change
from dvr_ryu.companion.desired import desired_resources
from dvr_ryu.companion.desired.kernel_made import KERNEL_RULES, with_kernel_made
from dvr_ryu.companion.resources.device import Device
from dvr_ryu.companion.resources.namespace import Namespace
from dvr_ryu.companion.resources.process import Process
from dvr_ryu.companion.resources.resource import Key, Resource
from dvr_ryu.companion.resources.routing.address import Address
from dvr_ryu.companion.resources.routing.route import KernelRoute, Route
from dvr_ryu.companion.resources.routing.rule import KernelRule
from dvr_ryu.companion.resources.veth_pair import VethPair
from dvr_ryu.topology.loading import parse_topology
from dvr_ryu.topology.view import HostView

TOPOLOGY = """
hosts:
  h1: {{address: 10.0.0.1, snat: true}}
  h2: {{address: 10.0.0.2}}
networks:
  n: {{subnets: [{{cidr: 10.1.0.0/24, dhcp: {dhcp}}}]}}
  x: {{external: true, subnets: [{{cidr: 2.2.2.0/24, dhcp: false}}], gateway_host: h1}}
routers:
  r: {{interfaces: [{{network: n}}], external_network: x}}
instances:
  a: {{host: h1, network: n, ip: 10.1.0.5}}
  b: {{host: {host}, network: n, ip: 10.1.0.6}}
floating_ips:
  2.2.2.100: {{instance: {floating}}}
"""


def variant(dhcp: str, host: str, floating: str) -> tuple[Resource, ...]:
    text = TOPOLOGY.format(dhcp=dhcp, host=host, floating=floating)
    return desired_resources(HostView(parse_topology(text, "variant.yaml"), "h1"), "netdev")


VARIANTS = [
    variant(dhcp, host, floating)
    for dhcp in ("true", "false")
    for host in ("h1", "h2")
    for floating in ("a", "b")
] + [()]


class PretendHost:
    """Holds resources as a kernel does; refuses to make one whose container is missing."""

    def __init__(self, holding: dict[Key, Resource]) -> None:
        self.holding = dict(holding)

    def make(self, needed: HostChange) -> None:
        for step in needed.removals:
            for resource in step:
                self._end(resource.key)
        for step in needed.makings:
            for resource in step:
                for need in (resource.container, *resource.after):
                    assert need is None or need in self.holding, (resource, need)
                self.holding |= {each.key: each for each in with_kernel_made([resource])}

    def _end(self, key: Key) -> None:
        if self.holding.pop(key, None) is None:
            return
        for inner in [f for f in self.holding.values() if f.container == key]:
            if not inner.outlives_container:
                self._end(inner.key)


@st.composite
def situations(draw: st.DrawFn) -> tuple[dict[Key, Resource], tuple[Resource, ...]]:
    """The installed resources (some of two topologies', as after a killed run or an edit), and the
    desired ones.
    """
    first, second = draw(st.sampled_from(VARIANTS)), draw(st.sampled_from(VARIANTS))
    present = {resource.key: resource for resource in (*first, *second)}
    for key in draw(st.sets(st.sampled_from([*present] or [("none",)]), max_size=12)):
        present.pop(key, None)
    # A kernel holds nothing without its container; a program may outlive its own.
    while homeless := [
        key
        for key, resource in present.items()
        if resource.container
        and resource.container not in present
        and not resource.outlives_container
    ]:
        for key in homeless:
            del present[key]
    return present, draw(st.sampled_from(VARIANTS))


@settings(max_examples=60, deadline=None)
@given(situations())
def test_the_change_gives_what_should_be_from_whatever_there_is(situation):
    present, desired = situation
    host = PretendHost(present)
    host.make(change(desired, present.values()))
    assert host.holding == {resource.key: resource for resource in desired}
    assert not change(desired, host.holding.values())


@pytest.mark.parametrize("desired", VARIANTS)
def test_from_nothing_and_back_to_nothing(desired):
    host = PretendHost({})
    up = change(desired, ())
    host.make(up)
    ours = tuple(resource for resource in desired if not resource.by_kernel)
    assert up.added == ours and len(up) == len(ours)
    down = change((), host.holding.values())
    host.make(down)
    assert not host.holding
    assert {resource.key for resource in down.removed} == {resource.key for resource in ours}


def test_what_ends_with_its_device_is_not_removed_by_itself():
    namespace = Namespace("vm-a")
    veth = VethPair("vm-a", "eth0", "", "tap1")
    device = Device("vm-a", "eth0", None, 1500, None, veth.key)
    address = Address("vm-a", "eth0", "10.1.0.5/24", None)
    gone = change((namespace,), (namespace, veth, device, address))
    assert gone.removals == ((veth,),)
    assert gone.removed == (veth, device, address)


def test_what_ended_with_its_device_is_made_again():
    namespace = Namespace("vm-a")
    old, new = VethPair("vm-a", "eth0", "", "tap1"), VethPair("vm-a", "eth0", "", "tap2")
    device = Device("vm-a", "eth0", None, 1500, None, new.key)
    before = Device("vm-a", "eth0", None, 1500, None, old.key)
    address = Address("vm-a", "eth0", "10.1.0.5/24", None)
    program = Process("p", "vm-a", ("p",), device.key)
    needed = change(
        (namespace, new, device, address, program), (namespace, old, before, address, program)
    )
    assert needed.removals == ((old,),)
    assert needed.makings == ((new,), (device,), (address, program))


def test_a_program_is_ended_before_its_device():
    namespace = Namespace("vm-a")
    veth = VethPair("vm-a", "eth0", "", "tap1")
    device = Device("vm-a", "eth0", None, 1500, None, veth.key)
    program = Process("p", "vm-a", ("p",), device.key)
    assert change((), (namespace, veth, device, program)).removals == (
        (program,),
        (veth,),
        (namespace,),
    )


PLACE = Namespace("r")
FOOT = Device("r", "qr-1", None, 1500, None, PLACE.key)
OWN = Address("r", "qr-1", "10.1.0.1/24", "10.1.0.255")
BEYOND = Route("r", 254, "10.9.0.0/16", "10.1.0.9", "qr-1", after=(OWN.key,))
ROUTED = tuple(with_kernel_made((PLACE, FOOT, OWN, BEYOND)))


def test_the_kernel_makes_two_routes_with_an_address_and_three_rules_with_a_namespace():
    routes = [resource for resource in ROUTED if isinstance(resource, KernelRoute)]
    assert [route.describe() for route in routes] == [
        "ip -n r route append local 10.1.0.1 dev qr-1 table local proto kernel scope host"
        " src 10.1.0.1",
        "ip -n r route append 10.1.0.0/24 dev qr-1 proto kernel scope link src 10.1.0.1",
    ]
    rules = [resource for resource in ROUTED if isinstance(resource, KernelRule)]
    assert [(rule.priority, rule.table) for rule in rules] == list(KERNEL_RULES)
    assert rules[1].describe() == (
        "ip -n r rule add from all priority 32766 table main protocol kernel"
    )


def test_an_address_without_a_subnet_has_one_route():
    alone = Address("r", "rfp-1", "2.2.2.100/32", "2.2.2.100")
    (_, route) = with_kernel_made([alone])
    assert isinstance(route, KernelRoute) and route.is_local


def test_what_the_kernel_made_is_made_again_before_what_relies_on_it():
    """The kernel refuses a next hop that it cannot reach by any rule and table."""
    left = (PLACE, FOOT, OWN)
    needed = change(ROUTED, left)
    assert set(needed.added) == {
        resource for resource in ROUTED if resource.by_kernel or resource == BEYOND
    }
    assert needed.makings[-1] == (BEYOND,)


def test_what_the_kernel_makes_by_itself_is_no_part_of_a_change():
    assert change(ROUTED, ()).added == (PLACE, FOOT, OWN, BEYOND)
    down = Device("r", "qr-1", None, 1500, None, PLACE.key, up=False)
    rules = [resource for resource in ROUTED if isinstance(resource, KernelRule)]
    needed = change(ROUTED, (PLACE, down, OWN, *rules))
    assert needed.makings == ((FOOT,), (BEYOND,))
    other = Address("r", "qr-1", "10.1.0.2/24", "10.1.0.255")
    moved = change(tuple(with_kernel_made((PLACE, FOOT, other))), ROUTED[:-1])
    assert (moved.removed, moved.added) == ((OWN,), (other,))


def test_a_value_is_changed_in_place():
    old = Route("r", 16, "default", "169.254.0.1", "rfp-1")
    new = Route("r", 16, "default", "169.254.0.3", "rfp-1")
    device = Device("r", "rfp-1", None, None, None, ("namespace", "r"))
    namespace = Namespace("r")
    needed = change((namespace, device, new), (namespace, device, old))
    assert needed.removals == () and needed.makings == ((new,),)
    assert list(needed.lines()) == [
        "~ ip -n r route replace default via 169.254.0.3 dev rfp-1 table 16"
    ]
    assert needed.summary() == "~1 route"


def test_every_resource_can_be_described():
    for desired in VARIANTS:
        for resource in desired:
            line = resource.describe()
            assert line and "\n" not in line
