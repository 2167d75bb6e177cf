"""Random edits of hosts."""

from __future__ import annotations

from random import Random

from tests.lab.support.random_edits.document import (
    HOSTS,
    INSTANCES,
    Document,
    drop_instances,
    missing_name,
    other_name,
    tenant_networks,
)


def add_host(document: Document, random: Random) -> str | None:
    name = missing_name(random, HOSTS, document["hosts"])
    if name is None:
        return None
    document["hosts"][name] = dict(HOSTS[name])
    document["removed_hosts"] = [each for each in document.get("removed_hosts", ()) if each != name]
    if (moves := other_name(random, document["instances"])) is not None and random.random() < 0.5:
        document["instances"][moves]["host"] = name
        return f"add host {name}, and move {moves} there"
    instance = missing_name(random, INSTANCES, document["instances"])
    if instance is not None:
        network = random.choice(tenant_networks(document))
        document["instances"][instance] = {"host": name, "network": network}
    return f"add host {name} with {instance}"


def remove_host(document: Document, random: Random) -> str | None:
    name = other_name(random, document["hosts"])
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
        drop_instances(document, there)
    for router in document["routers"].values():
        if router.get("snat_host") == name:
            del router["snat_host"]
    for network in document["networks"].values():
        if network.get("dhcp_host") == name:
            del network["dhcp_host"]
    return f"remove host {name} {'without' if move else 'with'} {sorted(there)}"


def edit_host(document: Document, random: Random) -> str | None:
    name = other_name(random, document["hosts"])
    if name is None:
        return None
    host = document["hosts"][name]
    if random.random() < 0.5:
        host["dvr_mac"] = f"fa:16:3f:00:00:{random.randrange(256):02x}"
        return f"host {name}: dvr_mac {host['dvr_mac']}"
    host["snat"] = not host.get("snat", False)
    return f"host {name}: snat {host['snat']}"
