"""The routing tables that every namespace has. Pure."""

from __future__ import annotations

LOCAL_TABLE, MAIN_TABLE, DEFAULT_TABLE = 255, 254, 253
NAMES = {LOCAL_TABLE: "local", MAIN_TABLE: "main", DEFAULT_TABLE: "default"}
"""Number → iproute2's name."""
