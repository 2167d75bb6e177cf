"""How OpenFlow lays out matches, actions and properties: heads, and padding to 8 bytes."""

from __future__ import annotations

import struct

MATCH = struct.Struct("!HH")
"""What a match begins with: its type, and its length without padding."""


def padded(length: int) -> int:
    """The length with what fills it up to a multiple of 8 bytes."""
    return (length + 7) // 8 * 8
