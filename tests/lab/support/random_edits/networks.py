"""Random edits of networks, their subnets and their DHCP."""

from __future__ import annotations

from random import Random

from tests.lab.support.random_edits.document import (
    INSTANCES,
    NETWORKS,
    Document,
    drop_instances,
    keep_interfaces,
    missing_name,
    other_name,
)


def add_network(document: Document, random: Random) -> str | None:
    name = missing_name(random, NETWORKS, document["networks"])
    if name is None:
        return None
    subnet = {"cidr": f"10.10{name[1]}.0.0/24", "dhcp": random.random() < 0.6}
    document["networks"][name] = {"subnets": [subnet]}
    instance = missing_name(random, INSTANCES, document["instances"])
    if instance is not None:
        host = random.choice(sorted(document["hosts"]))
        document["instances"][instance] = {"host": host, "network": name}
    return f"add network {name}: {subnet}, with {instance}"


def remove_network(document: Document, random: Random) -> str | None:
    name = other_name(random, document["networks"])
    if name is None:
        return None
    del document["networks"][name]
    there = {
        each
        for each, its in document["instances"].items()
        if name in {nic["network"] for nic in its.get("ports", [its])}
    }
    drop_instances(document, there)
    for router in list(document["routers"]):
        keep_interfaces(document, router, lambda each: each["network"] != name)
    return f"remove network {name} with {sorted(there)}"


def edit_network(document: Document, random: Random) -> str | None:
    name = other_name(random, document["networks"])
    if name is None:
        return None
    network = document["networks"][name]
    subnet = network["subnets"][0]
    kind = random.choice(("vni", "dhcp", "dns", "dhcp_host", "distribution", "subnet"))
    if kind == "vni":
        network["vni"] = random.randrange(100, 200)
    elif kind == "dhcp":
        subnet["dhcp"] = not subnet["dhcp"]
    elif kind == "dns":
        subnet["dns"] = [f"9.9.9.{random.randrange(1, 200)}"]
    elif kind == "distribution":
        network["dhcp"] = "distributed" if network.get("dhcp") != "distributed" else "central"
    elif kind == "subnet":
        network["subnets"][1:] = (
            [{"cidr": f"10.11{name[1]}.0.0/24"}] if len(network["subnets"]) < 2 else []
        )
    else:
        network["dhcp_host"] = random.choice(sorted(document["hosts"]))
    return f"network {name}: {kind} of {network}"


def edit_dhcp(document: Document, random: Random) -> str | None:
    name = other_name(random, document["networks"])
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
