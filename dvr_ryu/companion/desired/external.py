"""The gateway of an external network, carried by this host in its own namespace: gw-. Pure.

Beyond it the host routes by its own tables, but not to the underlay's tunnels and the controller.
Nothing else of the host's own network changes.
"""

from __future__ import annotations

from collections.abc import Iterator

from dvr_ryu.companion.desired import firewall
from dvr_ryu.companion.desired.common import device_sysctls, plugged
from dvr_ryu.companion.resources.namespace import ROOT
from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.companion.resources.sysctl import RestoredSysctl
from dvr_ryu.topology import model
from dvr_ryu.topology.view import HostView


def resources(view: HostView, tx_checksum: bool) -> Iterator[Resource]:
    """Yield the external gateways of this host."""
    for port in view.local_ports_of(model.EXTERNAL_GATEWAY):
        yield from plugged(view, port, ROOT, tx_checksum)
        # Loose, independently of the host's own default: an answer may leave by another device.
        yield from device_sysctls(ROOT, port.device, rp_filter="2")
        yield RestoredSysctl(ROOT, "net/ipv4/ip_forward", "1")
    yield from firewall.resources(view)
