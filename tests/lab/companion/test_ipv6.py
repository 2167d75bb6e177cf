"""Resources of IPv6, which no topology makes yet: made, read back equal and removed, both by the
companion's providers and by the lines of its script.
"""

from __future__ import annotations

from tests.lab.companion.test_namespaces import alone

PREFACE = """
from dvr_ryu.companion.change import change
from dvr_ryu.companion.providers.iptables.nat import Chains
from dvr_ryu.companion.providers.netlink.namespaces import Namespaces
from dvr_ryu.companion.providers.netlink.routing import Routing
from dvr_ryu.companion.providers.provider import Look
from dvr_ryu.companion.resources.device import Device
from dvr_ryu.companion.resources.netfilter.chain import Chain
from dvr_ryu.companion.resources.openvswitch.port import OvsPort
from dvr_ryu.companion.resources.routing.address import Address
from dvr_ryu.companion.resources.routing.neighbour import Neighbour, ProxyNeighbour
from dvr_ryu.companion.resources.routing.route import Route
from dvr_ryu.companion.resources.routing.rule import Rule
from dvr_ryu.companion.script import script
from dvr_ryu.topology.family import Family

NAME, DEVICE = "qrouter-1", "qr-1"
MAC = "fa:16:3e:00:00:02"
Namespaces().make([Namespace(NAME)])
ip("-n", NAME, "link", "add", DEVICE, "type", "veth", "peer", "name", "other")
for device in DEVICE, "other":
    ip("-n", NAME, "link", "set", device, "up")

class NoPorts:
    kinds = (OvsPort,)
    def read(self, look):
        return []

def resources(family):
    six = family is Family.IPV6
    own, other, far, net = (
        ("2001:db8::1", "2001:db8::2", "2001:db8:1::/64", "2001:db8::") if six else
        ("10.0.0.1", "10.0.0.2", "10.1.0.0/24", "10.0.0.0")
    )
    address = Address(NAME, DEVICE, f"{own}/{64 if six else 24}", None)
    after = (address.key,)
    return [
        address,
        Route(NAME, 254, far, other, DEVICE, after),
        Route(NAME, 16, "default", other, DEVICE, after),
        Route(NAME, 18, "default", None, DEVICE, after, family=family),
        Route(NAME, 254, f"{other}/{family.bits}", None, DEVICE, after, own),
        Rule(NAME, 100, 16, source=f"{other}/{family.bits}"),
        Rule(NAME, 101, 16, source=far),
        Rule(NAME, 102, 18, iif=DEVICE, family=family),
        Neighbour(NAME, DEVICE, other, MAC),
        ProxyNeighbour(NAME, DEVICE, own.replace("1", "7")),
        Chain(NAME, "nat", "neutron-x", (f"-s {far} -j RETURN",), family),
        Chain(NAME, "nat", "POSTROUTING", ("-j neutron-x",), family),
    ]

def here(desired):
    routing, chains = Routing(), Chains()
    look = Look(desired, [Namespaces(), NoPorts(), routing, chains])
    return {*look.once(routing.read), *look.once(chains.read)}

def shown(family):
    shows = ("addr show dev qr-1 scope global", "route show table 16", "rule", "neigh show proxy")
    found = [ip("-n", NAME, f"-{family:d}", *each.split()) for each in shows]
    # A table that never was is an error, and one that has no route any more is none.
    return [each if isinstance(each, list) else [] for each in found]

def sh(lines):
    text = "\\n".join(lines)
    done = subprocess.run(["sh", "-e"], input=text, capture_output=True, text=True)
    return done.stderr

surroundings = [Namespace(NAME), Device(NAME, DEVICE, None, None, None, ("namespace", NAME))]
both = [*resources(Family.IPV4), *resources(Family.IPV6)]
"""


def test_they_are_made_read_back_equal_and_removed() -> None:
    result = alone(f"""{PREFACE}
result = []
for desired in resources(Family.IPV6), both:
    assert here(desired) == set()
    bare = [shown(family) for family in Family]
    routing, chains = Routing(), Chains()
    its = [each for each in desired if not isinstance(each, Chain)]
    of_netfilter = [each for each in desired if isinstance(each, Chain)]
    for _ in range(2):
        for each in its:
            routing.make([each])
        chains.make(of_netfilter)
        result.append([str(each) for each in {{*desired}} ^ here(desired)])
    for each in reversed(its):
        routing.remove([each])
    chains.remove(of_netfilter)
    result.append(bare == [shown(family) for family in Family] and not here(desired))
""")
    assert result == [[], [], True] * 2


def test_the_script_makes_and_removes_them() -> None:
    result = alone(f"""{PREFACE}
bare = shown(Family.IPV6)
four = resources(Family.IPV4)
make = change([*surroundings, *both], surroundings)
remove = change([*surroundings, *four], [*surroundings, *both])
result = [sh(script(make, "h1")), [str(each) for each in {{*both}} ^ here(both)]]
result += [sh(script(remove, "h1")), bare == shown(Family.IPV6)]
result += [[str(each) for each in {{*four}} ^ here(both)]]
""")
    assert result == ["", [], "", True, []]


def test_ipv6_is_left_alone_where_none_is_desired() -> None:
    result = alone(f"""{PREFACE}
ip("-n", NAME, "addr", "add", "2001:db8::9/64", "dev", DEVICE)
result = [len(here(resources(Family.IPV4))), len(here(resources(Family.IPV6)))]
""")
    assert result == [0, 1]
