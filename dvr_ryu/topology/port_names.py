"""Describe the names of dvr's ports on each bridge. Pure: `view` makes the names."""

from __future__ import annotations

from dvr_ryu.topology.bridges import BRIDGES, Plug
from dvr_ryu.topology.model import DEVICE_PREFIXES, TUNNEL_OVERHEADS

_DEVICE = "[0-9a-f]{8}-[0-9a-f]{1,2}"
"""The part of an id in a device's name."""

_PATTERNS = {
    Plug.DEVICES: [f"{each}{_DEVICE}" for each in sorted({*DEVICE_PREFIXES.values(), "qr-"})],
    Plug.TUNNELS: [f"{tunnel}-[0-9a-f]{{8}}" for tunnel in TUNNEL_OVERHEADS],
}


def port_patterns(bridge: str) -> list[str]:
    """The names of a bridge's ports, but for the ends of patches, as regular expressions."""
    return [pattern for plug in BRIDGES[bridge].plugs for pattern in _PATTERNS[plug]]
