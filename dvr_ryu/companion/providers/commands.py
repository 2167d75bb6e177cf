"""Run programs to their end; an error names a missing program with its package.

They continue if the companion is killed meanwhile. So each has its whole input before it starts,
and the next companion waits until all of them have ended.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from dvr_ryu.companion.paths import RUN_DIRECTORY
from dvr_ryu.companion.providers.locks import locked_within
from dvr_ryu.companion.providers.notes import opened
from dvr_ryu.errors import HostError
from dvr_ryu.packages import packages_of

PROGRAMS = (
    *("dnsmasq", "ip", "ip6tables-restore", "ip6tables-save", "iptables-restore", "iptables-save"),
    *("openssl", "ovs-appctl", "ovs-ofctl", "qemu-system-x86_64", "udhcpc"),
)
"""All programs that any part of the companion runs."""
PATIENCE = 30.0
"""Seconds to wait for programs of a companion that was killed."""

_inherited: list[int] = []
"""The descriptor of a lock that programs share with us: it is held until the last of them ends."""


def path_of(program: str) -> str | None:
    """The path of a program, if this host has it; root's folders are searched, too."""
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")


def require(program: str) -> str:
    """Return the path of a program; raise HostError that names its package if it is missing."""
    require_all({program})
    return str(path_of(program))


def require_all(programs: Iterable[str]) -> None:
    """Raise HostError that names the packages of all programs that are missing."""
    missing = sorted(program for program in programs if path_of(program) is None)
    if missing:
        raise HostError(
            f"this host lacks {', '.join(missing)}; install what is missing: "
            f"apt install {packages_of(missing)}"
        )


def run(argv: Sequence[str], text: str = "") -> str:
    """Run a program on a text and return its output; raise HostError with its own message."""
    with os.fdopen(os.memfd_create(argv[0]), "r+") as stdin:
        stdin.write(text)
        stdin.seek(0)
        done = subprocess.run(
            [require(argv[0]), *argv[1:]],
            stdin=stdin,
            capture_output=True,
            text=True,
            errors="replace",  # foreign names and comments may be any bytes
            pass_fds=_inherited,
        )
    if done.returncode != 0:
        output = (done.stderr or done.stdout).strip()
        raise HostError(f"{' '.join(argv)} failed: {output}")
    return done.stdout


@contextmanager
def after_orphans() -> Iterator[None]:
    """Wait for a killed companion's programs; the next companion will wait for those run within.

    The caller is the only companion. Raise HostError if one of them does not end.
    """
    with opened(Path(RUN_DIRECTORY, "programs")) as shared:
        if not locked_within(shared.fileno(), PATIENCE):
            raise HostError(
                "a program that an earlier companion started does not end; see "
                f"fuser -v {shared.name}"
            )
        _inherited.append(shared.fileno())
        try:
            yield
        finally:
            _inherited.clear()
