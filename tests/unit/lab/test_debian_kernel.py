"""A kept kernel is found again without apt, wherever Debian's release has its modules."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dvr_ryu.errors import HostError
from dvr_ryu.lab.guests.debian_kernel import Kernel, kept

RELEASE = "6.1.0-57-cloud-amd64"


def keep(cache: Path, release: str, modules: str, age: int = 0) -> Path:
    """Make the files of an unpacked kernel that was fetched `age` seconds ago."""
    root = cache / f"kernel/linux-{release}"
    (root / "boot").mkdir(parents=True)
    (root / f"boot/vmlinuz-{release}").write_bytes(b"bzImage")
    (root / modules / release).mkdir(parents=True)
    when = root.stat().st_mtime - age
    os.utime(root, (when, when))
    return root


def test_none_is_kept_at_first(tmp_path: Path) -> None:
    assert kept(tmp_path) is None


@pytest.mark.parametrize("modules", ["lib/modules", "usr/lib/modules"])
def test_a_kernel_has_its_release_and_modules(tmp_path: Path, modules: str) -> None:
    root = keep(tmp_path, RELEASE, modules)
    image = root / f"boot/vmlinuz-{RELEASE}"
    assert kept(tmp_path) == Kernel(RELEASE, image, root / modules / RELEASE)


def test_the_kernel_fetched_last_is_found(tmp_path: Path) -> None:
    keep(tmp_path, "6.1.0-9-cloud-amd64", "lib/modules", age=60)
    keep(tmp_path, "6.12.5-cloud-amd64", "lib/modules")
    found = kept(tmp_path)
    assert found and found.release == "6.12.5-cloud-amd64"


def test_a_package_without_modules_is_refused(tmp_path: Path) -> None:
    (tmp_path / "boot").mkdir()
    (tmp_path / "boot/vmlinuz-1").touch()
    with pytest.raises(HostError, match="has no kernel with modules"):
        Kernel.unpacked(tmp_path)
