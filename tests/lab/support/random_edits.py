"""A topology of three hosts, and random edits of it: whatever a person may do to the file.

The keepers (instances p, q, s and t, their networks and routers) are never edited, save that their
routers' SNAT moves, so that pings among them must not notice. Whether an edit makes a right file is
judged by the file's own checks.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from random import Random
from typing import Any, TypeAlias

import yaml

from dvr_ryu.errors import FileError
from dvr_ryu.topology.loading import parse_topology

Document: TypeAlias = "dict[str, Any]"
Edit: TypeAlias = Callable[[Document, Random], "str | None"]
"""Changes words and says what it did; None if there is nothing to do it to."""

START = """
controller: tcp:10.0.0.9:6653
underlay: {cidr: 10.0.0.0/24}
hosts:
  h1: {address: 10.0.0.1, snat: true}
  h2: {address: 10.0.0.2}
  h3: {address: 10.0.0.3}
networks:
  n: {vni: 5, subnets: [{cidr: 10.1.0.0/24}], dhcp_host: h1}
  m: {vni: 6, subnets: [{cidr: 10.2.0.0/24, dhcp: false}]}
  o: {vni: 8, subnets: [{cidr: 10.3.0.0/24}], dhcp_host: h2}
  x: {vni: 7, external: true, subnets: [{cidr: 2.2.2.0/24}], gateway_host: h1}
  y: {vni: 9, external: true, subnets: [{cidr: 3.3.3.0/24}], gateway_host: h2}
routers:
  r: {interfaces: [{network: n}, {network: m}], external_network: x}
  e: {interfaces: [{network: o}], external_network: y}
instances:
  p: {host: h1, network: n, ip: 10.1.0.11}
  s: {host: h2, network: n, ip: 10.1.0.12}
  q: {host: h2, network: m, ip: 10.2.0.13}
  t: {host: h1, network: o, ip: 10.3.0.14}
  v1: {host: h2, network: n}
floating_ips:
  2.2.2.101: {network: x, instance: q}
  3.3.3.101: {network: y, instance: t}
"""
KEEPERS = {*"pqst", *"nmoxy", *"re", "h1", "h2", "2.2.2.101", "3.3.3.101"}
EXTERNAL = {"x": "2.2.2", "y": "3.3.3"}
"""How the addresses of external networks begin."""
INSTANCES = [f"v{number}" for number in range(1, 7)]
NETWORKS = [f"k{number}" for number in range(1, 4)]
ROUTERS = [f"r{number}" for number in range(1, 3)]
FLOATING = [f"{start}.{number}" for start in EXTERNAL.values() for number in range(110, 113)]
HOSTS = {"h3": {"address": "10.0.0.3"}, "h4": {"address": "10.0.0.4"}}


def start() -> Document:
    document: Document = yaml.safe_load(START)
    return document


def yaml_of(document: Document) -> str:
    return str(yaml.safe_dump(document, sort_keys=False))


def edited(document: Document, random: Random) -> tuple[str, Document]:
    """What one random edit does, in words for a person, and what it makes of the topology."""
    while True:
        after = copy.deepcopy(document)
        did = random.choice(EDITS)(after, random)
        if did is None or after == document:
            continue
        try:
            parse_topology(yaml_of(after), "edited.yaml")
        except FileError:
            continue
        return did, after


def _some(random: Random, names: Any) -> str | None:
    """One of the names that are nobody's keepers."""
    others = sorted(set(names) - KEEPERS)
    return random.choice(others) if others else None


def _missing(random: Random, pool: Any, present: Any) -> str | None:
    absent = sorted(set(pool) - set(present))
    return random.choice(absent) if absent else None


def _tenants(document: Document) -> list[str]:
    """The networks that instances can be on."""
    return sorted(document["networks"].keys() - EXTERNAL)


def _external(floating: str) -> str:
    return next(name for name, start in EXTERNAL.items() if floating.startswith(start))


def _unbound(floating: str) -> Document:
    return {"network": _external(floating)}


def _address(document: Document, network: str, random: Random) -> str:
    cidr = document["networks"][network]["subnets"][0]["cidr"]
    return f"{cidr.rpartition('.')[0]}.{random.randrange(20, 250)}"


def _mac(random: Random) -> str:
    return f"fa:16:3e:77:{random.randrange(256):02x}:{random.randrange(256):02x}"


# Instances ----------------------------------------------------------------------------------------


def create_instance(document: Document, random: Random) -> str | None:
    name = _missing(random, INSTANCES, document["instances"])
    if name is None:
        return None
    network = random.choice(_tenants(document))
    instance = {"host": random.choice(sorted(document["hosts"])), "network": network}
    if random.random() < 0.5:
        instance["ip"] = _address(document, network, random)
    document["instances"][name] = instance
    if random.random() < 0.3 and (floating := _missing(random, FLOATING, document["floating_ips"])):
        document["floating_ips"][floating] = {**_unbound(floating), "instance": name}
    return f"create {name}: {instance}"


def delete_instance(document: Document, random: Random) -> str | None:
    name = _some(random, document["instances"])
    if name is not None:
        _drop_instances(document, {name})
    return name and f"delete {name}"


def _drop_instances(document: Document, names: set[str]) -> None:
    for name in names:
        del document["instances"][name]
    for ip, floating in document["floating_ips"].items():
        forwardings = floating.get("port_forwardings", ())
        if floating.get("instance") in names:
            document["floating_ips"][ip] = _unbound(ip)
        elif any(each["instance"] in names for each in forwardings):
            left = [each for each in forwardings if each["instance"] not in names]
            floating["port_forwardings"] = left


def move_instance(document: Document, random: Random) -> str | None:
    name = _some(random, document["instances"])
    if name is None:
        return None
    document["instances"][name]["host"] = host = random.choice(sorted(document["hosts"]))
    return f"move {name} to {host}"


def readdress_instance(document: Document, random: Random) -> str | None:
    name = _some(random, document["instances"])
    if name is None or "ports" in document["instances"][name]:
        return None
    instance = document["instances"][name]
    kind = random.choice(("ip", "mac", "pair"))
    if kind == "ip":
        instance["ip"] = _address(document, instance["network"], random)
    elif kind == "mac":
        instance["mac"] = _mac(random)
    else:
        shared = {"ip": _address(document, instance["network"], random)}
        instance["allowed_address_pairs"] = [shared] if random.random() < 0.7 else []
    return f"{name}: {kind}, {instance}"


def replug_instance(document: Document, random: Random) -> str | None:
    """On another network: hardly the same instance any more."""
    name = _some(random, document["instances"])
    if name is None:
        return None
    network = random.choice(_tenants(document))
    document["instances"][name] = {"host": document["instances"][name]["host"], "network": network}
    return f"{name} to network {network}"


def give_second_card(document: Document, random: Random) -> str | None:
    name = _some(random, document["instances"])
    if name is None:
        return None
    first, second = random.sample(_tenants(document), 2)
    host = document["instances"][name]["host"]
    document["instances"][name] = {"host": host, "ports": [{"network": first}, {"network": second}]}
    return f"{name} with cards in {first} and {second}"


def bind_twice(document: Document, random: Random) -> str | None:
    """A card behind a router of each external network, and a floating address of each."""
    name = _some(random, document["instances"])
    if name is None:
        return None
    _drop_instances(document, {name})
    host, cards = random.choice(sorted(document["hosts"])), []
    for external, start in EXTERNAL.items():
        network = random.choice(_behind(document, external))
        cards.append({"network": network, "ip": _address(document, network, random)})
        floating = random.choice([each for each in FLOATING if each.startswith(start)])
        fixed = {"instance": name, "fixed_ip": cards[-1]["ip"], "central": random.random() < 0.3}
        document["floating_ips"][floating] = {**_unbound(floating), **fixed}
    document["instances"][name] = {"host": host, "ports": cards}
    return f"bind {name} on {host} twice: {cards}"


def _behind(document: Document, external: str) -> list[str]:
    """The networks that have a way to an external one."""
    routers = [
        its for its in document["routers"].values() if its.get("external_network") == external
    ]
    return sorted({each["network"] for its in routers for each in its["interfaces"]})


def take_second_card(document: Document, random: Random) -> str | None:
    several = {name: its for name, its in document["instances"].items() if "ports" in its}
    name = _some(random, several)
    if name is not None:
        document["instances"][name] = {"host": several[name]["host"], **several[name]["ports"][0]}
    return name and f"{name} with its first card only"


# Networks and routers -----------------------------------------------------------------------------


def add_network(document: Document, random: Random) -> str | None:
    name = _missing(random, NETWORKS, document["networks"])
    if name is None:
        return None
    subnet = {"cidr": f"10.10{name[1]}.0.0/24", "dhcp": random.random() < 0.6}
    document["networks"][name] = {"subnets": [subnet]}
    instance = _missing(random, INSTANCES, document["instances"])
    if instance is not None:
        host = random.choice(sorted(document["hosts"]))
        document["instances"][instance] = {"host": host, "network": name}
    return f"add network {name}: {subnet}, with {instance}"


def remove_network(document: Document, random: Random) -> str | None:
    name = _some(random, document["networks"])
    if name is None:
        return None
    del document["networks"][name]
    there = {
        each
        for each, its in document["instances"].items()
        if name in {card["network"] for card in its.get("ports", [its])}
    }
    _drop_instances(document, there)
    for router in list(document["routers"]):
        _keep_interfaces(document, router, lambda each: each["network"] != name)
    return f"remove network {name} with {sorted(there)}"


def _keep_interfaces(document: Document, router: str, keeps: Callable[[Document], bool]) -> None:
    its = document["routers"][router]
    its["interfaces"] = [each for each in its["interfaces"] if keeps(each)]
    its.pop("routes", None)  # a next hop may be lost
    if not its["interfaces"]:
        del document["routers"][router]


def edit_network(document: Document, random: Random) -> str | None:
    name = _some(random, document["networks"])
    if name is None:
        return None
    network = document["networks"][name]
    subnet = network["subnets"][0]
    kind = random.choice(("vni", "dhcp", "dns", "dhcp_host", "way", "subnet"))
    if kind == "vni":
        network["vni"] = random.randrange(100, 200)
    elif kind == "dhcp":
        subnet["dhcp"] = not subnet["dhcp"]
    elif kind == "dns":
        subnet["dns"] = [f"9.9.9.{random.randrange(1, 200)}"]
    elif kind == "way":
        network["dhcp"] = "distributed" if network.get("dhcp") != "distributed" else "central"
    elif kind == "subnet":
        network["subnets"][1:] = (
            [{"cidr": f"10.11{name[1]}.0.0/24"}] if len(network["subnets"]) < 2 else []
        )
    else:
        network["dhcp_host"] = random.choice(sorted(document["hosts"]))
    return f"network {name}: {kind} of {network}"


def edit_dhcp(document: Document, random: Random) -> str | None:
    name = _some(random, document["networks"])
    if name is None:
        return None
    network = document["networks"][name]
    subnet = network["subnets"][0]
    start = subnet["cidr"].rpartition(".")[0]
    kind = random.choice(("dhcp", "dhcp_options", "dhcp_ranges", "host_routes", "gateway_ip"))
    if kind == "dhcp":
        network["dhcp"] = random.choice(("central", "distributed"))
        network.pop("dhcp_host", None)
        subnet.pop("dhcp_ranges", None)
    elif kind == "dhcp_options":
        subnet[kind] = {"domain-name": random.choice("abc"), "224": random.randrange(1000)}
    elif kind == "dhcp_ranges":
        hosts = [{"host": host} for host in document["hosts"]] if "dhcp" in network else [{}]
        ends = {"start": f"{start}.100", "end": f"{start}.{random.randrange(100, 120)}"}
        subnet[kind] = [{**ends, **random.choice(hosts)}]
    elif kind == "host_routes":
        nexthop = f"{start}.{random.randrange(1, 9)}"
        subnet[kind] = [{"destination": "10.99.0.0/24", "nexthop": nexthop}]
    else:
        subnet[kind] = random.choice((f"{start}.1", "none"))
    return f"DHCP of {name}: {kind} of {network}"


def edit_instance_dhcp(document: Document, random: Random) -> str | None:
    name = _some(random, document["instances"])
    if name is None:
        return None
    document["instances"][name]["dhcp_options"] = {"domain-name": random.choice("abc")}
    return f"options of {name}: {document['instances'][name]}"


def add_router(document: Document, random: Random) -> str | None:
    name = _missing(random, ROUTERS, document["routers"])
    others = sorted(set(document["networks"]) - KEEPERS)
    if name is None or not others:
        return None
    joined = random.sample(others, random.randint(1, len(others)))
    document["routers"][name] = {"interfaces": [{"network": each} for each in sorted(joined)]}
    if random.random() < 0.5:
        document["routers"][name]["external_network"] = random.choice(sorted(EXTERNAL))
    return f"add router {name}: {document['routers'][name]}"


def remove_router(document: Document, random: Random) -> str | None:
    name = _some(random, document["routers"])
    if name is not None:
        del document["routers"][name]
    return name and f"remove router {name}"


def edit_router(document: Document, random: Random) -> str | None:
    name = _some(random, document["routers"])
    if name is None:
        return None
    router = document["routers"][name]
    kind = random.choice(("external", "join", "leave", "mac", "routes", "routes"))
    if kind == "external" and router.pop("external_network", None) is None:
        router["external_network"] = random.choice(sorted(EXTERNAL))
    elif kind == "join":
        joined = {each["network"] for each in router["interfaces"]}
        if (network := _some(random, set(document["networks"]) - joined)) is not None:
            router["interfaces"].append({"network": network})
    elif kind == "leave":
        network = random.choice(router["interfaces"])["network"]
        _keep_interfaces(document, name, lambda each: each["network"] != network)
    elif kind == "mac":
        random.choice(router["interfaces"])["mac"] = _mac(random)
    elif kind == "routes":
        network = random.choice(router["interfaces"])["network"]
        destination = f"172.16.{random.randrange(4)}.0/{random.choice((24, 32))}"
        route = {"destination": destination, "nexthop": _address(document, network, random)}
        router["routes"] = [route, *router.get("routes", [])][: random.randrange(3)]
    return f"router {name}: {kind}, {document['routers'].get(name)}"


def change_external(document: Document, random: Random) -> str | None:
    """To the other external network; who had an address of the one has one of the other."""
    name = _some(random, document["routers"])
    router = document["routers"].get(name, {})
    before = router.get("external_network")
    if before is None:
        return None
    router["external_network"] = after = next(each for each in EXTERNAL if each != before)
    joined = {each["network"] for each in router["interfaces"]}
    for floating, its in list(document["floating_ips"].items()):
        card = document["instances"].get(its.get("instance"), {})
        other = EXTERNAL[after] + floating[len(EXTERNAL[before]) :]
        if card.get("network") in joined and its["network"] == before and floating in FLOATING:
            document["floating_ips"][other] = {**its, "network": after}
            document["floating_ips"][floating] = _unbound(floating)
    return f"router {name}: from {before} to {after}, {document['floating_ips']}"


def move_snat(document: Document, random: Random) -> str | None:
    name = random.choice(sorted(document["routers"]))
    document["routers"][name]["snat_host"] = host = random.choice(sorted(document["hosts"]))
    return f"SNAT of {name} on {host}"


# Floating addresses -------------------------------------------------------------------------------


def bind_floating(document: Document, random: Random) -> str | None:
    """Bound anew, or moved to another instance, or from its host to the router's SNAT host."""
    instance = _some(random, document["instances"])
    if instance is None:
        return None
    floating, central = random.choice(FLOATING), random.random() < 0.4
    bound = {"instance": instance, "central": central}
    document["floating_ips"][floating] = {**_unbound(floating), **bound}
    return f"bind {floating} to {instance}, central: {central}"


def forward_ports(document: Document, random: Random) -> str | None:
    """Instead of those that are forwarded, or besides them."""
    instance = _some(random, document["instances"])
    if instance is None:
        return None
    floating, first = random.choice(FLOATING), random.randrange(1, 1000)
    forwarding = {
        "protocol": random.choice(("tcp", "udp")),
        "external_port": f"{first}-{first + random.randrange(9)}",
        "instance": instance,
        "internal_port": random.randrange(1, 1000),
    }
    before = document["floating_ips"].get(floating, {}).get("port_forwardings", [])
    besides = before if random.random() < 0.5 else []
    forwardings = {"port_forwardings": [*besides, forwarding]}
    document["floating_ips"][floating] = {**_unbound(floating), **forwardings}
    return f"forward {floating}: {forwarding}"


def centralise_floating(document: Document, random: Random) -> str | None:
    floating = _some(random, document["floating_ips"])
    if floating is None or "instance" not in document["floating_ips"][floating]:
        return None
    its = document["floating_ips"][floating]
    its["central"] = not its.get("central", False)
    return f"{floating}: central {its['central']}"


def forward_port(document: Document, random: Random) -> str | None:
    instance = _some(random, document["instances"])
    if instance is None:
        return None
    floating = random.choice(FLOATING)
    forwarding = {"protocol": "tcp", "external_port": random.randrange(8000, 8100)}
    forwardings = {"port_forwardings": [{**forwarding, "instance": instance}]}
    document["floating_ips"][floating] = {**_unbound(floating), **forwardings}
    return f"forward {floating} to {instance}: {forwarding}"


def unbind_floating(document: Document, random: Random) -> str | None:
    floating = _some(random, document["floating_ips"])
    if floating is None:
        return None
    if random.random() < 0.5:
        document["floating_ips"][floating] = _unbound(floating)
        return f"unbind {floating}"
    del document["floating_ips"][floating]
    return f"remove {floating}"


# Hosts --------------------------------------------------------------------------------------------


def add_host(document: Document, random: Random) -> str | None:
    name = _missing(random, HOSTS, document["hosts"])
    if name is None:
        return None
    document["hosts"][name] = dict(HOSTS[name])
    document["removed_hosts"] = [each for each in document.get("removed_hosts", ()) if each != name]
    if (moves := _some(random, document["instances"])) is not None and random.random() < 0.5:
        document["instances"][moves]["host"] = name
        return f"add host {name}, and move {moves} there"
    instance = _missing(random, INSTANCES, document["instances"])
    if instance is not None:
        network = random.choice(_tenants(document))
        document["instances"][instance] = {"host": name, "network": network}
    return f"add host {name} with {instance}"


def remove_host(document: Document, random: Random) -> str | None:
    name = _some(random, document["hosts"])
    if name is None:
        return None
    del document["hosts"][name]
    document["removed_hosts"] = [*document.get("removed_hosts", ()), name]
    there = {each for each, its in document["instances"].items() if its["host"] == name}
    move = random.random() < 0.5
    if move:
        for each in sorted(there):
            document["instances"][each]["host"] = random.choice(sorted(document["hosts"]))
    else:
        _drop_instances(document, there)
    for router in document["routers"].values():
        if router.get("snat_host") == name:
            del router["snat_host"]
    for network in document["networks"].values():
        if network.get("dhcp_host") == name:
            del network["dhcp_host"]
    return f"remove host {name} {'without' if move else 'with'} {sorted(there)}"


def edit_host(document: Document, random: Random) -> str | None:
    name = _some(random, document["hosts"])
    if name is None:
        return None
    host = document["hosts"][name]
    if random.random() < 0.5:
        host["dvr_mac"] = f"fa:16:3f:00:00:{random.randrange(256):02x}"
        return f"host {name}: dvr_mac {host['dvr_mac']}"
    host["snat"] = not host.get("snat", False)
    return f"host {name}: snat {host['snat']}"


EDITS: list[Edit] = [
    create_instance,
    create_instance,
    delete_instance,
    move_instance,
    move_instance,
    move_instance,
    readdress_instance,
    replug_instance,
    give_second_card,
    take_second_card,
    bind_twice,
    bind_twice,
    add_network,
    add_network,
    remove_network,
    edit_network,
    edit_dhcp,
    edit_dhcp,
    edit_instance_dhcp,
    add_router,
    add_router,
    remove_router,
    edit_router,
    change_external,
    change_external,
    move_snat,
    bind_floating,
    bind_floating,
    forward_ports,
    centralise_floating,
    forward_port,
    unbind_floating,
    add_host,
    remove_host,
    edit_host,
]
