"""Judges the names of a bridge's ports: dvr makes some ports, and people may add others.

A name that only another bridge has is a mistake, and so is a probable slip in a name of dvr's. Any
other name may be that of an added port. In quotes, so may a probable slip.
"""

from __future__ import annotations

import re

from dvr_ryu.pipeline.language.numbers import RESERVED_PORTS
from dvr_ryu.pipeline.language.suggestions import resembles
from dvr_ryu.topology.bridges import BRIDGES, patch_ports
from dvr_ryu.topology.port_names import port_patterns

_LONG_RESERVED_NAMES = [name for name in RESERVED_PORTS if len(name) > 4]
"""Reserved ports whose misspelt names are recognised: shorter names resemble too many others."""


def is_ours(bridge: str, name: str) -> bool:
    """Whether dvr makes a port of that name on the bridge, for some topology."""
    if not has_known_ports(bridge):
        return True
    return name in (bridge, *_patches(bridge)) or any(
        re.fullmatch(pattern, name) for pattern in port_patterns(bridge)
    )


def has_known_ports(bridge: str | None) -> bool:
    """Whether dvr knows all ports that it makes on the bridge."""
    return bridge in BRIDGES


def _patches(bridge: str) -> list[str]:
    return [port.name for port, _ in patch_ports(bridge)]


def why_no_port(bridge: str, text: str) -> str | None:
    """The reason why the bridge cannot have a port of this name in a flow line; None if it can."""
    name = text.strip('"')
    if is_ours(bridge, name):
        return None
    other = next((each for each in BRIDGES if each != bridge and is_ours(each, name)), None)
    if other:
        what = "the bridge itself" if name == other else f"a port of {other}"
        return f"{name} is {what}, and these are {bridge}'s flows: it has no such port"
    near = resembles(name, [*_patches(bridge), bridge, *_LONG_RESERVED_NAMES])
    if near and not text.startswith('"'):
        return (
            f"{bridge} has no port '{name}'; did you mean {near}? "
            f'If it will have such a port, write "{name}", in quotes'
        )
    return None
