"""The base class of all kinds of resources. Pure.

`key` is all of a resource that cannot be changed in place. `container` is the key of the resource
whose end ends this one too (the kernel deletes a device's addresses with it). `after` are the keys
of resources that must be made first. A kind also has lines of shell, and names the
programs that it takes. Only the providers read and make a resource.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

if TYPE_CHECKING:
    from typing_extensions import Self

Key: TypeAlias = "tuple[str | int | None, ...]"


class Resource:
    """The base of all kinds. A kind names itself and the fields that are its identity."""

    kind: ClassVar[str]
    identity: ClassVar[tuple[str, ...]]
    notes: ClassVar[tuple[str, ...]] = ()
    """The folders in which the companion notes its own resources of this kind."""
    outlives_container: ClassVar[bool] = False
    """Whether its container's end makes it useless, but does not end it."""
    removed_first: ClassVar[bool] = False
    """Whether it is removed first in its step, because its end ends many other resources at
    once."""
    removed_last: ClassVar[bool] = False
    """Whether it is removed after all other removals and additions: it is the rest of an earlier
    state."""
    by_kernel: ClassVar[bool] = False
    """Whether the kernel makes it with its container, so that we make it only if it was removed."""

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

    @property
    def programs(self) -> tuple[str, ...]:
        """The programs that the companion runs to make and maintain it: none."""
        return ()

    # Lines of shell -----------------------------------------------------------------------------

    def describe(self) -> str:
        """One line of shell that makes it, for people to read. No program runs it."""
        raise NotImplementedError(self.kind)

    def make_lines(self, old: Self | None, host: str) -> Iterator[str]:
        """Yield the commands of a script that make it.

        `old` is the resource that it replaces, if it is changed in place. `host` is the topology's
        name of the machine.
        """
        yield self.describe()

    def remove_lines(self, host: str) -> Iterator[str]:
        """Yield the commands of a script that remove it."""
        raise NotImplementedError(self.kind)

    @classmethod
    def make_all_lines(
        cls, resources: Sequence[Self], present: Mapping[Key, Self], host: str
    ) -> Iterator[str]:
        """Yield the commands that make resources of this kind; `present` are those replaced."""
        for resource in resources:
            yield from resource.make_lines(present.get(resource.key), host)

    @classmethod
    def remove_all_lines(cls, resources: Sequence[Self], host: str) -> Iterator[str]:
        """Yield the commands that remove resources of this kind."""
        for resource in resources:
            yield from resource.remove_lines(host)


def programs_of(resources: Iterable[Resource]) -> set[str]:
    """The programs that the companion runs to make and maintain these resources."""
    return {program for resource in resources for program in resource.programs}
