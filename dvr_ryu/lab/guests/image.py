"""Makes the image that guests of qemu boot, Debian's kernel and a root, and keeps it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dvr_ryu.companion.resources.virtual_machine import IMAGE, KERNEL, ROOT_ARCHIVE
from dvr_ryu.errors import HostError, one_line
from dvr_ryu.lab.guests import debian_kernel, root

PROGRAMS = (root.BUSYBOX, root.SHELL, *root.PROGRAMS)
"""The programs of this machine that are in the image."""
_SOURCES = Path(IMAGE, "sources")


def make(progress: Callable[[str], object], anew: bool = False) -> bool:
    """Make the image unless it is there, of exactly these sources; return whether it was made.

    `anew` makes it in any case, of Debian's newest kernel. HostError if this machine lacks a
    program for it, or if the kernel cannot be fetched.
    """
    try:
        with _locked():
            if not anew and _is_current():
                return False
            progress("the image of virtual machines: Debian's kernel, and busybox")
            kernel = debian_kernel.fetch() if anew else debian_kernel.kernel()
            _replace(Path(ROOT_ARCHIVE), root.build(kernel))
            _replace(Path(KERNEL), kernel.vmlinuz.read_bytes())
            _replace(_SOURCES, root.sources().encode())
            return True
    except OSError as error:
        raise HostError(one_line(error)) from error


@contextmanager
def _locked() -> Iterator[None]:
    """Lock the image against other processes that make it; wait for them."""
    os.makedirs(IMAGE, exist_ok=True)
    descriptor = os.open(IMAGE, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _is_current() -> bool:
    there = all(os.path.exists(path) for path in (KERNEL, ROOT_ARCHIVE, _SOURCES))
    return there and _SOURCES.read_text() == root.sources()


def _replace(path: Path, content: bytes) -> None:
    """Replace a file; a machine that starts meanwhile reads either the old one or the new one."""
    fresh = path.with_name(f"{path.name}.fresh")
    fresh.write_bytes(content)
    fresh.replace(path)
