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

Words: TypeAlias = "dict[str, Any]"
Edit: TypeAlias = Callable[[Words, Random], "str | None"]
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


def start() -> Words:
    words: Words = yaml.safe_load(START)
    return words


def text_of(words: Words) -> str:
    return str(yaml.safe_dump(words, sort_keys=False))


def edited(words: Words, random: Random) -> tuple[str, Words]:
    """What one random edit does, in words for a person, and what it makes of the topology."""
    while True:
        after = copy.deepcopy(words)
        did = random.choice(EDITS)(after, random)
        if did is None or after == words:
            continue
        try:
            parse_topology(text_of(after), "edited.yaml")
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


def _tenants(words: Words) -> list[str]:
    """The networks that instances can be on."""
    return sorted(words["networks"].keys() - EXTERNAL)


def _external(floating: str) -> str:
    return next(name for name, start in EXTERNAL.items() if floating.startswith(start))


def _unbound(floating: str) -> Words:
    return {"network": _external(floating)}


def _address(words: Words, network: str, random: Random) -> str:
    cidr = words["networks"][network]["subnets"][0]["cidr"]
    return f"{cidr.rpartition('.')[0]}.{random.randrange(20, 250)}"


def _mac(random: Random) -> str:
    return f"fa:16:3e:77:{random.randrange(256):02x}:{random.randrange(256):02x}"


# Instances ----------------------------------------------------------------------------------------


def create_instance(words: Words, random: Random) -> str | None:
    name = _missing(random, INSTANCES, words["instances"])
    if name is None:
        return None
    network = random.choice(_tenants(words))
    instance = {"host": random.choice(sorted(words["hosts"])), "network": network}
    if random.random() < 0.5:
        instance["ip"] = _address(words, network, random)
    words["instances"][name] = instance
    if random.random() < 0.3 and (floating := _missing(random, FLOATING, words["floating_ips"])):
        words["floating_ips"][floating] = {**_unbound(floating), "instance": name}
    return f"create {name}: {instance}"


def delete_instance(words: Words, random: Random) -> str | None:
    name = _some(random, words["instances"])
    if name is not None:
        _drop_instances(words, {name})
    return name and f"delete {name}"


def _drop_instances(words: Words, names: set[str]) -> None:
    for name in names:
        del words["instances"][name]
    for ip, floating in words["floating_ips"].items():
        forwardings = floating.get("port_forwardings", ())
        if floating.get("instance") in names:
            words["floating_ips"][ip] = _unbound(ip)
        elif any(each["instance"] in names for each in forwardings):
            left = [each for each in forwardings if each["instance"] not in names]
            floating["port_forwardings"] = left


def move_instance(words: Words, random: Random) -> str | None:
    name = _some(random, words["instances"])
    if name is None:
        return None
    words["instances"][name]["host"] = host = random.choice(sorted(words["hosts"]))
    return f"move {name} to {host}"


def readdress_instance(words: Words, random: Random) -> str | None:
    name = _some(random, words["instances"])
    if name is None or "ports" in words["instances"][name]:
        return None
    instance = words["instances"][name]
    kind = random.choice(("ip", "mac", "pair"))
    if kind == "ip":
        instance["ip"] = _address(words, instance["network"], random)
    elif kind == "mac":
        instance["mac"] = _mac(random)
    else:
        shared = {"ip": _address(words, instance["network"], random)}
        instance["allowed_address_pairs"] = [shared] if random.random() < 0.7 else []
    return f"{name}: {kind}, {instance}"


def replug_instance(words: Words, random: Random) -> str | None:
    """On another network: hardly the same instance any more."""
    name = _some(random, words["instances"])
    if name is None:
        return None
    network = random.choice(_tenants(words))
    words["instances"][name] = {"host": words["instances"][name]["host"], "network": network}
    return f"{name} to network {network}"


def give_second_card(words: Words, random: Random) -> str | None:
    name = _some(random, words["instances"])
    if name is None:
        return None
    first, second = random.sample(_tenants(words), 2)
    host = words["instances"][name]["host"]
    words["instances"][name] = {"host": host, "ports": [{"network": first}, {"network": second}]}
    return f"{name} with cards in {first} and {second}"


def bind_twice(words: Words, random: Random) -> str | None:
    """A card behind a router of each external network, and a floating address of each."""
    name = _some(random, words["instances"])
    if name is None:
        return None
    _drop_instances(words, {name})
    host, cards = random.choice(sorted(words["hosts"])), []
    for external, start in EXTERNAL.items():
        network = random.choice(_behind(words, external))
        cards.append({"network": network, "ip": _address(words, network, random)})
        floating = random.choice([each for each in FLOATING if each.startswith(start)])
        fixed = {"instance": name, "fixed_ip": cards[-1]["ip"], "central": random.random() < 0.3}
        words["floating_ips"][floating] = {**_unbound(floating), **fixed}
    words["instances"][name] = {"host": host, "ports": cards}
    return f"bind {name} on {host} twice: {cards}"


def _behind(words: Words, external: str) -> list[str]:
    """The networks that have a way to an external one."""
    routers = [its for its in words["routers"].values() if its.get("external_network") == external]
    return sorted({each["network"] for its in routers for each in its["interfaces"]})


def take_second_card(words: Words, random: Random) -> str | None:
    several = {name: its for name, its in words["instances"].items() if "ports" in its}
    name = _some(random, several)
    if name is not None:
        words["instances"][name] = {"host": several[name]["host"], **several[name]["ports"][0]}
    return name and f"{name} with its first card only"


# Networks and routers -----------------------------------------------------------------------------


def add_network(words: Words, random: Random) -> str | None:
    name = _missing(random, NETWORKS, words["networks"])
    if name is None:
        return None
    subnet = {"cidr": f"10.10{name[1]}.0.0/24", "dhcp": random.random() < 0.6}
    words["networks"][name] = {"subnets": [subnet]}
    instance = _missing(random, INSTANCES, words["instances"])
    if instance is not None:
        host = random.choice(sorted(words["hosts"]))
        words["instances"][instance] = {"host": host, "network": name}
    return f"add network {name}: {subnet}, with {instance}"


def remove_network(words: Words, random: Random) -> str | None:
    name = _some(random, words["networks"])
    if name is None:
        return None
    del words["networks"][name]
    there = {
        each
        for each, its in words["instances"].items()
        if name in {card["network"] for card in its.get("ports", [its])}
    }
    _drop_instances(words, there)
    for router in list(words["routers"]):
        _keep_interfaces(words, router, lambda each: each["network"] != name)
    return f"remove network {name} with {sorted(there)}"


def _keep_interfaces(words: Words, router: str, keeps: Callable[[Words], bool]) -> None:
    its = words["routers"][router]
    its["interfaces"] = [each for each in its["interfaces"] if keeps(each)]
    its.pop("routes", None)  # a next hop may be lost
    if not its["interfaces"]:
        del words["routers"][router]


def edit_network(words: Words, random: Random) -> str | None:
    name = _some(random, words["networks"])
    if name is None:
        return None
    network = words["networks"][name]
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
        network["dhcp_host"] = random.choice(sorted(words["hosts"]))
    return f"network {name}: {kind} of {network}"


def edit_dhcp(words: Words, random: Random) -> str | None:
    name = _some(random, words["networks"])
    if name is None:
        return None
    network = words["networks"][name]
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
        hosts = [{"host": host} for host in words["hosts"]] if "dhcp" in network else [{}]
        ends = {"start": f"{start}.100", "end": f"{start}.{random.randrange(100, 120)}"}
        subnet[kind] = [{**ends, **random.choice(hosts)}]
    elif kind == "host_routes":
        nexthop = f"{start}.{random.randrange(1, 9)}"
        subnet[kind] = [{"destination": "10.99.0.0/24", "nexthop": nexthop}]
    else:
        subnet[kind] = random.choice((f"{start}.1", "none"))
    return f"DHCP of {name}: {kind} of {network}"


def tell_instance(words: Words, random: Random) -> str | None:
    name = _some(random, words["instances"])
    if name is None:
        return None
    words["instances"][name]["dhcp_options"] = {"domain-name": random.choice("abc")}
    return f"options of {name}: {words['instances'][name]}"


def add_router(words: Words, random: Random) -> str | None:
    name = _missing(random, ROUTERS, words["routers"])
    others = sorted(set(words["networks"]) - KEEPERS)
    if name is None or not others:
        return None
    joined = random.sample(others, random.randint(1, len(others)))
    words["routers"][name] = {"interfaces": [{"network": each} for each in sorted(joined)]}
    if random.random() < 0.5:
        words["routers"][name]["external_network"] = random.choice(sorted(EXTERNAL))
    return f"add router {name}: {words['routers'][name]}"


def remove_router(words: Words, random: Random) -> str | None:
    name = _some(random, words["routers"])
    if name is not None:
        del words["routers"][name]
    return name and f"remove router {name}"


def edit_router(words: Words, random: Random) -> str | None:
    name = _some(random, words["routers"])
    if name is None:
        return None
    router = words["routers"][name]
    kind = random.choice(("external", "join", "leave", "mac", "routes", "routes"))
    if kind == "external" and router.pop("external_network", None) is None:
        router["external_network"] = random.choice(sorted(EXTERNAL))
    elif kind == "join":
        joined = {each["network"] for each in router["interfaces"]}
        if (network := _some(random, set(words["networks"]) - joined)) is not None:
            router["interfaces"].append({"network": network})
    elif kind == "leave":
        network = random.choice(router["interfaces"])["network"]
        _keep_interfaces(words, name, lambda each: each["network"] != network)
    elif kind == "mac":
        random.choice(router["interfaces"])["mac"] = _mac(random)
    elif kind == "routes":
        network = random.choice(router["interfaces"])["network"]
        destination = f"172.16.{random.randrange(4)}.0/{random.choice((24, 32))}"
        route = {"destination": destination, "nexthop": _address(words, network, random)}
        router["routes"] = [route, *router.get("routes", [])][: random.randrange(3)]
    return f"router {name}: {kind}, {words['routers'].get(name)}"


def change_external(words: Words, random: Random) -> str | None:
    """To the other external network; who had an address of the one has one of the other."""
    name = _some(random, words["routers"])
    router = words["routers"].get(name, {})
    before = router.get("external_network")
    if before is None:
        return None
    router["external_network"] = after = next(each for each in EXTERNAL if each != before)
    joined = {each["network"] for each in router["interfaces"]}
    for floating, its in list(words["floating_ips"].items()):
        card = words["instances"].get(its.get("instance"), {})
        other = EXTERNAL[after] + floating[len(EXTERNAL[before]) :]
        if card.get("network") in joined and its["network"] == before and floating in FLOATING:
            words["floating_ips"][other] = {**its, "network": after}
            words["floating_ips"][floating] = _unbound(floating)
    return f"router {name}: from {before} to {after}, {words['floating_ips']}"


def move_snat(words: Words, random: Random) -> str | None:
    name = random.choice(sorted(words["routers"]))
    words["routers"][name]["snat_host"] = host = random.choice(sorted(words["hosts"]))
    return f"SNAT of {name} on {host}"


# Floating addresses -------------------------------------------------------------------------------


def bind_floating(words: Words, random: Random) -> str | None:
    """Bound anew, or moved to another instance, or from its host to the router's SNAT host."""
    instance = _some(random, words["instances"])
    if instance is None:
        return None
    floating, central = random.choice(FLOATING), random.random() < 0.4
    bound = {"instance": instance, "central": central}
    words["floating_ips"][floating] = {**_unbound(floating), **bound}
    return f"bind {floating} to {instance}, central: {central}"


def forward_ports(words: Words, random: Random) -> str | None:
    """Instead of those that are forwarded, or besides them."""
    instance = _some(random, words["instances"])
    if instance is None:
        return None
    floating, first = random.choice(FLOATING), random.randrange(1, 1000)
    forwarding = {
        "protocol": random.choice(("tcp", "udp")),
        "external_port": f"{first}-{first + random.randrange(9)}",
        "instance": instance,
        "internal_port": random.randrange(1, 1000),
    }
    before = words["floating_ips"].get(floating, {}).get("port_forwardings", [])
    besides = before if random.random() < 0.5 else []
    forwardings = {"port_forwardings": [*besides, forwarding]}
    words["floating_ips"][floating] = {**_unbound(floating), **forwardings}
    return f"forward {floating}: {forwarding}"


def centralise_floating(words: Words, random: Random) -> str | None:
    floating = _some(random, words["floating_ips"])
    if floating is None or "instance" not in words["floating_ips"][floating]:
        return None
    its = words["floating_ips"][floating]
    its["central"] = not its.get("central", False)
    return f"{floating}: central {its['central']}"


def forward_port(words: Words, random: Random) -> str | None:
    instance = _some(random, words["instances"])
    if instance is None:
        return None
    floating = random.choice(FLOATING)
    forwarding = {"protocol": "tcp", "external_port": random.randrange(8000, 8100)}
    forwardings = {"port_forwardings": [{**forwarding, "instance": instance}]}
    words["floating_ips"][floating] = {**_unbound(floating), **forwardings}
    return f"forward {floating} to {instance}: {forwarding}"


def unbind_floating(words: Words, random: Random) -> str | None:
    floating = _some(random, words["floating_ips"])
    if floating is None:
        return None
    if random.random() < 0.5:
        words["floating_ips"][floating] = _unbound(floating)
        return f"unbind {floating}"
    del words["floating_ips"][floating]
    return f"remove {floating}"


# Hosts --------------------------------------------------------------------------------------------


def add_host(words: Words, random: Random) -> str | None:
    name = _missing(random, HOSTS, words["hosts"])
    if name is None:
        return None
    words["hosts"][name] = dict(HOSTS[name])
    words["removed_hosts"] = [each for each in words.get("removed_hosts", ()) if each != name]
    if (moves := _some(random, words["instances"])) is not None and random.random() < 0.5:
        words["instances"][moves]["host"] = name
        return f"add host {name}, and move {moves} there"
    instance = _missing(random, INSTANCES, words["instances"])
    if instance is not None:
        network = random.choice(_tenants(words))
        words["instances"][instance] = {"host": name, "network": network}
    return f"add host {name} with {instance}"


def remove_host(words: Words, random: Random) -> str | None:
    name = _some(random, words["hosts"])
    if name is None:
        return None
    del words["hosts"][name]
    words["removed_hosts"] = [*words.get("removed_hosts", ()), name]
    there = {each for each, its in words["instances"].items() if its["host"] == name}
    move = random.random() < 0.5
    if move:
        for each in sorted(there):
            words["instances"][each]["host"] = random.choice(sorted(words["hosts"]))
    else:
        _drop_instances(words, there)
    for router in words["routers"].values():
        if router.get("snat_host") == name:
            del router["snat_host"]
    for network in words["networks"].values():
        if network.get("dhcp_host") == name:
            del network["dhcp_host"]
    return f"remove host {name} {'without' if move else 'with'} {sorted(there)}"


def edit_host(words: Words, random: Random) -> str | None:
    name = _some(random, words["hosts"])
    if name is None:
        return None
    host = words["hosts"][name]
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
    tell_instance,
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
