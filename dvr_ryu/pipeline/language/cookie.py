"""The cookies that mark flows as ours."""

from __future__ import annotations

COOKIE = int.from_bytes(b"dvr_ryu", "big")
"""Marks the flows that are ours. Constant, so that a restarted controller knows them again."""

LEARNED = int.from_bytes(b"learned", "big")
"""Marks what the shipped pipelines learn; flows/ says it where it says so."""
