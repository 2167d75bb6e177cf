"""Resources made as soon as what they need is made: those of one kind after another, kinds at once.

A host makes its devices while its programs start and Open vSwitch adds ports: each of them waits a
lot, and seldom for another. What is made, and how, is the caller's affair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter
from typing import Any, TypeAlias

from dvr_ryu.companion.desired.kernel_made import needs
from dvr_ryu.companion.resources.device import Device
from dvr_ryu.companion.resources.process import Process
from dvr_ryu.companion.resources.resource import Key, Resource

Maker: TypeAlias = Callable[[Sequence[Any]], object]
Group: TypeAlias = "tuple[type[Resource], str]"
"""Resources of one kind, in containers of one kind."""

MOVED: Group = (Device, "port")
"""Open vSwitch's devices, which are moved into their namespaces. The kernel waits 20 ms for each,
and changes nothing else of the network meanwhile. So all else comes first; but for programs,
which need the processor and hardly the network."""
MOVED_AT_ONCE = 16
"""So that what needs a device does not wait for all of them."""


def make(
    resources: Iterable[Resource],
    makers: Mapping[type[Resource], Maker],
    on_made: Callable[[int], object],
) -> None:
    """Make resources, each after those of them that it needs; tell `on_made` how many more there
    are.

    If a maker raises, what is being made is made to its end, and then that is raised.
    """
    by_key = {resource.key: resource for resource in resources}
    unmade: TopologicalSorter[Key] = TopologicalSorter(
        {
            key: [need for need in its if need in by_key]
            for key, its in needs(by_key.values()).items()
        }
    )
    unmade.prepare()
    ready: dict[Group, list[Resource]] = {}
    running: dict[Future[object], tuple[Group, list[Resource]]] = {}
    with ThreadPoolExecutor(max_workers=len(makers) * 2) as pool:
        while unmade.is_active():
            for key in unmade.get_ready():
                ready.setdefault(_group(by_key[key]), []).append(by_key[key])
            for group in _startable(ready, {group for group, _ in running.values()}):
                batch = ready.pop(group)
                if group == MOVED and len(batch) > MOVED_AT_ONCE:
                    ready[group], batch = batch[MOVED_AT_ONCE:], batch[:MOVED_AT_ONCE]
                running[pool.submit(makers[group[0]], batch)] = group, batch
            for made in wait(running, return_when=FIRST_COMPLETED).done:
                _, batch = running.pop(made)
                made.result()
                unmade.done(*(resource.key for resource in batch))
                on_made(len(batch))


def _startable(ready: Iterable[Group], running: set[Group]) -> list[Group]:
    groups = [group for group in ready if group not in running]
    others = [group for group in groups if group != MOVED]
    return others or (groups if all(kind is Process for kind, _ in running) else [])


def _group(resource: Resource) -> Group:
    return type(resource), str(resource.container[0]) if resource.container else ""
