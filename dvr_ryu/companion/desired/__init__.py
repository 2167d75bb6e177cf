"""The resources that one Linux host should have, computed from the view of it. Pure.

One file per concern; `companion/resources/` has the classes. Only the providers know how to read
and make a resource.
"""

from __future__ import annotations

from collections.abc import Iterator

from dvr_ryu.companion.desired import (
    bridges,
    dhcp,
    external,
    fip,
    instances,
    qrouter,
    snat,
    tls,
    virtual_machines,
)
from dvr_ryu.companion.desired.cache import ResourceCache
from dvr_ryu.companion.desired.kernel_made import with_kernel_made
from dvr_ryu.companion.desired.network_inputs import NetworkInputs
from dvr_ryu.companion.desired.tls import DEFAULTS, TlsOptions
from dvr_ryu.companion.resources.openvswitch.datapath import datapath
from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.topology.view import HostView


def desired_resources(
    view: HostView,
    datapath_type: str,
    cache: ResourceCache | None = None,
    options: TlsOptions = DEFAULTS,
) -> tuple[Resource, ...]:
    """Return every resource of a host, each once.

    `datapath_type` is "system", or "netdev" where the kernel has no openvswitch module. `cache` has
    this host's resources of the last call.
    """
    cache = cache or ResourceCache()
    cache.begin()
    each = _resources(view, datapath_type, cache, options)
    return tuple({resource.key: resource for resource in with_kernel_made(each)}.values())


def _resources(
    view: HostView, datapath_type: str, cache: ResourceCache, options: TlsOptions
) -> Iterator[Resource]:
    network_inputs, tx_checksum = NetworkInputs(view, cache), datapath(datapath_type).offloads
    yield from tls.resources(view, options)
    yield from bridges.resources(view, datapath_type, options.controller(view))
    yield from instances.resources(view, tx_checksum, cache, network_inputs)
    yield from virtual_machines.resources(view, tx_checksum, cache)
    yield from dhcp.resources(view, tx_checksum, cache, network_inputs)
    yield from qrouter.resources(view, tx_checksum, cache, network_inputs)
    yield from fip.resources(view, tx_checksum)
    yield from snat.resources(view, tx_checksum)
    yield from external.resources(view, tx_checksum)
