"""Lists what iproute2 finds in a network namespace; tests compare with it what the companion made.

It runs as a program in a namespace and prints JSON. It imports neither dvr_ryu nor pyroute2.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

KERNEL, UNICAST, LOCAL = "2", "1", "2"
EVERY_NAMESPACE_HAS = (0, 32766, 32767)


def ip(arguments: str) -> list[dict[str, Any]]:
    """The output of ip, with numbers instead of names."""
    argv = ["ip", "-N", "-j", "-d", "-4", *arguments.split()]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    listed: list[dict[str, Any]] = json.loads(done.stdout or "[]")
    return [each for each in listed if each]


def resources() -> Iterator[list[Any]]:
    """Each resource as a list: its kind, and its fields in the notation of `ip`."""
    for device in ip("address"):
        for each in device["addr_info"]:
            if device["ifname"] != "lo":
                address = f"{each['local']}/{each['prefixlen']}"
                yield ["address", device["ifname"], address, each.get("broadcast")]
    yield from _routes()
    yield from _rules()
    for each in ip("neighbour"):
        if each["state"] == ["PERMANENT"]:
            yield ["neighbour", each["dev"], each["dst"], each["lladdr"]]
    for each in ip("neighbour show proxy"):
        yield ["proxy-neighbour", each["dev"], each["dst"]]


def _routes() -> Iterator[list[Any]]:
    for each in ip("route show table all"):
        if each["type"] not in (UNICAST, LOCAL) or each.get("dev") == "lo":
            continue
        to, table = each["dst"], int(each["table"])
        to = to if "/" in to or to == "default" else f"{to}/32"
        device, source = each.get("dev"), each.get("prefsrc")
        if each["protocol"] == KERNEL:
            yield ["kernel-route", table, to, device, source]
        else:
            yield ["route", table, to, each.get("gateway"), device, source]


def _rules() -> Iterator[list[Any]]:
    for each in ip("rule"):
        priority, table, source = each["priority"], int(each["table"]), each["src"]
        if priority in EVERY_NAMESPACE_HAS:
            yield ["kernel-rule", priority, table]
        else:
            source = None if source == "all" else source
            source = f"{source}/{each['srclen']}" if "srclen" in each else source
            yield ["rule", priority, table, source, each.get("iif")]


if __name__ == "__main__":
    print(json.dumps(sorted(resources(), key=str)))
