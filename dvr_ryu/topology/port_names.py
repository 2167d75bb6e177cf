"""What the ports are called that dvr makes on each bridge. Data only: `view` makes the names."""

from __future__ import annotations

from dvr_ryu.topology.model import (
    DEVICE_PREFIXES,
    INTEGRATION_BRIDGE,
    TUNNEL_BRIDGE,
    TUNNEL_OVERHEADS,
)

PATCH_INT = "patch-int"
PATCH_TUN = "patch-tun"
"""Neutron's names of the two ends between br-tun and br-int."""

_DEVICE = "[0-9a-f]{8}-[0-9a-f]{1,2}"
"""What is left of an id in a device's name."""

PORT_NAMES = {
    INTEGRATION_BRIDGE: (
        PATCH_TUN,
        *(f"{prefix}{_DEVICE}" for prefix in sorted({*DEVICE_PREFIXES.values(), "qr-"})),
    ),
    TUNNEL_BRIDGE: (PATCH_INT, *(f"{tunnel}-[0-9a-f]{{8}}" for tunnel in TUNNEL_OVERHEADS)),
}
"""Bridge → its ports' names, as regular expressions."""
