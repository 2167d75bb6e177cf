"""Put a source package together in FOLDER/source, and let debhelper build it there."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tools.deb import bundle, documents
from tools.deb.licenses import licenses

ROOT = Path(__file__).resolve().parents[2]
PACKAGING = ROOT / "packaging"


def main(wheels: Path, folder: Path) -> None:
    """Build the package in `folder`, from a folder of wheels."""
    source = folder / "source"
    shutil.rmtree(folder, ignore_errors=True)
    write_debian(source / "debian")
    write_documents(source)
    bundle.bundle(wheels, source)
    write_copyright(source)
    # -d: no compiler is needed.
    subprocess.run(["dpkg-buildpackage", "-b", "-d", "-us", "-uc"], cwd=source, check=True)


def write_debian(debian: Path) -> None:
    """Copy packaging/debian, with the units and what depends on the Pythons."""
    shutil.copytree(PACKAGING / "debian", debian)
    for unit in (PACKAGING / "systemd").iterdir():
        shutil.copy(unit, debian / f"dvr-ryu.{unit.name}")
    first, last = bundle.PYTHONS[0], bundle.PYTHONS[-1].split(".")
    after = f"{last[0]}.{int(last[1]) + 1}"
    (debian.parent / "pythons.substvars").write_text(
        f"dvr:Pythons=python3 (>= {first}), python3 (<< {after})\n"
    )


def write_documents(source: Path) -> None:
    """Write the configuration, the manual pages and the completions."""
    shutil.copytree(PACKAGING / "etc", source / "etc/dvr_ryu")
    for name in ("README.rst", "CHANGELOG.rst"):
        shutil.copy(ROOT / name, source)
    for name, page in documents.manual_pages().items():
        (source / name).write_text(page)
    for path, script in documents.completions().items():
        (source / path).parent.mkdir(parents=True)
        (source / path).write_text(script)
    hook = source / "usr/share/python3/runtime.d/dvr-ryu.rtupdate"
    hook.parent.mkdir(parents=True)
    shutil.copy(PACKAGING / "debian/dvr-ryu.rtupdate", hook)


def write_copyright(source: Path) -> None:
    """Write debian/copyright: ours, and the licenses of all libraries."""
    site = source / bundle.PREFIX.relative_to("/") / bundle.SITE
    head = (PACKAGING / "debian/copyright.head").read_text().rstrip("\n")
    lines = (line.rstrip() for line in licenses(site))
    (source / "debian/copyright").write_text("\n".join([head, *lines, ""]))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
