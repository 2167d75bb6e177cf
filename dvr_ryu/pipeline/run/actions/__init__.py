"""Runs the language's actions. Each family has a file, as in `pipeline/language/actions`."""

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
from dvr_ryu.pipeline.run.machine import PERFORM

__all__ = ["PERFORM"]

FAMILIES = (ct, encap, hashing, headers, learn, mpls, output, special, tables, vlan)
"""To import a family registers its functions in PERFORM."""
