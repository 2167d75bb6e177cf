"""Compute a host's change: desired minus installed, as resources to remove, change and add. Pure.

A resource that ends with another (an address with its device) is not removed by itself, and is
added again if it is desired. A resource that the kernel makes, or ends, with another is no part
of a change of that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from attrs import frozen

from dvr_ryu.companion.desired.kernel_made import needs
from dvr_ryu.companion.resources.device import Device, device_key
from dvr_ryu.companion.resources.resource import Key, Resource
from dvr_ryu.companion.resources.routing.route import KernelRoute
from dvr_ryu.reconcile import Difference, Replacement, order, subtract

Steps: TypeAlias = "tuple[tuple[Resource, ...], ...]"
"""Resources in the order of their making, or in the reverse. Within a step none needs another."""
Batch: TypeAlias = "tuple[type[Resource], Sequence[Resource]]"
"""A kind, and resources of it none of which needs another."""


@frozen
class HostChange:
    """The resources that end, that change in place, and that are new."""

    removals: Steps
    """The resources that must be removed explicitly."""
    removed: tuple[Resource, ...]
    """All resources that end, including those that are not removed explicitly."""
    changed: tuple[Replacement[Resource], ...]
    added: tuple[Resource, ...]
    readdressed: tuple[Resource, ...]
    """Devices that get other MACs, and the resources that stay on them: other machines know the old
    MACs."""

    @property
    def made(self) -> tuple[Resource, ...]:
        """The added resources, and the new values of the changed ones."""
        return (*self.added, *(both.new for both in self.changed))

    @property
    def makings(self) -> Steps:
        """The resources to make, in steps."""
        made = {resource.key: resource for resource in self.made}
        return tuple(_steps(made, made))

    def removals_of(self, last: bool) -> Iterator[Batch]:
        """Yield the explicit removals by kind: those before the additions or, if `last`, those
        after."""
        for step in self.removals:
            batches = [each for each in by_kind(step) if each[0].removed_last == last]
            yield from sorted(batches, key=lambda batch: not batch[0].removed_first)

    def __bool__(self) -> bool:
        return len(self) > 0

    def __len__(self) -> int:
        return len(self.removed) + len(self.changed) + len(self.added)

    def summary(self) -> str:
        """The number of resources of each kind, in one line: "+3 address, +1 rule, -2 route"."""
        parts = [("-", self.removed), ("~", [each.new for each in self.changed]), ("+", self.added)]
        counts = Counter(
            f"{sign}{{}} {resource.kind}" for sign, resources in parts for resource in resources
        )
        return ", ".join(part.format(count) for part, count in counts.items()) or "no change"

    def lines(self) -> Iterator[str]:
        """One line for each resource: "-" if it ends, "~" if it changes, "+" if it is new."""
        for resource in self.removed:
            yield f"- {resource.describe()}"
        for replacement in self.changed:
            yield f"~ {replacement.new.describe()}"
        for resource in self.added:
            yield f"+ {resource.describe()}"


def by_kind(resources: Iterable[Resource]) -> list[Batch]:
    """Group resources by their kinds, in the order in which these come first."""
    batches: dict[type[Resource], list[Resource]] = {}
    for resource in resources:
        batches.setdefault(type(resource), []).append(resource)
    return list(batches.items())


def change(desired: Iterable[Resource], installed: Iterable[Resource]) -> HostChange:
    """Return the change from a host that has `installed` to one that has `desired`."""
    wanted = {resource.key: resource for resource in desired}
    present = {resource.key: resource for resource in installed}
    rest = subtract(wanted, present)
    removed = rest.removed
    lost = _without_container(removed, present)
    if lost:
        rest = subtract(
            wanted, {key: resource for key, resource in present.items() if key not in lost}
        )
    by_itself = {key for key in removed if key not in lost or removed[key].outlives_container}
    raised = {key for key, both in rest.changed.items() if _comes_up(both)}
    return HostChange(
        removals=tuple(reversed(_steps(removed, by_itself))),
        removed=tuple(f for key, f in removed.items() if not (f.by_kernel and key in lost)),
        changed=tuple(rest.changed.values()),
        added=tuple(f for f in rest.added.values() if not _is_made_with(f, rest.added, raised)),
        readdressed=tuple(_readdressed(wanted, rest)),
    )


def _comes_up(both: Replacement[Resource]) -> bool:
    old, new = both.old, both.new
    return isinstance(old, Device) and isinstance(new, Device) and new.up and not old.up


def _is_made_with(resource: Resource, added: Collection[Key], raised: Collection[Key]) -> bool:
    """Whether the kernel makes it with another added resource: its container, or its device, now
    up."""
    if not resource.by_kernel:
        return False
    on = (
        device_key(resource.namespace, resource.device)
        if isinstance(resource, KernelRoute)
        else None
    )
    return resource.container in added or on in raised


def _readdressed(
    wanted: Mapping[Key, Resource], rest: Difference[Key, Resource]
) -> Iterator[Resource]:
    devices = {
        key
        for key, both in rest.changed.items()
        if isinstance(both.new, Device)
        and isinstance(both.old, Device)
        and both.new.mac != both.old.mac
    }
    if devices:
        for key, resource in wanted.items():
            if key in devices or (resource.container in devices and key not in rest.added):
                yield resource


def _without_container(ending: Mapping[Key, Resource], present: Mapping[Key, Resource]) -> set[Key]:
    """Keys of resources whose container ends, is gone already, or never existed."""
    contents: dict[Key, list[Key]] = {}
    for key, resource in present.items():
        if resource.container is not None:
            contents.setdefault(resource.container, []).append(key)
    lost: set[Key] = set()
    open_keys = [*ending, *(key for key in contents if key not in present)]
    while open_keys:
        for key in contents.get(open_keys.pop(), ()):
            if key not in lost:
                lost.add(key)
                open_keys.append(key)
    return lost


def _steps(
    resources: Mapping[Key, Resource], wanted: Collection[Key]
) -> list[tuple[Resource, ...]]:
    """The wanted resources, in steps that respect the dependencies of all."""

    needed = needs(resources.values())
    ordered = order(resources, needed.__getitem__)
    steps = (tuple(resources[key] for key in step if key in wanted) for step in ordered)
    return [step for step in steps if step]
