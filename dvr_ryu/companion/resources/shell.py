"""Build shell commands that run in a namespace. Pure text."""

from __future__ import annotations

from dvr_ryu.topology.family import Family


def ip(namespace: str, family: Family = Family.IPV4) -> str:
    """The command ip, in a namespace."""
    return f"ip{family.ip_options} -n {namespace}" if namespace else f"ip{family.ip_options}"


def inside(namespace: str) -> str:
    """The prefix of a command that runs it in a namespace."""
    return f"ip netns exec {namespace} " if namespace else ""


def netns(namespace: str) -> str:
    """The suffix of a device of `ip link` that puts it into a namespace."""
    return f" netns {namespace}" if namespace else ""
