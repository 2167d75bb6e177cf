"""Which ports a bridge may have, by their names: those that dvr makes, and those that people add.

A name that only another bridge has, or that looks like a slip in one of ours, is a mistake. Any
other may be somebody's port; in quotes, so may one that looks like a slip.
"""

from __future__ import annotations

import re

from dvr_ryu.pipeline.language.numbers import RESERVED_PORTS
from dvr_ryu.pipeline.language.suggestions import resembles
from dvr_ryu.topology.bridges import BRIDGES, patch_ports
from dvr_ryu.topology.port_names import port_patterns

_WORDS = [word for word in RESERVED_PORTS if len(word) > 4]
"""Reserved ports whose names may be misspelt: shorter ones are like too much."""


def is_ours(bridge: str, name: str) -> bool:
    """Whether dvr makes a port of that name on the bridge, for some topology."""
    if not knows(bridge):
        return True
    return name in (bridge, *_patches(bridge)) or any(
        re.fullmatch(pattern, name) for pattern in port_patterns(bridge)
    )


def knows(bridge: str | None) -> bool:
    """Whether it is known which ports the bridge may have."""
    return bridge in BRIDGES


def _patches(bridge: str) -> list[str]:
    return [here.name for here, _ in patch_ports(bridge)]


def why_no_port(bridge: str, text: str) -> str | None:
    """Why the bridge will not have a port that is written so; None if it may have it."""
    name = text.strip('"')
    if is_ours(bridge, name):
        return None
    other = next((each for each in BRIDGES if each != bridge and is_ours(each, name)), None)
    if other:
        what = "the bridge itself" if name == other else f"a port of {other}"
        return f"{name} is {what}, and these are {bridge}'s flows: it has no such port"
    near = resembles(name, [*_patches(bridge), bridge, *_WORDS])
    if near and not text.startswith('"'):
        return (
            f"{bridge} has no port '{name}'; did you mean {near}? "
            f'If it will have such a port, write "{name}", in quotes'
        )
    return None
