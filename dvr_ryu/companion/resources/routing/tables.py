"""The routing tables that every namespace has. Pure."""

from __future__ import annotations

LOCAL_TABLE, MAIN_TABLE, DEFAULT_TABLE = 255, 254, 253
