"""The cookies that mark flows as ours."""

from __future__ import annotations

COOKIE = int.from_bytes(b"dvr_ryu", "big")
"""Marks our flows. It is constant, so that a restarted controller recognises them."""

LEARNED = int.from_bytes(b"learned", "big")
"""Marks the flows that switches learn from the shipped pipelines, whose learn() actions name it."""
