"""Read, set and restore kernel settings by /proc/sys: of our namespaces and devices, of instances'
cards, and a few of the host itself.

A note stores the earlier value of a setting that outlives us; `remove` restores it.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext, suppress
from functools import partial
from pathlib import Path

from attrs import evolve

from dvr_ryu.companion.providers import notes
from dvr_ryu.companion.providers.netlink.namespaces import exists, inside
from dvr_ryu.companion.providers.netlink.visits import Visit, VisitingProvider
from dvr_ryu.companion.providers.provider import Look, Provider
from dvr_ryu.companion.resources.namespace import by_namespace, namespace_key
from dvr_ryu.companion.resources.sysctl import NOTES, RestoredSysctl, Sysctl
from dvr_ryu.topology.family import Family

PROC = Path("/proc/sys")


class Sysctls(VisitingProvider):
    """The provider of settings of our namespaces and devices."""

    kinds = (Sysctl,)

    def read(self, look: Look) -> Sequence[Sysctl]:
        """Return the desired settings with their present values."""
        return self.seen(look)

    def visit(self, visit: Visit) -> Iterator[Sysctl]:
        """Yield the desired settings of a namespace."""
        yield from _present(visit.look.once(_wanted).get(visit.namespace, ()))

    def make(self, resources: Sequence[Sysctl]) -> None:
        """Set values, namespace by namespace."""
        for namespace, group in by_namespace(resources):
            with inside(namespace):
                for resource in group:
                    _set(resource.name, resource.value)

    def remove(self, resources: Sequence[Sysctl]) -> None:
        """Do nothing: a value that is not desired any more is harmless; its namespace ends it."""


def _wanted(look: Look) -> dict[str, list[Sysctl]]:
    """Namespace → the settings that are desired there."""
    wanted: dict[str, list[Sysctl]] = {}
    for resource in look.wanted(Sysctl):
        wanted.setdefault(resource.namespace, []).append(resource)
    return wanted


def _present(wanted: Iterable[Sysctl]) -> Iterator[Sysctl]:
    """Yield the present values of settings in the caller's namespace.

    A setting that this kernel lacks (no IPv6, no conntrack yet) counts as the desired one.
    """
    for resource in wanted:
        value = _value(resource.name)
        if value is not None:
            yield Sysctl(resource.namespace, resource.name, value, resource.container)
        elif resource.container == namespace_key(resource.namespace) or _lacks_ipv6(resource):
            yield resource


def _lacks_ipv6(resource: Sysctl) -> bool:
    return (
        resource.name.startswith(f"{Family.IPV6.sysctls}/")
        and not (PROC / Family.IPV6.sysctls).exists()
    )


class RestoredSysctls(Provider):
    """The provider of settings that are restored."""

    kinds = (RestoredSysctl,)

    def read(self, look: Look) -> Sequence[RestoredSysctl]:
        """Return the settings that a note says we set, with their present values; an empty value if
        the setting's owner is gone.
        """
        return list(_read_noted())

    def make(self, resources: Sequence[RestoredSysctl]) -> None:
        """Note the present values, then set the desired ones."""
        notes.folder(Path(NOTES))
        for namespace, group in by_namespace(resources):
            with inside(namespace):
                for resource in group:
                    if not _is_noted(resource):
                        notes.replace(Path(resource.note), (PROC / resource.name).read_text())
                    (PROC / resource.name).write_text(resource.value)

    def remove(self, resources: Sequence[RestoredSysctl]) -> None:
        """Restore the noted values of settings that still exist."""
        for namespace, group in by_namespace(resources):
            if exists(namespace):
                with inside(namespace):
                    for resource in group:
                        notes.meaning(Path(resource.note), partial(_put_back, resource.name))
            for resource in group:
                notes.remove(Path(resource.note))


def _read_noted() -> Iterator[RestoredSysctl]:
    """Yield the settings that our notes say we set, with their present values; none if the
    setting's owner is gone.
    """
    found = [*filter(_is_noted, map(_of_note, notes.names(Path(NOTES))))]
    for namespace, group in by_namespace(found):
        with inside(namespace) if exists(namespace) else nullcontext():
            for resource in group:
                present = _value(resource.name) if exists(namespace) else None
                yield evolve(resource, value=present or "")


def _of_note(file: str) -> RestoredSysctl:
    namespace, _, name = file.rpartition(":")
    return RestoredSysctl(namespace, name.replace(".", "/"), "")


def _is_noted(resource: RestoredSysctl) -> bool:
    """Whether a note has a setting's earlier value."""
    return notes.meaning(Path(resource.note), _value_before) is not None


def _value_before(text: str) -> str:
    """The value in a note; ValueError if it is no value of a setting."""
    if not text.strip().replace("\t", " ").isprintable() or not text.strip():
        raise ValueError(text)
    return text


def _put_back(name: str, text: str) -> None:
    """Set a setting to its noted value; ValueError if the setting cannot have it."""
    try:
        _set(name, _value_before(text))
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ERANGE):
            raise
        raise ValueError(text) from None


def _value(name: str) -> str | None:
    """The present value of a setting in the caller's namespace; None if there is no such
    setting.
    """
    try:
        # Unbuffered, because there are thousands, of a few bytes each.
        with open(f"{PROC}/{name}", "rb", buffering=0) as file:
            return file.read().decode().strip()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None


def _set(name: str, value: str) -> None:
    """Set a setting's value, if the setting exists."""
    missing = (FileNotFoundError, IsADirectoryError, NotADirectoryError)
    with suppress(*missing), open(f"{PROC}/{name}", "r+b", buffering=0) as file:
        file.write(value.encode())
