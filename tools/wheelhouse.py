"""tools/wheelhouse.py DIST FOLDER makes FOLDER anew: wheels to install from without a network.

The folder has the wheel of this project from DIST and the wheels of all that it needs, at the
releases of constraints.txt, for every Python that setup.cfg names and for this machine's
architecture. This program runs pip and reads wheels; it installs nothing. It leaves the old FOLDER
if it fails.

pip evaluates the markers of requirements for its own Python only, even with `pip download
--python-version`. So this program follows the requirements itself, and pip downloads the pinned
releases.
"""

from __future__ import annotations

import configparser
import email
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from packaging.requirements import Requirement
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import NormalizedName, canonicalize_name, parse_wheel_filename

ROOT = Path(__file__).resolve().parents[1]
PROJECT = Requirement("dvr_ryu")
PYTHON = "Programming Language :: Python :: "
# PyPI has no wheels of these. They are pure Python: a wheel that is built here serves every Python.
BUILT_HERE = ("ryu", "ovs")
PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
# No compiler, or ovs might get an extension in C, which serves one Python only.
BUILD_ENVIRONMENT = os.environ | {"CC": "false"}


def main(dist: Path, folder: Path) -> None:
    """Make the folder beside its old self, then replace that."""
    fresh = folder.with_name(f"{folder.name}.fresh")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    for wheel in dist.glob("dvr_ryu-*.whl"):
        shutil.copy(wheel, fresh)
    build_wheels(fresh)
    for python in pythons():
        add_wheels(fresh, python)
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)
    wheels = list(folder.iterdir())
    size = sum(wheel.stat().st_size for wheel in wheels) / 1e6
    print(f"{folder} has {len(wheels)} wheels ({size:.1f} MB) for Python {', '.join(pythons())}.")


def build_wheels(folder: Path) -> None:
    """Build the wheels that PyPI lacks, with this environment's setuptools, wheel and pbr."""
    pinned = pins(pythons()[0])
    wanted = [f"{name}=={pinned[canonicalize_name(name)]}" for name in BUILT_HERE]
    # pip may have kept a wheel that was built with a compiler.
    how = (
        "--no-deps",
        "--no-build-isolation",
        "--no-cache-dir",
        "--no-binary",
        ",".join(BUILT_HERE),
    )
    run_pip("wheel", *how, "--wheel-dir", str(folder), *wanted)


def add_wheels(folder: Path, python: str) -> None:
    """Download what is missing for a Python ("3.10"), until no requirement is open."""
    while missing := open_requirements(folder, python):
        where = ("--dest", str(folder), "--python-version", python)
        run_pip("download", "--no-deps", "--only-binary", ":all:", *where, *missing)


def open_requirements(folder: Path, python: str) -> list[str]:
    """Return the pinned releases ("attrs==26.1.0") that a folder's wheels need and it lacks."""
    needed = needed_wheels(folder, python)
    return sorted(f"{name}=={pin(name, python)}" for name, wheel in needed.items() if not wheel)


def needed_wheels(folder: Path, python: str) -> dict[NormalizedName, Path | None]:
    """Return what this project needs on a Python → its wheel; None if the folder lacks that."""
    wheels = wheels_of(folder, python)
    needed: dict[NormalizedName, Path | None] = {}
    seen, following = set(), [PROJECT]
    while following:
        wanted = following.pop()
        name = canonicalize_name(wanted.name)
        if (name, *wanted.extras) in seen:
            continue
        seen.add((name, *wanted.extras))
        needed[name] = wheels.get(name)
        if name in wheels:
            following += requirements(wheels[name], python, wanted.extras)
    return needed


def wheels_of(folder: Path, python: str) -> dict[NormalizedName, Path]:
    """Return the wheels of pinned releases that a Python can install, by the package's name."""
    found = {}
    for path in folder.glob("*.whl"):
        name, version, _, tags = parse_wheel_filename(path.name)
        pinned = pins(python).get(name, str(version))
        if pinned == str(version) and tags & supported(python):
            found[name] = path
    return found


def requirements(wheel: Path, python: str, extras: set[str]) -> Iterator[Requirement]:
    """Yield what a wheel requires on a Python, with some of its extras."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (each for each in archive.namelist() if each.endswith(".dist-info/METADATA"))
        metadata = email.message_from_bytes(archive.read(name))
    version = {"python_version": python, "python_full_version": f"{python}.0"}
    environments = [version | {"extra": extra} for extra in ("", *extras)]
    for line in metadata.get_all("Requires-Dist", []):
        wanted = Requirement(line)
        marker = wanted.marker
        if marker is None or any(marker.evaluate(each) for each in environments):
            yield wanted


def pin(name: NormalizedName, python: str) -> str:
    """Return the release of constraints.txt; end the program if there is none."""
    try:
        return pins(python)[name]
    except KeyError:
        raise SystemExit(
            f"{name} is needed on Python {python}; constraints.txt has no release of it"
        ) from None


@cache
def pins(python: str) -> dict[NormalizedName, str]:
    """Return the releases of constraints.txt for a Python, by the name of the package."""
    lines = (
        line.partition("#")[0].strip()
        for line in (ROOT / "constraints.txt").read_text().splitlines()
    )
    every = [Requirement(line) for line in lines if line]
    return {
        canonicalize_name(each.name): str(each.specifier).removeprefix("==")
        for each in every
        if each.marker is None or each.marker.evaluate({"python_version": python})
    }


@cache
def pythons() -> list[str]:
    """Return the Pythons that setup.cfg names: "3.10", ..."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    return re.findall(f"{PYTHON}(.*)", config["metadata"]["classifiers"])


@cache
def supported(python: str) -> frozenset[Tag]:
    """Return the tags of the wheels that a Python can install on this machine."""
    number = tuple(map(int, python.split(".")))
    interpreter = f"cp{python.replace('.', '')}"
    return frozenset([*cpython_tags(number), *compatible_tags(number, interpreter)])


def run_pip(*arguments: str) -> None:
    """Run pip; if it fails, end the program: it has told why."""
    if subprocess.run([*PIP, *arguments], env=BUILD_ENVIRONMENT, check=False).returncode:
        raise SystemExit(f"pip {arguments[0]} failed")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
