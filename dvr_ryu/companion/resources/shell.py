"""How a shell's command gets into a namespace. Pure text."""

from __future__ import annotations


def ip(namespace: str) -> str:
    """The command ip, in a namespace."""
    return f"ip -n {namespace}" if namespace else "ip"


def inside(namespace: str) -> str:
    """The prefix of a command that runs it in a namespace."""
    return f"ip netns exec {namespace} " if namespace else ""


def netns(namespace: str) -> str:
    """The suffix of a device of `ip link` that puts it into a namespace."""
    return f" netns {namespace}" if namespace else ""
