"""What DHCP gives an instance: its first address, its MTU and its routes. Pure.

It follows from the topology: dnsmasq answers by the options that the file sets, and
companion/udhcpc.script applies the answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from dvr_ryu.companion.desired.common import address
from dvr_ryu.companion.desired.dhcp import ON_LINK
from dvr_ryu.companion.resources.routing.address import Address
from dvr_ryu.companion.resources.routing.tables import MAIN_TABLE
from dvr_ryu.topology import model
from dvr_ryu.topology.spec.dhcp_options import CLASSLESS_ROUTES, MTU, ROUTER
from dvr_ryu.topology.view import HostView
from dvr_ryu.trace.kernel.addresses import ALL, Prefix, ip_number
from dvr_ryu.trace.kernel.setup.routes import Route


def leased_address(view: HostView, port: model.Port) -> Address:
    """The address that a NIC gets."""
    return address(view, port, model.instance_namespace(port.name), port.card)


def leased_mtu(options: Mapping[int, str]) -> int:
    """The MTU that a NIC gets with its DHCP options."""
    return int(options[MTU].rstrip("bsi"))


def leased_routes(
    options: Mapping[int, str], port: model.Port, connected: Iterable[Prefix]
) -> Iterator[Route]:
    """The routes that a NIC gets. `connected` are the subnets that its addresses join: the kernel
    refuses a next hop that no earlier route leads to.
    """
    reached = [*connected]
    for prefix, via in _offered(options):
        is_refused = via is not None and not any(via in each for each in reached)
        is_known = via is None and prefix in reached
        if is_refused or is_known or (prefix == ALL and port.number):
            continue
        if via is None:
            reached.append(prefix)
        # Those of further NICs have a metric: no client replaces another's route.
        yield Route(MAIN_TABLE, prefix, port.card, via, metric=port.number)


def _offered(options: Mapping[int, str]) -> Iterator[tuple[Prefix, int | None]]:
    """Destinations and next hops, in the server's order; None is the link itself. A client that
    gets classless routes ignores the router option (RFC 3442).
    """
    routes = options.get(CLASSLESS_ROUTES)
    if routes:
        parts = iter(routes.split(","))
        for destination, nexthop in zip(parts, parts, strict=True):
            via = None if nexthop == ON_LINK else ip_number(nexthop)
            yield Prefix.of(destination), via
    elif options[ROUTER]:
        yield ALL, ip_number(options[ROUTER].split(",")[0])
