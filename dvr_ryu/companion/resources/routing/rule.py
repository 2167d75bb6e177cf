"""Rules of policy routing: ours, and those that the kernel makes with a namespace. Pure."""

from __future__ import annotations

from attrs import field, frozen

from dvr_ryu.companion.resources.namespace import InNamespace
from dvr_ryu.companion.resources.resource import Key


def _bare(source: str | None) -> str | None:
    """A prefix; one address alone is without its length, as ip prints it."""
    return source.removesuffix("/32") if source else None


@frozen
class Rule(InNamespace):
    """What comes from `source`, or in by the device `iif`, is routed by `table`."""

    kind = "rule"
    identity = ("namespace", "priority", "table", "source", "iif")
    namespace: str
    priority: int
    table: int
    source: str | None = field(default=None, converter=_bare)
    iif: str | None = None
    after: tuple[Key, ...] = field(default=(), eq=False, repr=False)


@frozen
class KernelRule(InNamespace):
    """A rule by which all packets look into a table."""

    kind = "kernel-rule"
    identity = ("namespace", "priority", "table")
    by_kernel = True
    namespace: str
    priority: int
    table: int
