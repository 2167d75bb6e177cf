"""The order in which resources are made: each after those it needs, one batch of a kind at a time.
Pure.

Different kinds are made concurrently. A host makes its devices while its programs start and Open
vSwitch adds ports: each of them waits a lot, and seldom for another.
"""

from __future__ import annotations

from collections.abc import Iterable
from graphlib import TopologicalSorter
from typing import TypeAlias

from attrs import frozen

from dvr_ryu.companion.desired.kernel_made import needs
from dvr_ryu.companion.resources.device import Device
from dvr_ryu.companion.resources.process import Process
from dvr_ryu.companion.resources.resource import Key, Resource

Group: TypeAlias = "tuple[type[Resource], str]"
"""Resources of one kind, in containers of one kind."""

MOVED: Group = (Device, "port")
"""Open vSwitch's devices, which are moved into their namespaces. The kernel waits 20 ms for each,
and changes nothing else of the network meanwhile. So they come last, except for programs, which
need the processor and hardly the network."""
MOVED_AT_ONCE = 16
"""A limit: a resource that needs one device does not wait for all of them."""


@frozen(eq=False)
class Batch:
    """Resources to be made together."""

    group: Group
    resources: list[Resource]

    @property
    def kind(self) -> type[Resource]:
        """Their kind."""
        return self.group[0]


class ApplyOrder:
    """The resources of a change that are not made yet. True while there are any."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._by_key = {resource.key: resource for resource in resources}
        needed = needs(self._by_key.values())
        self._waiting: TopologicalSorter[Key] = TopologicalSorter(
            {key: [need for need in its if need in self._by_key] for key, its in needed.items()}
        )
        self._waiting.prepare()
        self._ready: dict[Group, list[Resource]] = {}
        self._begun: set[Group] = set()

    def __bool__(self) -> bool:
        return self._waiting.is_active()

    def begin(self) -> list[Batch]:
        """Return the batches that may begin now, beside those begun before."""
        for key in self._waiting.get_ready():
            resource = self._by_key[key]
            self._ready.setdefault(_group(resource), []).append(resource)
        return [self._begin(group) for group in self._startable()]

    def _begin(self, group: Group) -> Batch:
        batch = self._ready.pop(group)
        if group == MOVED and len(batch) > MOVED_AT_ONCE:
            self._ready[group], batch = batch[MOVED_AT_ONCE:], batch[:MOVED_AT_ONCE]
        self._begun.add(group)
        return Batch(group, batch)

    def _startable(self) -> list[Group]:
        groups = [group for group in self._ready if group not in self._begun]
        others = [group for group in groups if group != MOVED]
        return others or (groups if all(kind is Process for kind, _ in self._begun) else [])

    def done(self, batch: Batch) -> None:
        """Mark a begun batch as made."""
        self._begun.remove(batch.group)
        self._waiting.done(*(resource.key for resource in batch.resources))


def _group(resource: Resource) -> Group:
    return type(resource), str(resource.container[0]) if resource.container else ""
