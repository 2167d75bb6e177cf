"""Chains of iptables in namespaces of ours. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from attrs import frozen

from dvr_ryu.companion.resources.namespace import InNamespace
from dvr_ryu.companion.resources.resource import Key
from dvr_ryu.companion.resources.shell import inside
from dvr_ryu.topology.family import Family


def chain_key(namespace: str, table: str, name: str) -> Key:
    """The key of a chain of IPv4."""
    return "chain", namespace, table, name, Family.IPV4


def programs_for_chains(family: Family) -> tuple[str, ...]:
    """The programs that the companion runs for chains."""
    return f"{family.iptables}-restore", f"{family.iptables}-save"


@frozen
class Chain(InNamespace):
    """A chain of iptables or ip6tables and all of its rules, in the form and the order of
    `iptables -S`.
    """

    kind = "chain"
    identity = ("namespace", "table", "name", "family")
    namespace: str
    table: str
    name: str
    rules: tuple[str, ...]
    family: Family = Family.IPV4

    @property
    def programs(self) -> tuple[str, ...]:
        """The programs that write and read chains."""
        return programs_for_chains(self.family)

    @property
    def is_kernels(self) -> bool:
        """Whether the kernel has it in every namespace; only its rules are ours."""
        return self.name.isupper()

    def describe(self) -> str:
        """Make it, with its rules."""
        return " && ".join([*self._made_empty(None), *self._rules()])

    @classmethod
    def make_all_lines(
        cls, resources: Sequence[Chain], present: Mapping[Key, Chain], host: str
    ) -> Iterator[str]:
        """Make all chains empty before any rule names them."""
        for chain in resources:
            yield from chain._made_empty(present.get(chain.key))
        for chain in resources:
            yield from chain._rules()

    @classmethod
    def remove_all_lines(cls, resources: Sequence[Chain], host: str) -> Iterator[str]:
        """Empty all chains before one is removed; the kernel's own stay."""
        for chain in resources:
            yield f"{chain._iptables} -F {chain.name}"
        for chain in resources:
            if not chain.is_kernels:
                yield f"{chain._iptables} -X {chain.name}"

    def _made_empty(self, old: Chain | None) -> Iterator[str]:
        if old is not None:
            yield f"{self._iptables} -F {self.name}"
        elif not self.is_kernels:
            yield f"{self._iptables} -N {self.name}"

    def _rules(self) -> Iterator[str]:
        for rule in self.rules:
            yield f"{self._iptables} -A {self.name} {rule}"

    @property
    def _iptables(self) -> str:
        return f"{inside(self.namespace)}{self.family.iptables} -t {self.table}"
