"""Defines OpenFlow's layout of matches, actions and properties: heads, padding to 8 bytes."""

from __future__ import annotations

import struct

MATCH = struct.Struct("!HH")
"""The head of a match: its type, and its length without padding."""


def padded(length: int) -> int:
    """The length with padding to a multiple of 8 bytes."""
    return (length + 7) // 8 * 8
