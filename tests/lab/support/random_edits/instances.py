"""Random edits of instances and their NICs."""

from __future__ import annotations

from random import Random

from tests.lab.support.random_edits.document import (
    EXTERNAL,
    FLOATING,
    INSTANCES,
    Document,
    drop_instances,
    missing_name,
    other_name,
    random_address,
    random_mac,
    tenant_networks,
    unbound,
)


def create_instance(document: Document, random: Random) -> str | None:
    name = missing_name(random, INSTANCES, document["instances"])
    if name is None:
        return None
    network = random.choice(tenant_networks(document))
    instance = {"host": random.choice(sorted(document["hosts"])), "network": network}
    if random.random() < 0.5:
        instance["ip"] = random_address(document, network, random)
    document["instances"][name] = instance
    if random.random() < 0.3 and (
        floating := missing_name(random, FLOATING, document["floating_ips"])
    ):
        document["floating_ips"][floating] = {**unbound(floating), "instance": name}
    return f"create {name}: {instance}"


def delete_instance(document: Document, random: Random) -> str | None:
    name = other_name(random, document["instances"])
    if name is not None:
        drop_instances(document, {name})
    return name and f"delete {name}"


def move_instance(document: Document, random: Random) -> str | None:
    name = other_name(random, document["instances"])
    if name is None:
        return None
    document["instances"][name]["host"] = host = random.choice(sorted(document["hosts"]))
    return f"move {name} to {host}"


def readdress_instance(document: Document, random: Random) -> str | None:
    name = other_name(random, document["instances"])
    if name is None or "ports" in document["instances"][name]:
        return None
    instance = document["instances"][name]
    kind = random.choice(("ip", "mac", "pair"))
    if kind == "ip":
        instance["ip"] = random_address(document, instance["network"], random)
    elif kind == "mac":
        instance["mac"] = random_mac(random)
    else:
        shared = {"ip": random_address(document, instance["network"], random)}
        instance["allowed_address_pairs"] = [shared] if random.random() < 0.7 else []
    return f"{name}: {kind}, {instance}"


def replug_instance(document: Document, random: Random) -> str | None:
    """Put an instance on another network, which makes it almost another instance."""
    name = other_name(random, document["instances"])
    if name is None:
        return None
    network = random.choice(tenant_networks(document))
    document["instances"][name] = {"host": document["instances"][name]["host"], "network": network}
    return f"{name} to network {network}"


def give_second_nic(document: Document, random: Random) -> str | None:
    name = other_name(random, document["instances"])
    if name is None:
        return None
    first, second = random.sample(tenant_networks(document), 2)
    host = document["instances"][name]["host"]
    document["instances"][name] = {"host": host, "ports": [{"network": first}, {"network": second}]}
    return f"{name} with NICs in {first} and {second}"


def bind_twice(document: Document, random: Random) -> str | None:
    """Give an instance a NIC behind a router of each external network, and their floating IPs."""
    name = other_name(random, document["instances"])
    if name is None:
        return None
    drop_instances(document, {name})
    host, nics = random.choice(sorted(document["hosts"])), []
    for external, start in EXTERNAL.items():
        network = random.choice(_behind(document, external))
        nics.append({"network": network, "ip": random_address(document, network, random)})
        floating = random.choice([each for each in FLOATING if each.startswith(start)])
        fixed = {"instance": name, "fixed_ip": nics[-1]["ip"], "central": random.random() < 0.3}
        document["floating_ips"][floating] = {**unbound(floating), **fixed}
    document["instances"][name] = {"host": host, "ports": nics}
    return f"bind {name} on {host} twice: {nics}"


def _behind(document: Document, external: str) -> list[str]:
    """The networks whose routers have a gateway in an external network."""
    routers = [
        its for its in document["routers"].values() if its.get("external_network") == external
    ]
    return sorted({each["network"] for its in routers for each in its["interfaces"]})


def take_second_nic(document: Document, random: Random) -> str | None:
    several = {name: its for name, its in document["instances"].items() if "ports" in its}
    name = other_name(random, several)
    if name is not None:
        document["instances"][name] = {"host": several[name]["host"], **several[name]["ports"][0]}
    return name and f"{name} with its first NIC only"


def edit_instance_dhcp(document: Document, random: Random) -> str | None:
    name = other_name(random, document["instances"])
    if name is None:
        return None
    document["instances"][name]["dhcp_options"] = {"domain-name": random.choice("abc")}
    return f"options of {name}: {document['instances'][name]}"
