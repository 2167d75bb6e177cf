"""Runs the language's actions. Each family has a file, as in `pipeline/language/actions`; to import
a family registers its functions.
"""

from __future__ import annotations

from dvr_ryu.pipeline.run.actions import (
    ct,
    encap,
    hashing,
    headers,
    learn,
    mpls,
    output,
    special,
    tables,
    vlan,
)

__all__ = [
    "ct", "encap", "hashing", "headers", "learn", "mpls", "output", "special", "tables", "vlan",
]  # fmt: skip
