"""The protocol of all providers: each reads, makes and removes resources of some kinds.

Making a resource again changes it to the desired one, and removing a missing one is no error: the
next run repairs a killed one. This module does not touch the host.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
from threading import Lock
from typing import Any, ClassVar, Protocol, TypeVar

from dvr_ryu.companion.resources.resource import Resource

Kind = TypeVar("Kind", bound=Resource)
Result = TypeVar("Result")


class Provider(Protocol):
    """Reads, makes and removes resources of its kinds."""

    kinds: ClassVar[tuple[type[Resource], ...]]
    waits: ClassVar[bool] = False
    """Whether it mostly waits for other programs while it reads: then it reads in its own
    thread."""

    def read(self, look: Look) -> Sequence[Resource]:
        """Return the resources of its kinds that hold. Raise HostError if the host refuses."""

    def make(self, resources: Sequence[Any]) -> object:
        """Make resources of one kind, or change them. Raise HostError if the host refuses."""

    def remove(self, resources: Sequence[Any]) -> object:
        """Remove resources of one kind. Raise HostError if the host refuses."""


class Look:
    """One look at a host by all providers: what several of them need is read once."""

    def __init__(self, desired: Sequence[Resource], providers: Sequence[Provider]) -> None:
        """`desired` are the resources that the host should have. Of sysctls and kernel-made
        resources, providers read only those.
        """
        self.desired = desired
        self.providers = providers
        self._provider_of = {kind: each for each in providers for kind in each.kinds}
        self._lock = Lock()
        self._seen: dict[Callable[[Look], Any], Future[Any]] = {}

    def once(self, see: Callable[[Look], Result]) -> Result:
        """Return what `see` returns for this look. It is called once; a second caller waits."""
        with self._lock:
            is_first = see not in self._seen
            future = self._seen.setdefault(see, Future())
        if is_first:
            try:
                future.set_result(see(self))
            except BaseException as error:
                future.set_exception(error)
        result: Result = future.result()
        return result

    def wanted(self, *kinds: type[Kind]) -> Iterator[Kind]:
        """Yield the desired resources of some kinds."""
        for resource in self.desired:
            if isinstance(resource, kinds):
                yield resource

    def found(self, kind: type[Kind]) -> list[Kind]:
        """Return the resources of a kind that hold."""
        read = self._provider_of[kind].read
        return [each for each in self.once(read) if isinstance(each, kind)]

    def all(self) -> list[Resource]:
        """Return the resources of all kinds that hold."""
        waiting = [provider.read for provider in self.providers if provider.waits]
        with ThreadPoolExecutor(len(waiting) or 1) as pool:
            for read in waiting:
                pool.submit(self.once, read)
            read_all = (self.once(provider.read) for provider in self.providers)
            return list(chain.from_iterable(read_all))
