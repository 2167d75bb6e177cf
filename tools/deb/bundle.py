"""Make the tree of /opt/dvr_ryu from the wheels of a wheelhouse. It only writes below its root.

The tree is a virtual environment of Debian's python3, whichever of PYTHONS that is. As in Debian's
own dist-packages, one folder serves all of them: an extension in C has the name of its Python, and
everything else must be the same for all. A file that is not is an error.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tools import wheelhouse

PREFIX = Path("/opt/dvr_ryu")
PYTHONS = ("3.11", "3.12", "3.13")
"""Debian 12's Python, 13's, and the one between. On 3.10 the libraries are of other releases."""
SITE = Path("lib/python3/site-packages")
COMMANDS = {"dvr": "dvr_ryu.cli", "ryu-manager": "ryu.cmd.manager"}
"""Command → the module that has its `main`."""
PACKAGES_OF_TESTS = re.compile(r"[^/]+/tests|tests")
"""Folders in site-packages that no program imports."""
PIPS_NOTES = {"RECORD", "WHEEL", "INSTALLER", "REQUESTED", "direct_url.json"}
"""Files of a .dist-info that tell which wheel pip installed; each Python has another one."""
COMMAND = """\
#!{prefix}/bin/python3
import sys

from {module} import main

sys.exit(main())
"""


def bundle(folder: Path, root: Path) -> None:
    """Make the tree below `root`/opt/dvr_ryu from the wheels in `folder`."""
    prefix = root / PREFIX.relative_to("/")
    site = prefix / SITE
    site.mkdir(parents=True)
    for python in PYTHONS:
        with tempfile.TemporaryDirectory() as temporary:
            install(folder, python, Path(temporary))
            merge(Path(temporary), site)
        (prefix / f"lib/python{python}").symlink_to("python3")
    make_environment(prefix)
    for name in ("flows", "examples"):
        (prefix / name).symlink_to(SITE / "dvr_ryu/share" / name)


def install(folder: Path, python: str, target: Path) -> None:
    """Install the wheels for a Python into a folder. End the program if one is missing."""
    needed = wheelhouse.needed_wheels(folder, python)
    if missing := [name for name, wheel in needed.items() if wheel is None]:
        raise SystemExit(f"{folder} lacks wheels for Python {python}: {', '.join(missing)}")
    how = ("--no-index", "--no-deps", "--no-compile", "--only-binary", ":all:")
    where = ("--python-version", python, "--target", str(target))
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    subprocess.run([*pip, *how, *where, *map(str, needed.values())], check=True)


def merge(installed: Path, site: Path) -> None:
    """Add the files of an installed folder. End the program if another Python's file differs."""
    for file in files_of(installed):
        target = site / file.relative_to(installed)
        content = file.read_bytes()
        if file.suffix == ".py" and content.startswith(b"#!"):
            content = b"# " + content[1:]  # a module is no program
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            target.chmod(0o755 if is_program(file) else 0o644)
        elif content != target.read_bytes():
            raise SystemExit(f"{target} differs between Pythons; give each its own")


def is_program(file: Path) -> bool:
    """Whether a file is a script to be run; modules and extensions in C are not."""
    return file.suffix not in (".py", ".so") and bool(file.stat().st_mode & 0o100)


def files_of(installed: Path) -> Iterator[Path]:
    """Yield what the tree takes of an installed folder: no scripts, no tests, no notes of pip."""
    for file in sorted(installed.rglob("*")):
        inner = file.relative_to(installed)
        folders = [str(each) for each in inner.parents]
        if not file.is_file() or inner.parts[0] == "bin":
            continue
        if any(PACKAGES_OF_TESTS.fullmatch(each) for each in folders):
            continue
        if inner.parts[0].endswith(".dist-info") and inner.name in PIPS_NOTES:
            continue
        yield file


def make_environment(prefix: Path) -> None:
    """Make Python take the tree for a virtual environment, and the commands in bin/."""
    (prefix / "pyvenv.cfg").write_text("home = /usr/bin\ninclude-system-site-packages = false\n")
    commands = prefix / "bin"
    commands.mkdir()
    (commands / "python3").symlink_to("/usr/bin/python3")
    for name, module in COMMANDS.items():
        (commands / name).write_text(COMMAND.format(prefix=PREFIX, module=module))
        (commands / name).chmod(0o755)
