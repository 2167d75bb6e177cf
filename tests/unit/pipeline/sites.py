"""Topologies made up at random, and edits of them that change some of it at a time: where all
changes, nothing shows what was not looked at.
"""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import strategies as st

from dvr_ryu.topology.loading import Declaration
from dvr_ryu.topology.placement import Placement
from dvr_ryu.topology.topology import Topology

Site = dict[str, Any]
"""What is drawn of a topology."""

HOSTS = [f"host-{number}" for number in range(4)]
NETWORKS = [f"net-{number}" for number in range(3)]
EXTERNAL = ("x", "y")
SUBNETS = ("192.168.{}.0/24", "172.20.{}.0/24")
PAIRS = ({"ip": "192.168.{}.200"}, {"ip": "192.168.{}.201", "mac": "00:00:5e:00:01:01"})
INSTANCES = 4
CARDS = range(2 * INSTANCES)
"""Each instance has one or two of them."""

_places = st.tuples(
    st.sampled_from(HOSTS),
    st.lists(st.sampled_from(range(len(NETWORKS))), min_size=1, max_size=2),
)
_names = st.sampled_from(range(INSTANCES))
_fixed_ips = st.sampled_from([(0,), (1,), (0, 1), (1, 0)])
_pairs = st.lists(st.sampled_from(PAIRS), unique_by=str, max_size=2)
_spots = st.tuples(st.sampled_from(range(len(NETWORKS))), st.sampled_from([0, 1]))
_joined = st.sets(_spots, max_size=3)
_parts = {
    "has_last_host": st.booleans(),
    "dvr_macs": st.tuples(*[st.booleans()] * len(HOSTS)),
    "tags": st.sampled_from([None, 5, 6]),
    "tunnel_port": st.sampled_from([None, 77, 78]),
    "macs": st.tuples(*[st.booleans()] * len(CARDS)),
    "gateways": st.tuples(*[st.sampled_from([None, 253, "none"])] * len(NETWORKS)),
    "addresses": st.tuples(*[st.integers(1, 2)] * len(HOSTS)),
    "vnis": st.tuples(*[st.sampled_from([7, 8])] * len(NETWORKS)),
    "routers": st.tuples(_joined, _joined),
    "routes": st.booleans(),
    "dhcp": st.sampled_from(["", "central", "distributed"]),
    "tunnel_type": st.sampled_from(["vxlan", "geneve"]),
    "fixed_ips": st.tuples(*[_fixed_ips] * len(CARDS)),
    "pairs": st.tuples(*[_pairs] * len(CARDS)),
    "external": st.sampled_from([None, *EXTERNAL]),
    "snat_host": st.sampled_from(HOSTS),
    "floating": st.dictionaries(_names, st.booleans()),
    "moving": st.dictionaries(_names, st.sampled_from(HOSTS), max_size=2),
    "roaming": st.dictionaries(_names, st.sampled_from(HOSTS), max_size=2),
}
sites = st.fixed_dictionaries({**_parts, "instances": st.dictionaries(_names, _places)})
edits = st.tuples(
    st.dictionaries(_names, st.none() | _places, max_size=2),
    st.tuples(sites, st.lists(st.sampled_from(list(_parts)), max_size=2)),
)


def edited(site: Site, edit: Any) -> Site:
    """A site after an edit: instances come, go or move, and parts of it become another site's."""
    instances, (other, parts) = edit
    placed = {**site["instances"], **instances}
    return {
        **site,
        **{part: other[part] for part in parts},
        "instances": {name: location for name, location in placed.items() if location},
    }


def topology(site: Site) -> Topology:
    """The topology that a site is."""
    document = {
        "underlay": {"tunnel_type": site["tunnel_type"]},
        "hosts": {
            name: _host(site, at, offset)
            for at, (name, offset) in enumerate(zip(HOSTS, site["addresses"], strict=True))
            if name == _there(site, name)
        },
        "networks": {
            **{
                name: _network(site, at, 100 * at + vni)
                for at, (name, vni) in enumerate(zip(NETWORKS, site["vnis"], strict=True))
            },
            **{name: _external(at) for at, name in enumerate(EXTERNAL)},
        },
        "instances": {
            f"vm-{instance}": {
                **_host_of(site, instance, host),
                "ports": [_card(site, 2 * instance + at, on) for at, on in enumerate(networks)],
            }
            for instance, (host, networks) in site["instances"].items()
        },
        "routers": {
            f"router-{number}": _router(site, number)
            for number, joins in enumerate(site["routers"])
            if joins
        },
        "floating_ips": dict(_floating_ips(site)),
    }
    # Some are still where they were, as while they move.
    moving = {
        f"vm-{name}": _there(site, host)
        for name, host in site["moving"].items()
        if name in site["instances"] and name not in site["roaming"]
    }
    roaming = {
        f"vm-{name}": _there(site, host)
        for name, host in site["roaming"].items()
        if name in site["instances"]
    }
    placement = Placement(moving, roaming=roaming)
    return Declaration(yaml.safe_dump(document), "t.yaml").placed(placement)


def _host_of(site: Site, instance: int, host: str) -> dict[str, Any]:
    """Some are where others plug them in."""
    return {"plugged": True} if instance in site["roaming"] else {"host": _there(site, host)}


def _there(site: Site, host: str) -> str:
    """The host; another, if it is the last one and the site is without."""
    return HOSTS[2] if host == HOSTS[3] and not site["has_last_host"] else host


def _host(site: Site, at: int, offset: int) -> dict[str, Any]:
    """The first has numbers of its own choice, perhaps."""
    document: dict[str, Any] = {"address": f"10.0.{offset}.{10 + at}", "snat": True}
    if site["dvr_macs"][at]:
        document["dvr_mac"] = f"fa:16:3f:00:00:0{at}"
    if at == 0 and site["tags"]:
        document["local_vlans"] = {NETWORKS[0]: site["tags"]}
    if at == 0 and site["tunnel_port"]:
        document["tunnel_ports"] = {HOSTS[1]: site["tunnel_port"]}
    return document


def _network(site: Site, at: int, vni: int) -> dict[str, Any]:
    subnets: list[dict[str, Any]] = [
        {"cidr": cidr.format(at), "dhcp": bool(site["dhcp"])} for cidr in SUBNETS
    ]
    gateway = site["gateways"][at]
    if gateway:
        first = SUBNETS[0].format(at).removesuffix("0/24")
        subnets[0]["gateway_ip"] = gateway if gateway == "none" else f"{first}{gateway}"
    return {"vni": vni, "subnets": subnets, **({"dhcp": site["dhcp"]} if site["dhcp"] else {})}


def _external(at: int) -> dict[str, Any]:
    external = {"external": True, "vni": 900 + at, "subnets": [{"cidr": f"2.2.{at}.0/24"}]}
    return external if at else {**external, "gateway_host": HOSTS[1]}


def _card(site: Site, card: int, network: int) -> dict[str, Any]:
    cidrs = [SUBNETS[which].format(network) for which in site["fixed_ips"][card]]
    shared = [{**pair, "ip": pair["ip"].format(network)} for pair in site["pairs"][card]]
    return {
        **({"mac": f"fa:16:3e:00:00:{card:02x}"} if site["macs"][card] else {}),
        "network": NETWORKS[network],
        "ips": [f"{cidr.removesuffix('0/24')}{10 + card}" for cidr in cidrs],
        "allowed_address_pairs": shared,
    }


def _router(site: Site, number: int) -> dict[str, Any]:
    """The first leads out, if any does; each has routes by the addresses that the other has, if it
    is there.
    """
    spots = sorted(site["routers"][number])
    hops = [_interface(spot, 1 - number)["ip"] for spot in spots] if site["routes"] else []
    document: dict[str, Any] = {
        "interfaces": [_interface(spot, number) for spot in spots],
        "routes": [
            {"destination": f"10.{at}.0.0/16", "nexthop": hop} for at, hop in enumerate(hops)
        ],
    }
    if site["external"] and number == 0:
        document |= {
            "external_network": site["external"],
            "snat_host": _there(site, site["snat_host"]),
        }
    return document


def _interface(spot: tuple[int, int], router: int) -> dict[str, Any]:
    network, subnet = spot
    cidr = SUBNETS[subnet].format(network)
    ip = f"{cidr.removesuffix('0/24')}{1 + 252 * router}"
    return {"network": NETWORKS[network], "subnet": cidr, "ip": ip}


def _floating_ips(site: Site) -> Any:
    """Those of the external network to which the first router leads."""
    for name, central in site["floating"].items() if site["external"] else ():
        if name in site["instances"]:
            spot = site["instances"][name][1][0], site["fixed_ips"][2 * name][0]
            if spot in site["routers"][0]:
                ip = f"2.2.{EXTERNAL.index(site['external'])}.{100 + name}"
                document = {
                    "network": site["external"],
                    "instance": f"vm-{name}",
                    "central": central,
                }
                yield ip, document
