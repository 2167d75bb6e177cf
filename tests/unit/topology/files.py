"""A small topology file in sections, each of which a test may replace."""

from __future__ import annotations

SECTIONS = {
    "controller": "tcp:10.0.0.9:6653",
    "underlay": "{}",
    "hosts": """
      one: {address: 10.0.0.1, snat: true}
      two: {address: 10.0.0.2}""",
    "networks": """
      blue: {subnets: [{cidr: 192.168.1.0/24}]}
      yellow: {subnets: [{cidr: 192.168.2.0/24}]}
      external: {external: true, subnets: [{cidr: 2.2.2.0/24}]}""",
    "routers": """
      r1: {interfaces: [{network: blue}, {network: yellow}], external_network: external}""",
    "instances": """
      a: {host: one, network: blue}
      b: {host: two, network: yellow}""",
    "floating_ips": """
      2.2.2.10: {instance: a}""",
}


def topology_file(**sections: str) -> str:
    """The text of a topology: the sections above, replaced by those that are given."""
    lines = (f"{name}: {text}\n" for name, text in {**SECTIONS, **sections}.items())
    return "".join(lines)
