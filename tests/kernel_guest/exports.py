"""Shows folders of this machine to a guest by virtiofs: the machine's root, which nobody can write
through it, and a folder for both.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from dvr_ryu.errors import HostError
from dvr_ryu.lab.wait import wait_until

_DAEMONS = ("/usr/libexec/virtiofsd", "/usr/lib/qemu/virtiofsd")
"""Debian 13's is in Rust, Debian 12's in C; both take the options of the latter."""

_READ_ONLY = """
target=$1; shift
bind() { mount --bind "$1" "$target$1" && mount -o remount,bind,ro "$target$1"; }
bind /
for folder in "$@"; do bind "$folder"; done
exec %s
"""
"""Runs in mounts of its own. A bind mount has nothing of the mounts below it, such as /proc."""


def root_daemon(socket: Path, mount_point: Path, folders: Iterable[Path]) -> list[str]:
    """The command that serves this machine's root, read-only, at `socket`.

    `folders` are served, too, if they are on other file systems than the root.
    """
    device = os.stat("/").st_dev
    others = {str(_mount_point(folder)) for folder in folders if os.stat(folder).st_dev != device}
    serve = " ".join(_daemon(socket, mount_point, "always"))
    script = _READ_ONLY % serve
    unshare = ["unshare", "--mount", "--propagation", "private", "--"]
    return [*unshare, "sh", "-ec", script, "sh", str(mount_point), *sorted(others)]


def folder_daemon(socket: Path, folder: Path) -> list[str]:
    """The command that serves `folder` for reading and writing at `socket`."""
    return _daemon(socket, folder, "none")


@contextmanager
def served(command: Sequence[str], socket: Path) -> Iterator[None]:
    """Run the command of a daemon, which listens at `socket` when the block begins."""
    log = socket.with_suffix(".log")
    with log.open("wb") as output:
        daemon = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
    try:

        def listens() -> bool:
            if daemon.poll() is not None:
                raise HostError(f"virtiofsd ended with {daemon.returncode}\n{log.read_text()}")
            return socket.exists()

        wait_until(listens, 20, "virtiofsd listens", log.read_text)
        yield
    finally:
        daemon.terminate()
        daemon.wait()


def _daemon(socket: Path, folder: Path, cache: str) -> list[str]:
    program = next((each for each in _DAEMONS if os.access(each, os.X_OK)), None)
    if program is None:
        raise HostError("this machine has no virtiofsd: type sudo make test-kernel")
    return [program, f"--socket-path={socket}", "-o", f"source={folder}", "-o", f"cache={cache}"]


def _mount_point(folder: Path) -> Path:
    return next(each for each in (folder, *folder.parents) if os.path.ismount(each))
