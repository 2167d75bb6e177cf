"""What every kind of resource has. Pure.

`key` is all of a resource that cannot be changed in place. `container` is the key of the resource
whose end ends this one too (the kernel deletes a device's addresses with it). `after` are the keys
of resources that must be made first. Only the providers know how a resource is read and made.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from operator import attrgetter
from typing import Any, ClassVar, TypeAlias

Key: TypeAlias = "tuple[str | int | None, ...]"


class Resource:
    """What all kinds have. A kind names itself and the fields that are its identity."""

    kind: ClassVar[str]
    identity: ClassVar[tuple[str, ...]]
    outlives_container: ClassVar[bool] = False
    """Whether it is of no more use when its container ends, but must be ended by itself."""
    unmade_last: ClassVar[bool] = False
    """Whether it is unmade when all else is removed and made: it is the rest of what was."""
    by_kernel: ClassVar[bool] = False
    """Whether the kernel makes it with its container, so that we only do if it is taken away."""

    _identity: ClassVar[Callable[[Resource], Any]]

    def __init_subclass__(cls) -> None:
        if hasattr(cls, "identity"):
            cls._identity = attrgetter("kind", *cls.identity)

    @cached_property
    def key(self) -> Key:
        """Kind and identity."""
        key: Key = type(self)._identity(self)
        return key

    @property
    def container(self) -> Key | None:
        """The resource whose end ends this one: none."""
        return None

    @property
    def after(self) -> tuple[Key, ...]:
        """The resources that must be made first, besides the container: none."""
        return ()
