"""Chains of iptables in the host's own namespace. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from dvr_ryu.companion.paths import RUN_DIRECTORY
from dvr_ryu.companion.resources.netfilter.chain import programs_for_chains
from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.topology.family import Family

NOTE = f"{RUN_DIRECTORY}/firewall"
"""The note that is written before the first chain, and removed after the last."""


@frozen
class HookedChain(Resource):
    """A chain of ours in the host's own filter table: a kernel chain's first rule jumps to it.
    Other rules of that table stay unchanged.
    """

    kind = "hooked-chain"
    identity = ("hook",)
    hook: str
    """The kernel's chain."""
    rules: tuple[str, ...]
    """In the form of `iptables -S`."""
    first: bool = True
    """Whether the kernel's chain jumps to it once, before all other rules."""

    @property
    def name(self) -> str:
        """The chain's name."""
        return f"dvr_ryu-{self.hook}"

    @property
    def jump(self) -> str:
        """The rule that jumps to it."""
        return f"-j {self.name}"

    @property
    def programs(self) -> tuple[str, ...]:
        """The programs that write and read chains."""
        return programs_for_chains(Family.IPV4)

    def describe(self) -> str:
        """Make it, and hook it in."""
        return " && ".join(self._hooked())

    def make_lines(self, old: HookedChain | None, host: str) -> Iterator[str]:
        """Note that such chains exist, then make this one again."""
        yield f": > {NOTE}"
        if old is not None:
            yield from self._unhooked()
        yield from self._hooked()

    def remove_lines(self, host: str) -> Iterator[str]:
        """Remove it and, with the last one, the note."""
        yield from self._unhooked()
        yield f"iptables -S | grep -q '^-N dvr_ryu-' || rm -f {NOTE}"

    def _hooked(self) -> Iterator[str]:
        yield f"iptables -N {self.name}"
        for rule in self.rules:
            yield f"iptables -A {self.name} {rule}"
        yield f"iptables -I {self.hook} {self.jump}"

    def _unhooked(self) -> Iterator[str]:
        yield f"while iptables -D {self.hook} {self.jump} 2> /dev/null; do :; done"
        yield f"iptables -F {self.name}"
        yield f"iptables -X {self.name}"
