"""A cache of resources: each stays as long as what it was made of stays the same. Pure.

So an edit costs what it touches, not what there is; and a comparison finds the very same objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from dvr_ryu.companion.resources.resource import Resource

Value = TypeVar("Value")


class ResourceCache:
    """The resources that were made of which objects, the last time that all were asked for."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[object, tuple[Resource, ...]]] = {}
        self._now: dict[str, tuple[object, tuple[Resource, ...]]] = {}
        self._values: dict[str, Any] = {}
        self._inner: dict[str, ResourceCache] = {}

    def begin(self) -> None:
        """Begin to ask for all resources; what was not asked for the last time is forgotten."""
        self._last, self._now = self._now, {}

    def resources(
        self, name: str, made_of: object, make: Callable[[], Iterable[Resource]]
    ) -> tuple[Resource, ...]:
        """Return what `make` yields, or yielded the last time if `made_of` is equal.

        `made_of` is all that `make` looks at; `name` is the object's own, among all.
        """
        known = self._last.get(name)
        if known is None or known[0] != made_of:
            known = made_of, tuple(make())
        self._now[name] = known
        return known[1]

    def inner(self, name: str) -> ResourceCache:
        """Return what keeps parts of the resources of that name; their `make` begins with it."""
        return self._inner.setdefault(name, ResourceCache())

    def value(self, name: str, value: Value) -> Value:
        """Return `value`, or what it was the last time if that is equal: of what is long, the parts
        are compared once for all that is made of it.
        """
        if self._values.get(name) != value:
            self._values[name] = value
        cache: Value = self._values[name]
        return cache
