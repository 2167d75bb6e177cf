"""Chains of iptables in namespaces of ours. Pure."""

from __future__ import annotations

from attrs import frozen

from dvr_ryu.companion.resources.namespace import InNamespace


@frozen
class Chain(InNamespace):
    """A chain of iptables and all of its rules, in the words and the order of `iptables -S`."""

    kind = "chain"
    identity = ("namespace", "table", "name")
    namespace: str
    table: str
    name: str
    rules: tuple[str, ...]
