"""Fetches Debian's cloud kernel with its modules, and keeps it: guests of qemu boot it.

apt-get downloads the package and verifies it; dpkg-deb unpacks it into a folder. Nothing is
installed on this machine, and nothing is downloaded while a kernel is kept.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from dvr_ryu.errors import HostError, one_line

CACHE = Path("/var/cache/dvr_ryu")
"""The folder of what is downloaded or built once."""
PACKAGE = "linux-image-cloud-amd64"
"""It depends on the package of the newest kernel: Debian's smallest for virtual machines."""

_AS_ROOT = ("-o", "APT::Sandbox::User=root")
"""The folder of the download is closed to apt's own user."""
_IMAGE = "vmlinuz-"


@frozen
class Kernel:
    """An unpacked kernel. `modules` is the folder that is /lib/modules/RELEASE on a system, as the
    package has it: without the files that depmod makes.
    """

    release: str
    vmlinuz: Path
    modules: Path

    @classmethod
    def unpacked(cls, root: Path) -> Kernel:
        """The kernel of a package that was unpacked to `root`; HostError if it has none."""
        for vmlinuz in root.glob(f"boot/{_IMAGE}*"):
            release = vmlinuz.name.removeprefix(_IMAGE)
            for modules in (root / "lib/modules" / release, root / "usr/lib/modules" / release):
                if modules.is_dir():
                    return cls(release, vmlinuz, modules)
        raise HostError(f"the package in {root} has no kernel with modules")


def kernel(cache: Path = CACHE) -> Kernel:
    """Return the kernel that `cache` keeps; without one, fetch it first. HostError as `fetch`."""
    return kept(cache) or fetch(cache)


def kept(cache: Path = CACHE) -> Kernel | None:
    """Return the kernel in `cache` that was fetched last; None if there is none."""
    roots = sorted((cache / "kernel").glob("linux-*"), key=lambda root: root.stat().st_mtime)
    return Kernel.unpacked(roots[-1]) if roots else None


def fetch(cache: Path = CACHE) -> Kernel:
    """Fetch Debian's newest kernel into `cache` unless it is there, and remove older ones.

    HostError if this machine is no Debian for x86-64, or if its package mirror does not answer.
    """
    _require_apt()
    with _locked(cache / "kernel") as folder:
        package = _newest_package()
        root = folder / package.replace("linux-image-", "linux-")
        if not root.exists():
            _download(package, root)
        os.utime(root)
        for other in folder.glob("linux-*"):
            if other != root:
                shutil.rmtree(other)
        return Kernel.unpacked(root)


def _require_apt() -> None:
    missing = [name for name in ("apt-get", "dpkg-deb") if shutil.which(name) is None]
    if missing:
        raise HostError(
            f"guests boot Debian's kernel, and this machine lacks {' and '.join(missing)}:"
            " run this on Debian"
        )


@contextmanager
def _locked(folder: Path) -> Iterator[Path]:
    """Make the folder and lock it against other processes that fetch; wait for them."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise HostError(one_line(error)) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield folder
    finally:
        os.close(descriptor)


def _newest_package() -> str:
    """The package that PACKAGE depends on. apt's lists are updated first if they lack it."""
    if not _dependency():
        _run(["apt-get", "update", "-qq"])
    if found := _dependency():
        return found
    raise HostError(
        f"apt knows no package {PACKAGE}: guests boot Debian's kernel for x86-64; run this there"
    )


def _dependency() -> str | None:
    output = _run(["apt-cache", "depends", PACKAGE], check=False)
    found = re.search(r"Depends: (linux-image-\S+)", output)
    return found and found[1]


def _download(package: str, root: Path) -> None:
    """Unpack a package to `root`, which appears only when it is whole."""
    with tempfile.TemporaryDirectory(dir=root.parent, prefix="download-") as folder:
        try:
            _run(["apt-get", "download", "-qq", *_AS_ROOT, package], folder)
        except HostError:  # the mirror no longer has the release of outdated lists
            _run(["apt-get", "update", "-qq"])
            _run(["apt-get", "download", "-qq", *_AS_ROOT, package], folder)
        (archive,) = Path(folder).glob("*.deb")
        _run(["dpkg-deb", "--extract", str(archive), f"{folder}/root"])
        os.rename(f"{folder}/root", root)


def _run(argv: Sequence[str], folder: str = "/", check: bool = True) -> str:
    done = subprocess.run(
        argv,
        cwd=folder,
        capture_output=True,
        text=True,
        errors="replace",
        env={**os.environ, "LC_ALL": "C"},
    )
    if check and done.returncode:
        raise HostError(f"{' '.join(argv)} failed: {(done.stderr or done.stdout).strip()}")
    return done.stdout
