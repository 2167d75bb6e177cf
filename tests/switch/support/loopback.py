"""Edits topologies so that switches may connect from loopback, as a test's Open vSwitch does."""

from __future__ import annotations

import re

LOOPBACK = "127.0.0.1"

_ADDRESS = re.compile(r"^(?P<indent> +)address: \S+\n|\{address: [\d.]+", re.MULTILINE)
"""A host's address, on a line of its own or in braces; no other part of the file has this key."""


def from_loopback(topology: str) -> str:
    """The text of a topology in which each host has a management address."""

    def with_management(found: re.Match[str]) -> str:
        if found["indent"] is None:
            return f"{found[0]}, management_address: {LOOPBACK}"
        return f"{found[0]}{found['indent']}management_address: {LOOPBACK}\n"

    return _ADDRESS.sub(with_management, topology)
