"""What pyroute2 finds in a network namespace: the judge of the companion's own netlink.

Run as a program in a namespace; prints JSON. Nothing of dvr_ryu is imported here. Of proxy
neighbours pyroute2 tells nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pyroute2 import IPRoute

PERMANENT = 0x80
KERNEL, UNICAST, LOCAL = 2, 1, 2
EVERY_NAMESPACE_HAS = (0, 32766, 32767)


def resources() -> Iterator[list[Any]]:
    """Each as a list: its kind, and what `ip` would be told."""
    with IPRoute() as ip:
        devices = {link["index"]: link.get("ifname") for link in ip.get_links()}
        for each in ip.get_addr(family=2):
            if devices[each["index"]] != "lo":
                address = f"{each.get('local') or each.get('address')}/{each['prefixlen']}"
                yield ["address", devices[each["index"]], address, each.get("broadcast")]
        for each in ip.get_routes(family=2):
            if each["type"] not in (UNICAST, LOCAL) or devices[each.get("oif")] == "lo":
                continue
            to = f"{each.get('dst')}/{each['dst_len']}" if each["dst_len"] else "default"
            device, source = devices[each.get("oif")], each.get("prefsrc")
            if each["proto"] == KERNEL:
                yield ["kernel-route", each.get("table"), to, device, source]
            else:
                yield ["route", each.get("table"), to, each.get("gateway"), device, source]
        for each in ip.get_rules(family=2):
            if (each.get("priority") or 0) in EVERY_NAMESPACE_HAS:
                yield ["kernel-rule", each.get("priority") or 0, each.get("table")]
            else:
                source = each.get("src")
                if source and each["src_len"] != 32:
                    source = f"{source}/{each['src_len']}"
                yield ["rule", each.get("priority"), each.get("table"), source, each.get("iifname")]
        for each in ip.get_neighbours(family=2):
            if each["state"] == PERMANENT:
                device = devices[each["ifindex"]]
                yield ["neighbour", device, each.get("dst"), each.get("lladdr")]


if __name__ == "__main__":
    print(json.dumps(sorted(resources(), key=str)))
