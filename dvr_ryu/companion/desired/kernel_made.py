"""Compute the kernel-made resources: routes with each address, rules with each namespace. Pure.

The companion does not make them, but all other resources rely on them, and a user may remove them.
So the companion reads them like any resource, and restores them as the kernel would have made
them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from ipaddress import IPv4Interface

from dvr_ryu.companion.resources.device import device_key
from dvr_ryu.companion.resources.namespace import Namespace
from dvr_ryu.companion.resources.resource import Key, Resource
from dvr_ryu.companion.resources.routing.address import Address
from dvr_ryu.companion.resources.routing.route import KernelRoute, Route
from dvr_ryu.companion.resources.routing.rule import KernelRule
from dvr_ryu.companion.resources.routing.tables import DEFAULT_TABLE, LOCAL_TABLE, MAIN_TABLE
from dvr_ryu.topology.family import Family

KERNEL_RULES = ((0, LOCAL_TABLE), (32766, MAIN_TABLE), (32767, DEFAULT_TABLE))
"""Priority and table of the rules that every namespace starts with."""


def with_kernel_made(resources: Iterable[Resource]) -> Iterator[Resource]:
    """Yield resources, and after each the ones that the kernel makes with it."""
    for resource in resources:
        yield resource
        if isinstance(resource, Address) and resource.family is Family.IPV4:
            yield from _routes(resource)
        elif isinstance(resource, Namespace):
            yield from _rules(resource.name)


# Identical objects each time: a comparison of resources that no edit touches ends at once.
@lru_cache(maxsize=1 << 14)
def _routes(address: Address) -> tuple[KernelRoute, ...]:
    namespace, device = address.namespace, address.device
    interface, on = IPv4Interface(address.address), device_key(namespace, device)
    own, subnet = str(interface.ip), interface.network
    local = KernelRoute(
        namespace, LOCAL_TABLE, f"{own}/32", device, own, container=address.key, after=(on,)
    )
    if subnet.prefixlen == subnet.max_prefixlen:
        return (local,)
    after = (on, local.key)
    connected = KernelRoute(
        namespace, MAIN_TABLE, str(subnet), device, own, container=address.key, after=after
    )
    return local, connected


@lru_cache(maxsize=1 << 14)
def _rules(namespace: str) -> tuple[KernelRule, ...]:
    return tuple(KernelRule(namespace, *each) for each in KERNEL_RULES)


def needs(resources: Iterable[Resource]) -> dict[Key, list[Key]]:
    """Each resource's key → the keys of those that must be made first.

    The kernel refuses a route by an unreachable next hop: so a namespace's kernel-made resources
    come before the routes there.
    """
    resources = list(resources)
    by_kernel: dict[str, list[Key]] = {}
    for resource in resources:
        if isinstance(resource, KernelRoute | KernelRule):
            by_kernel.setdefault(resource.namespace, []).append(resource.key)
    needed: dict[Key, list[Key]] = {}
    for resource in resources:
        its = [*resource.after, *([resource.container] if resource.container else [])]
        if isinstance(resource, Route):
            its += by_kernel.get(resource.namespace, ())
        needed[resource.key] = its
    return needed
