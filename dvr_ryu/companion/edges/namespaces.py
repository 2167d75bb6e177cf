"""Network namespaces: ours are those noted before they were made. Others are left alone.

`inside` is how everything else gets into one: by thread, without a process.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from operator import attrgetter
from pathlib import Path
from typing import TypeVar

from dvr_ryu.companion.edges.commands import run
from dvr_ryu.companion.facts.kinds import ROOT, RUN_DIRECTORY, Namespace
from dvr_ryu.errors import HostError

NETNS = Path("/run/netns")
NOTES = Path(RUN_DIRECTORY, "namespaces")
"""One empty file per namespace of ours; written before it is made, removed after it is gone."""

NETNS_ETC = Path("/etc/netns")
"""What `ip netns exec` shows in /etc: a folder for each namespace."""
RESOLV_CONF = "resolv.conf"
"""The only file there that is ours: DHCP clients write it."""

CLONE_NEWNET = 0x40000000
"""<linux/sched.h>"""

Item = TypeVar("Item")

_libc = ctypes.CDLL(None, use_errno=True)


def by_place(
    items: Iterable[Item], place: Callable[[Item], str] = attrgetter("namespace")
) -> list[tuple[str, list[Item]]]:
    """Group items by the namespace that each has; for each is entered once."""
    groups: dict[str, list[Item]] = {}
    for item in items:
        groups.setdefault(place(item), []).append(item)
    return list(groups.items())


@contextmanager
def inside(namespace: str) -> Iterator[None]:
    """Put this thread into a namespace. Sockets and programs begun within stay in it."""
    if namespace == ROOT:
        yield
        return
    here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        try:
            there = os.open(f"{NETNS}/{namespace}", os.O_RDONLY)
        except FileNotFoundError:
            raise HostError(f"something else removed the namespace {namespace}") from None
        try:
            _setns(there)
            yield
        finally:
            _setns(here)
            os.close(there)
    finally:
        os.close(here)


def _setns(descriptor: int) -> None:
    """Put this thread into a namespace. Python has os.setns from 3.12 on."""
    if _libc.setns(descriptor, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


@contextmanager
def nowhere() -> Iterator[None]:
    """Put this thread into a new namespace without a name, which is gone afterwards."""
    here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        if _libc.unshare(CLONE_NEWNET) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        try:
            yield
        finally:
            _setns(here)
    finally:
        os.close(here)


@contextmanager
def opened(namespace: str) -> Iterator[int]:
    """Yield a file descriptor of a namespace, as netlink wants it to name a place."""
    path = f"{NETNS}/{namespace}" if namespace else "/proc/thread-self/ns/net"
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def exists(namespace: str) -> bool:
    """Whether a namespace is there, and is one: a killed `ip netns add` leaves an ordinary file."""
    if namespace == ROOT:
        return True
    try:
        return os.stat(f"{NETNS}/{namespace}").st_dev != os.stat(NETNS).st_dev
    except FileNotFoundError:
        return False


def is_foreign(name: str) -> bool:
    """Whether others have a namespace of this name."""
    return (NETNS / name).exists() and not (NOTES / name).exists()


def read() -> Iterator[Namespace]:
    """Yield our namespaces."""
    if NOTES.is_dir():
        for name in sorted(os.listdir(NOTES)):
            if exists(name):
                yield Namespace(name)


def make(facts: Sequence[Namespace]) -> None:
    """Make namespaces, in one process for all."""
    NOTES.mkdir(parents=True, exist_ok=True)
    for fact in facts:
        there = (NETNS / fact.name).exists()
        if is_foreign(fact.name):
            raise HostError(
                f"the namespace {fact.name} exists and is not dvr_ryu's; if nothing needs it, "
                f"remove it: ip netns del {fact.name}"
            )
        (NOTES / fact.name).touch()
        if there and not exists(fact.name):
            (NETNS / fact.name).unlink()
    missing = [fact for fact in facts if not exists(fact.name)]
    run(["ip", "-batch", "-"], "".join(f"netns add {fact.name}\n" for fact in missing))


def unmake(facts: Sequence[Namespace]) -> None:
    """Remove namespaces, in one process for all."""
    there = [fact for fact in facts if exists(fact.name)]
    run(["ip", "-batch", "-"], "".join(f"netns del {fact.name}\n" for fact in there))
    for fact in facts:
        _forget(fact.name)


def tidy() -> None:
    """Forget the namespaces that were noted and are not there: killed at a bad moment, or deleted
    by hand."""
    if NOTES.is_dir():
        for note in NOTES.iterdir():
            if not exists(note.name):
                (NETNS / note.name).unlink(missing_ok=True)
                _forget(note.name)


def _forget(name: str) -> None:
    """Remove what is left of a namespace of ours; the note last, by which we know that it is."""
    folder = NETNS_ETC / name
    if folder.is_dir():
        (folder / RESOLV_CONF).unlink(missing_ok=True)
        with suppress(OSError):  # others have put something there
            folder.rmdir()
    (NOTES / name).unlink(missing_ok=True)
