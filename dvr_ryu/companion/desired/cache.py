"""Cache resources: each stays as long as its inputs are equal. Pure.

So the cost of an edit depends on its size, not on the host's; and a comparison finds identical
objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from dvr_ryu.companion.resources.resource import Resource

Value = TypeVar("Value")


class ResourceCache:
    """The inputs and the resources of the last time that all were requested."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[object, tuple[Resource, ...]]] = {}
        self._now: dict[str, tuple[object, tuple[Resource, ...]]] = {}
        self._values: dict[str, Any] = {}
        self._inner: dict[str, ResourceCache] = {}

    def begin(self) -> None:
        """Begin to request all resources; drop those that were not requested the last time."""
        self._last, self._now = self._now, {}

    def resources(
        self, name: str, made_of: object, make: Callable[[], Iterable[Resource]]
    ) -> tuple[Resource, ...]:
        """Return the resources of `make`, or those of the last time if `made_of` is equal.

        `made_of` are all inputs of `make`; `name` is the object's unique name.
        """
        known = self._last.get(name)
        if known is None or known[0] != made_of:
            known = made_of, tuple(make())
        self._now[name] = known
        return known[1]

    def inner(self, name: str) -> ResourceCache:
        """Return the cache for parts of the resources of that name; their `make` begins with it."""
        return self._inner.setdefault(name, ResourceCache())

    def value(self, name: str, value: Value) -> Value:
        """Return `value`, or the last one if that is equal: so the parts of a long value are
        compared only once for all resources made of it.
        """
        if self._values.get(name) != value:
            self._values[name] = value
        last: Value = self._values[name]
        return last
