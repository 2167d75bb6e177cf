"""Read routes by netlink, and build the messages that make and remove them.

It reads all routes of our namespaces, of any type and with any next hops, except those only on
foreign devices and the kernel's own that are not desired.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from socket import if_indextoname
from typing import Any, NamedTuple

from pyroute2.netlink.rtnl import RTM_GETROUTE, rt_proto, rt_scope, rt_type
from pyroute2.netlink.rtnl.rtmsg import rtmsg

from dvr_ryu.companion.providers.netlink.client import Netlink
from dvr_ryu.companion.providers.netlink.messages import Attribute, Message, message, values
from dvr_ryu.companion.resources.namespace import in_instance
from dvr_ryu.companion.resources.resource import Key, Resource
from dvr_ryu.companion.resources.routing.foreign_route import ForeignRoute, NextHop
from dvr_ryu.companion.resources.routing.route import KernelRoute, Route
from dvr_ryu.companion.resources.routing.tables import LOCAL_TABLE, MAIN_TABLE
from dvr_ryu.topology.family import Family

TYPES = {LOCAL_TABLE: rt_type["local"], MAIN_TABLE: rt_type["unicast"]}
"""Table → the type of the routes that the kernel makes there with an address."""
_OF_ADDRESSES = set(TYPES.values())
_METRICS = {Family.IPV4: 0, Family.IPV6: 1024}
"""The metric that the kernel gives a route that is added without one."""
_ROUTER_OF_IPV6 = "inet6 "


class RouteMessage(rtmsg):  # type: ignore[misc]
    """A route. pyroute2 does not know the attributes after RTA_EXPIRES."""

    nla_map = (
        *rtmsg.nla_map,
        ("RTA_PAD", "hex"),
        ("RTA_UID", "uint32"),
        ("RTA_TTL_PROPAGATE", "uint8"),
        ("RTA_IP_PROTO", "uint8"),
        ("RTA_SPORT", "be16"),
        ("RTA_DPORT", "be16"),
        ("RTA_NH_ID", "uint32"),
    )


class FoundRoute(NamedTuple):
    """A route that is there, and whether it carries the mark of ours in an instance."""

    route: Route | KernelRoute | ForeignRoute
    marked: bool


def kernel_routes(
    kernel: Netlink, family: Family, device: int, wanted: Mapping[Key, Resource]
) -> Iterator[KernelRoute]:
    """Yield the kernel's desired routes on a device, by its number."""
    names = {device: if_indextoname(device)}
    for found in _dump(kernel, family, ("RTA_OIF", device)):
        if found["proto"] == rt_proto["kernel"]:
            yield from _of_kernel(kernel, found, names, wanted)


def routes(
    kernel: Netlink, family: Family, names: Mapping[int, str], wanted: Mapping[Key, Resource]
) -> Iterator[FoundRoute]:
    """Yield the routes of a namespace; `names` are those of the devices that are ours, by number.

    Of the kernel's own, it yields only desired ones. Of several routes with the same destination in
    one table, the kernel uses the first: another one is no route of ours, even if it looks like
    one.
    """
    seen: set[Key] = set()
    for found in _dump(kernel, family):
        if found["proto"] == rt_proto["kernel"]:
            for route in _of_kernel(kernel, found, names, wanted):
                yield FoundRoute(route, marked=False)
            continue
        foreign = _foreign(kernel, family, found)
        if foreign.hops and not any(hop.device in names.values() for hop in foreign.hops):
            continue
        marked = found["proto"] == rt_proto["static"]
        own = _as_ours(foreign, names.values())
        if own is None or own.key in seen:
            yield FoundRoute(foreign, marked)
        else:
            seen.add(own.key)
            yield FoundRoute(own, marked)


def routes_on(kernel: Netlink, device: str) -> Iterator[Route]:
    """Yield the IPv4 routes that lead onto a device alone, as if they were ours, whichever program
    set them.
    """
    for found in _dump(kernel, Family.IPV4):
        if found["proto"] != rt_proto["kernel"]:
            each = _foreign(kernel, Family.IPV4, found)
            if [hop.device for hop in each.hops] == [device]:
                yield Route(
                    each.namespace,
                    each.table,
                    each.destination,
                    each.hops[0].via,
                    device,
                    source=each.source,
                )


def _dump(kernel: Netlink, family: Family, *which: Attribute) -> list[Message]:
    return kernel.dump(RTM_GETROUTE, RouteMessage, *which, family=family.number)


def _of_kernel(
    kernel: Netlink, found: Message, names: Mapping[int, str], wanted: Mapping[Key, Resource]
) -> Iterator[KernelRoute]:
    if found["type"] in _OF_ADDRESSES:
        index, table, source = values(found, "RTA_OIF", "RTA_TABLE", "RTA_PREFSRC")
        destination, device = _destination(found), names.get(index)
        key = (KernelRoute.kind, kernel.namespace, table, destination, device, source)
        resource = wanted.get(key)
        if found["type"] == TYPES.get(table) and isinstance(resource, KernelRoute):
            yield resource


def _destination(found: Message) -> str:
    (prefix,) = values(found, "RTA_DST")
    return f"{prefix}/{found['dst_len']}" if prefix else "default"


def _foreign(kernel: Netlink, family: Family, found: Message) -> ForeignRoute:
    table, metric, source, several, nexthop = values(
        found, "RTA_TABLE", "RTA_PRIORITY", "RTA_PREFSRC", "RTA_MULTIPATH", "RTA_NH_ID"
    )
    (index,) = values(found, "RTA_OIF")
    one = () if index is None else (_hop(found, index, 1),)
    hops = tuple(_hop(each, each["oif"], each["hops"] + 1) for each in several or ())
    return ForeignRoute(
        kernel.namespace,
        table,
        str(rt_type.get(found["type"], found["type"])),
        _destination(found),
        found["tos"],
        metric or 0,
        source,
        hops or one,
        nexthop,
        family,
    )


def _hop(found: Message, index: int, weight: int) -> NextHop:
    router, router_of_ipv6 = values(found, "RTA_GATEWAY", "RTA_VIA")
    via = f"{_ROUTER_OF_IPV6}{router_of_ipv6['addr']}" if router_of_ipv6 else router
    try:
        device = if_indextoname(index)
    except OSError:
        device = f"if{index}"  # it is gone meanwhile, and the route with it
    return NextHop(device, via, weight)


def _as_ours(found: ForeignRoute, devices: Collection[str]) -> Route | None:
    """A route that is there, as one of ours; None if ours are never like that."""
    metric = _METRICS[found.family]
    if (found.type, found.tos, found.metric, found.nexthop_id) != ("unicast", 0, metric, None):
        return None
    if found.table == LOCAL_TABLE or len(found.hops) != 1:
        return None
    (hop,) = found.hops
    if hop.device == "lo" or hop.device not in devices or (hop.via or "").startswith("inet6"):
        return None
    return Route(
        found.namespace,
        found.table,
        found.destination,
        hop.via,
        hop.device,
        source=found.source,
        family=found.family,
    )


# Messages -----------------------------------------------------------------------------------------


def route_message(kernel: Netlink, route: Route | KernelRoute) -> Message:
    """The message that makes a route of ours, or one that the kernel makes with an address."""
    has: list[Attribute] = [("RTA_OIF", kernel.index(route.device))]
    has += [("RTA_PREFSRC", route.source)] if route.source else []
    if isinstance(route, KernelRoute):
        scope, protocol = "host" if route.is_local else "link", "kernel"
        return _message(route, TYPES[route.table], has, protocol, scope)
    has += [("RTA_GATEWAY", route.via)] if route.via else []
    # A route added by hand has the protocol `boot`, which `ip route` does not print.
    protocol = "static" if route.marked else "boot"
    return _message(route, rt_type["unicast"], has, protocol, "universe" if route.via else "link")


def route_removal(kernel: Netlink, route: Route | KernelRoute | ForeignRoute) -> Message:
    """The message that removes a route. A foreign one may have any protocol and scope."""
    if isinstance(route, ForeignRoute):
        return _foreign_removal(kernel, route)
    removal = route_message(kernel, route)
    if isinstance(route, Route) and not in_instance(route.namespace):
        removal.update(scope=rt_scope["nowhere"], proto=rt_proto["unspec"])
    return removal


def _foreign_removal(kernel: Netlink, route: ForeignRoute) -> Message:
    has: list[Attribute] = [("RTA_PRIORITY", route.metric)] if route.metric else []
    has += [("RTA_PREFSRC", route.source)] if route.source else []
    type = rt_type.get(route.type, None)
    type = int(route.type) if type is None else type
    if route.nexthop_id is not None:
        # The kernel compares only the number; its actual type differs from the one it lists.
        has, type = [*has, ("RTA_NH_ID", route.nexthop_id)], rt_type["unspec"]
    elif len(route.hops) == 1:
        (hop,) = route.hops
        has += [("RTA_OIF", kernel.index(hop.device)), *_router(hop)]
    elif route.hops:
        has += [("RTA_MULTIPATH", [_several(kernel, hop) for hop in route.hops])]
    return _message(route, type, has, "unspec", "nowhere")


def _several(kernel: Netlink, hop: NextHop) -> dict[str, Any]:
    number = kernel.index(hop.device)
    return {"oif": number, "hops": hop.weight - 1, "attrs": _router(hop)}


def _router(hop: NextHop) -> list[Attribute]:
    """The router of a next hop; by one of IPv6, the kernel finds the route by the device alone."""
    return [("RTA_GATEWAY", hop.via)] if hop.via and not hop.via.startswith("inet6") else []


def _message(
    route: Route | KernelRoute | ForeignRoute,
    type: int,
    has: list[Attribute],
    protocol: str,
    scope: str,
) -> Message:
    prefix, _, length = route.destination.partition("/")
    has = [("RTA_TABLE", route.table), *has, *([("RTA_DST", prefix)] if length else [])]
    return message(
        RouteMessage,
        has,
        family=route.family.number,
        dst_len=int(length or 0),
        tos=route.tos if isinstance(route, ForeignRoute) else 0,
        proto=rt_proto[protocol],
        scope=rt_scope[scope],
        type=type,
    )
