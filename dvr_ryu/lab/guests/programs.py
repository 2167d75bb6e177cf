"""Finds the files that programs of this machine need elsewhere: libraries, and Python's modules."""

from __future__ import annotations

import os
import py_compile
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from dvr_ryu.errors import HostError
from dvr_ryu.lab.hosts.host import environment
from dvr_ryu.packages import packages_of

_LIBRARY = re.compile(r"(?:=> )?(/\S+) \(0x")
_LOADED = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
    'x'.encode('ascii'), b'x'.decode('latin-1')
files = {getattr(module, '__file__', None) for module in list(sys.modules.values())}
print(*sorted(filter(None, files)), sep='\\n')
"""


def path_of(program: str) -> Path:
    """The path of a program; HostError that names its package if this machine lacks it."""
    found = shutil.which(program, path=environment()["PATH"])
    if found is None:
        raise HostError(
            f"the image of guests needs {program}, which this machine lacks:"
            f" type sudo apt-get install {packages_of([program])}"
        )
    return Path(found)


def with_libraries(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield programs and libraries, and all the libraries that these need."""
    for path in paths:
        yield path
        done = subprocess.run(["ldd", str(path)], capture_output=True, text=True)
        yield from map(Path, _LIBRARY.findall(done.stdout))


def compiled(module: Path) -> bytes:
    """The compiled text of a module: in a guest that takes long, and it would be done at each start
    of a Python.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/module.pyc"
        py_compile.compile(str(module), file, doraise=True)
        return Path(file).read_bytes()


def python_files(modules: Iterable[str]) -> tuple[Path, list[Path]]:
    """Return Python itself, and the files of modules with all that they import.

    The modules are Python's own. A Python at the same path, started with -I -S, finds them.
    """
    python = Path(os.path.realpath(sys.executable))
    done = subprocess.run(
        [str(python), "-I", "-S", "-c", _LOADED, *modules], capture_output=True, text=True
    )
    if done.returncode:
        raise HostError(f"{python} does not import its own modules: {done.stderr.strip()}")
    return python, [Path(line) for line in done.stdout.splitlines()]
