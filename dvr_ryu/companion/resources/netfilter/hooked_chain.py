"""Chains of iptables in the host's own namespace. Pure."""

from __future__ import annotations

from attrs import frozen

from dvr_ryu.companion.resources.resource import Resource


@frozen
class HookedChain(Resource):
    """A chain of ours in the host's own filter table, which is the first that one of the kernel's
    chains asks. Nothing else of that table is touched.
    """

    kind = "hooked-chain"
    identity = ("hook",)
    hook: str
    """The kernel's chain."""
    rules: tuple[str, ...]
    """In the words of `iptables -S`."""
    first: bool = True
    """Whether it is asked, once and before all else."""

    @property
    def name(self) -> str:
        """What the chain is called."""
        return f"dvr_ryu-{self.hook}"

    @property
    def jump(self) -> str:
        """The rule that leads into it."""
        return f"-j {self.name}"
