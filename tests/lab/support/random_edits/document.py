"""The topology that random edits start from, as plain data, and helpers of the edits.

No edit changes the keepers, which are the instances p, q, s and t, their networks and their
routers; only the SNAT of their routers may move. So no edit may disturb pings among them.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, TypeAlias

import yaml

Document: TypeAlias = "dict[str, Any]"
Edit: TypeAlias = Callable[[Document, Random], "str | None"]
"""Changes a document and returns a description; returns None if it cannot change anything."""

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
"""External network → the start of its addresses."""
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


def other_name(random: Random, names: Any) -> str | None:
    """One of the names that are not keepers."""
    editable = sorted(set(names) - KEEPERS)
    return random.choice(editable) if editable else None


def missing_name(random: Random, pool: Any, present: Any) -> str | None:
    absent = sorted(set(pool) - set(present))
    return random.choice(absent) if absent else None


def tenant_networks(document: Document) -> list[str]:
    """The networks that are not external."""
    return sorted(document["networks"].keys() - EXTERNAL)


def external_of(floating: str) -> str:
    return next(name for name, start in EXTERNAL.items() if floating.startswith(start))


def unbound(floating: str) -> Document:
    return {"network": external_of(floating)}


def random_address(document: Document, network: str, random: Random) -> str:
    cidr = document["networks"][network]["subnets"][0]["cidr"]
    return f"{cidr.rpartition('.')[0]}.{random.randrange(20, 250)}"


def random_mac(random: Random) -> str:
    return f"fa:16:3e:77:{random.randrange(256):02x}:{random.randrange(256):02x}"


def drop_instances(document: Document, names: set[str]) -> None:
    for name in names:
        del document["instances"][name]
    for ip, floating in document["floating_ips"].items():
        forwardings = floating.get("port_forwardings", ())
        if floating.get("instance") in names:
            document["floating_ips"][ip] = unbound(ip)
        elif any(each["instance"] in names for each in forwardings):
            remaining = [each for each in forwardings if each["instance"] not in names]
            floating["port_forwardings"] = remaining


def keep_interfaces(document: Document, router: str, keeps: Callable[[Document], bool]) -> None:
    its = document["routers"][router]
    its["interfaces"] = [each for each in its["interfaces"] if keeps(each)]
    its.pop("routes", None)  # a next hop may be lost
    if not its["interfaces"]:
        del document["routers"][router]
