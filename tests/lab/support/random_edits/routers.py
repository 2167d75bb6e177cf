"""Random edits of routers."""

from __future__ import annotations

from random import Random

from tests.lab.support.random_edits.document import (
    EXTERNAL,
    FLOATING,
    KEEPERS,
    ROUTERS,
    Document,
    keep_interfaces,
    missing_name,
    other_name,
    random_address,
    random_mac,
    unbound,
)


def add_router(document: Document, random: Random) -> str | None:
    name = missing_name(random, ROUTERS, document["routers"])
    others = sorted(set(document["networks"]) - KEEPERS)
    if name is None or not others:
        return None
    joined = random.sample(others, random.randint(1, len(others)))
    document["routers"][name] = {"interfaces": [{"network": each} for each in sorted(joined)]}
    if random.random() < 0.5:
        document["routers"][name]["external_network"] = random.choice(sorted(EXTERNAL))
    return f"add router {name}: {document['routers'][name]}"


def remove_router(document: Document, random: Random) -> str | None:
    name = other_name(random, document["routers"])
    if name is not None:
        del document["routers"][name]
    return name and f"remove router {name}"


def edit_router(document: Document, random: Random) -> str | None:
    name = other_name(random, document["routers"])
    if name is None:
        return None
    router = document["routers"][name]
    kind = random.choice(("external", "join", "leave", "mac", "routes", "routes"))
    if kind == "external" and router.pop("external_network", None) is None:
        router["external_network"] = random.choice(sorted(EXTERNAL))
    elif kind == "join":
        joined = {each["network"] for each in router["interfaces"]}
        if (network := other_name(random, set(document["networks"]) - joined)) is not None:
            router["interfaces"].append({"network": network})
    elif kind == "leave":
        network = random.choice(router["interfaces"])["network"]
        keep_interfaces(document, name, lambda each: each["network"] != network)
    elif kind == "mac":
        random.choice(router["interfaces"])["mac"] = random_mac(random)
    elif kind == "routes":
        network = random.choice(router["interfaces"])["network"]
        destination = f"172.16.{random.randrange(4)}.0/{random.choice((24, 32))}"
        route = {"destination": destination, "nexthop": random_address(document, network, random)}
        router["routes"] = [route, *router.get("routes", [])][: random.randrange(3)]
    return f"router {name}: {kind}, {document['routers'].get(name)}"


def change_external(document: Document, random: Random) -> str | None:
    """Move a router to the other external network, and its floating addresses with it."""
    name = other_name(random, document["routers"])
    router = document["routers"].get(name, {})
    before = router.get("external_network")
    if before is None:
        return None
    router["external_network"] = after = next(each for each in EXTERNAL if each != before)
    joined = {each["network"] for each in router["interfaces"]}
    for floating, its in list(document["floating_ips"].items()):
        instance = document["instances"].get(its.get("instance"), {})
        other = EXTERNAL[after] + floating[len(EXTERNAL[before]) :]
        if instance.get("network") in joined and its["network"] == before and floating in FLOATING:
            document["floating_ips"][other] = {**its, "network": after}
            document["floating_ips"][floating] = unbound(floating)
    return f"router {name}: from {before} to {after}, {document['floating_ips']}"


def move_snat(document: Document, random: Random) -> str | None:
    name = random.choice(sorted(document["routers"]))
    document["routers"][name]["snat_host"] = host = random.choice(sorted(document["hosts"]))
    return f"SNAT of {name} on {host}"
