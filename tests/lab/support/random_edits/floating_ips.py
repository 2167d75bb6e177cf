"""Random edits of floating addresses and port forwardings."""

from __future__ import annotations

from random import Random

from tests.lab.support.random_edits.document import (
    FLOATING,
    Document,
    other_name,
    unbound,
)


def bind_floating(document: Document, random: Random) -> str | None:
    """Bind a floating IP, or move it to another instance, or make it central or distributed."""
    instance = other_name(random, document["instances"])
    if instance is None:
        return None
    floating, central = random.choice(FLOATING), random.random() < 0.4
    bound = {"instance": instance, "central": central}
    document["floating_ips"][floating] = {**unbound(floating), **bound}
    return f"bind {floating} to {instance}, central: {central}"


def forward_ports(document: Document, random: Random) -> str | None:
    """Forward a range of ports, instead of the ports that are forwarded, or besides them."""
    instance = other_name(random, document["instances"])
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
    document["floating_ips"][floating] = {**unbound(floating), **forwardings}
    return f"forward {floating}: {forwarding}"


def centralise_floating(document: Document, random: Random) -> str | None:
    floating = other_name(random, document["floating_ips"])
    if floating is None or "instance" not in document["floating_ips"][floating]:
        return None
    its = document["floating_ips"][floating]
    its["central"] = not its.get("central", False)
    return f"{floating}: central {its['central']}"


def forward_port(document: Document, random: Random) -> str | None:
    instance = other_name(random, document["instances"])
    if instance is None:
        return None
    floating = random.choice(FLOATING)
    forwarding = {"protocol": "tcp", "external_port": random.randrange(8000, 8100)}
    forwardings = {"port_forwardings": [{**forwarding, "instance": instance}]}
    document["floating_ips"][floating] = {**unbound(floating), **forwardings}
    return f"forward {floating} to {instance}: {forwarding}"


def unbind_floating(document: Document, random: Random) -> str | None:
    floating = other_name(random, document["floating_ips"])
    if floating is None:
        return None
    if random.random() < 0.5:
        document["floating_ips"][floating] = unbound(floating)
        return f"unbind {floating}"
    del document["floating_ips"][floating]
    return f"remove {floating}"
