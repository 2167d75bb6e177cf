"""Makes authorities, keys and certificates: it runs ovs-pki and moves its files to their folders.

Files that exist stay as they are. New files are made in a temporary folder, then all are moved.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dvr_ryu.errors import DvrError, HostError
from dvr_ryu.packages import packages_of
from dvr_ryu.pki.files import (
    CONTROLLER,
    CONTROLLER_AUTHORITY,
    SWITCH_AUTHORITY,
    authority_of,
    certificate,
    folder_of_host,
    of_controller,
    of_host,
    private_key,
)
from dvr_ryu.topology.spec.scalars import name as require_name

PROGRAMS = ("openssl", "ovs-pki")
"""The programs that run here; ovs-pki runs openssl."""

_AUTHORITIES = (CONTROLLER_AUTHORITY, SWITCH_AUTHORITY)
_LAST_LINES = 5


def init(folder: Path) -> list[Path]:
    """Make the authorities, and the controller's key and certificate; return the new paths.

    Raise HostError if ovs-pki fails, DvrError if the folder has only a part of an authority.
    """
    with _host_errors(folder), _temporary_folder(folder) as temporary:
        made = []
        if not any((folder / name).exists() for name in _AUTHORITIES):
            _ovs_pki(temporary, "init", pki=temporary / "pki")
            for name in _AUTHORITIES:
                (temporary / "pki" / name / "private" / "cakey.pem").chmod(0o600)
                made.append((temporary / "pki" / name).rename(folder / name))
        _require_authorities(folder)
        files = of_controller(folder)
        if not (files.certificate.exists() and files.private_key.exists()):
            _sign(temporary, folder, CONTROLLER, "controller")
            for file in (files.private_key, files.certificate):
                made.append((temporary / file.name).rename(file))
        return made


def make_host(folder: Path, host: str) -> Path | None:
    """Make a host's key and certificate; return the folder of its files, None if it exists.

    Raise DvrError if `dvr pki init` has not made `folder`, HostError if ovs-pki fails.
    """
    _require_name(host)
    with _host_errors(folder):
        _require_authorities(folder)
        with _temporary_folder(folder) as temporary:
            return _make_host(folder, host, temporary)


def _make_host(folder: Path, host: str, temporary: Path) -> Path | None:
    target = folder_of_host(folder, host)
    if target.exists():
        return None
    _sign(temporary, folder, host, "switch")
    made = temporary / host
    made.mkdir()
    files = of_host(made, host)
    for file in (files.private_key, files.certificate):
        (temporary / file.name).rename(file)
    for file, authority in (
        (files.issuer, SWITCH_AUTHORITY),
        (files.authority, CONTROLLER_AUTHORITY),
    ):
        file.write_bytes(authority_of(folder, authority).read_bytes())
    target.parent.mkdir(exist_ok=True)
    return made.rename(target)


def _require_name(host: str) -> None:
    try:
        require_name(host)
    except ValueError as error:
        raise DvrError(f"'{host}' {error}") from None


def _require_authorities(folder: Path) -> None:
    missing = [name for name in _AUTHORITIES if not authority_of(folder, name).is_file()]
    if not missing:
        return
    if len(missing) == len(_AUTHORITIES) and not any((folder / name).exists() for name in missing):
        raise DvrError(f"{folder} has no authorities; make them first: dvr pki init {folder}")
    raise DvrError(
        f"{authority_of(folder, missing[0])} is missing, though {folder} was made before; put it "
        "back, or take an empty folder and make the files of all hosts anew"
    )


@contextmanager
def _temporary_folder(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder in `folder`; a lock excludes other processes from `folder`."""
    mask = os.umask(0o022)
    try:
        with _descriptor(folder) as descriptor:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            with tempfile.TemporaryDirectory(dir=folder, prefix=".new-") as temporary:
                yield Path(temporary).resolve()
    finally:
        os.umask(mask)


@contextmanager
def _descriptor(folder: Path) -> Iterator[int]:
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _host_errors(folder: Path) -> Iterator[None]:
    """Raise HostError if the machine refuses an operation of the block."""
    try:
        yield
    except OSError as error:
        advice = "type sudo" if isinstance(error, PermissionError) else "name another folder"
        raise HostError(f"cannot make files in {folder}: {error.strerror}; {advice}") from None


def _sign(temporary: Path, folder: Path, owner: str, kind: str) -> None:
    """Make a key, and a certificate whose common name is the owner's name and nothing else."""
    _ovs_pki(temporary, "--unique", "req+sign", owner, kind, pki=folder.resolve())
    (temporary / private_key(owner)).chmod(0o600)
    (temporary / certificate(owner)).chmod(0o644)


def _ovs_pki(temporary: Path, *arguments: str, pki: Path) -> None:
    log = temporary / "log"
    command = ["ovs-pki", f"--dir={pki}", f"--log={log}", *arguments]
    try:
        result = subprocess.run(
            command, cwd=temporary, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
    except FileNotFoundError:
        package = packages_of(["ovs-pki"])
        raise HostError(f"ovs-pki is missing; install it: apt install {package}") from None
    if result.returncode:
        output = (
            [*log.read_text().splitlines(), *result.stderr.splitlines()] if log.exists() else []
        )
        lines = "".join(f"\n  {line}" for line in output[-_LAST_LINES:])
        raise HostError(f"{' '.join(command)} failed; its last lines:{lines or result.stderr}")
