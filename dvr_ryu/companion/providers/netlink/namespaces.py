"""Make, read, enter and remove our network namespaces. Ours are noted before they are made; it
never changes others.

A thread makes them as `ip netns` does, without a process. All other modules enter one by
`inside`.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from dvr_ryu.companion.providers import notes
from dvr_ryu.companion.providers.kernel.refusal import refusal
from dvr_ryu.companion.providers.provider import Look, Provider
from dvr_ryu.companion.resources import namespace as of_namespaces
from dvr_ryu.companion.resources.namespace import NETNS_ETC, RESOLV_CONF, ROOT, Namespace
from dvr_ryu.errors import HostError

NETNS = Path("/run/netns")
NOTES = Path(of_namespaces.NOTES)

CLONE_NEWNET = 0x40000000
"""<linux/sched.h>"""
MS_BIND, MS_RECURSIVE, MS_SHARED, MNT_DETACH = 1 << 12, 1 << 14, 1 << 20, 2
"""<linux/mount.h>"""
THIS_THREAD = "/proc/thread-self/ns/net"

_libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def inside(namespace: str) -> Iterator[None]:
    """Put this thread into a namespace. Sockets and programs begun within stay in it."""
    if namespace == ROOT:
        yield
        return
    here = os.open(THIS_THREAD, os.O_RDONLY)
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
    """Put this thread into a network namespace. Python has os.setns from 3.12 on.

    The kind is named: systemd's RestrictNamespaces forbids a call that leaves it open.
    """
    _raise_unless_0(_libc.setns(descriptor, CLONE_NEWNET))


def _mount(source: str, target: Path, flags: int) -> None:
    _raise_unless_0(_libc.mount(source.encode(), bytes(target), b"none", flags, None))


def _raise_unless_0(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


@contextmanager
def nowhere() -> Iterator[None]:
    """Put this thread into a new namespace without a name, which is gone afterwards."""
    here = os.open(THIS_THREAD, os.O_RDONLY)
    try:
        _raise_unless_0(_libc.unshare(CLONE_NEWNET))
        try:
            yield
        finally:
            _setns(here)
    finally:
        os.close(here)


@contextmanager
def opened(namespace: str) -> Iterator[int]:
    """Yield a file descriptor of a namespace, by which netlink names it."""
    path = f"{NETNS}/{namespace}" if namespace else THIS_THREAD
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def exists(namespace: str) -> bool:
    """Whether a namespace is there, and is one: a companion killed while making one leaves a
    file."""
    if namespace == ROOT:
        return True
    try:
        return os.stat(f"{NETNS}/{namespace}").st_dev != os.stat(NETNS).st_dev
    except FileNotFoundError:
        return False


def is_foreign(name: str) -> bool:
    """Whether a foreign namespace has this name."""
    return (NETNS / name).exists() and not (NOTES / name).exists()


def read() -> Iterator[Namespace]:
    """Yield our namespaces."""
    for name in notes.names(NOTES):
        if exists(name):
            yield Namespace(name)


class Namespaces(Provider):
    """The provider of namespaces."""

    kinds = (Namespace,)

    def read(self, look: Look) -> Sequence[Namespace]:
        """Return our namespaces."""
        return list(read())

    def make(self, resources: Sequence[Namespace]) -> None:
        """Make namespaces, as `ip netns add` does: a namespace is mounted on a file of its name."""
        notes.folder(NOTES)
        _share()
        for resource in resources:
            name = NETNS / resource.name
            if is_foreign(resource.name):
                raise HostError(
                    f"the namespace {resource.name} exists and is not dvr_ryu's; if nothing needs "
                    f"it, remove it: ip netns del {resource.name}"
                )
            notes.touch(NOTES / resource.name)
            if not exists(resource.name):
                name.touch(mode=0)
                try:
                    with nowhere():
                        _mount(THIS_THREAD, name, MS_BIND)
                except OSError as error:
                    raise refusal(resource, error) from error

    def remove(self, resources: Sequence[Namespace]) -> None:
        """Remove the names of namespaces; the kernel ends those without a process."""
        for resource in resources:
            if exists(resource.name):
                try:
                    _raise_unless_0(_libc.umount2(bytes(NETNS / resource.name), MNT_DETACH))
                except OSError as error:
                    # `ip netns del` was quicker
                    if error.errno not in (errno.EINVAL, errno.ENOENT):
                        raise refusal(resource, error) from error
            _forget(resource.name)


def _share() -> None:
    """Share the mounts below /run/netns with all programs, whenever they began.

    Only a mount can be shared, so the folder is mounted on itself if it is none yet.
    """
    notes.folder(NETNS)
    try:
        _mount("", NETNS, MS_SHARED | MS_RECURSIVE)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        _mount(str(NETNS), NETNS, MS_BIND | MS_RECURSIVE)
        _mount("", NETNS, MS_SHARED | MS_RECURSIVE)


def tidy() -> None:
    """Forget noted namespaces that do not exist: after a kill at a bad moment, or a deletion by
    hand."""
    for name in notes.names(NOTES):
        if not exists(name):
            _forget(name)


def _forget(name: str) -> None:
    """Remove the rest of a namespace of ours; the note last, which marks it as ours."""
    (NETNS / name).unlink(missing_ok=True)
    folder = Path(NETNS_ETC, name)
    if folder.is_dir():
        (folder / RESOLV_CONF).unlink(missing_ok=True)
        with suppress(OSError):  # it has foreign files
            folder.rmdir()
    notes.remove(NOTES / name)
