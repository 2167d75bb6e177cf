"""Finds modules of a kernel, with those that they depend on, in the order of their loading."""

from __future__ import annotations

import lzma
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from dvr_ryu.errors import HostError

_DEPENDS = re.compile(rb"\0depends=([^\0]*)\0")


def in_order(folder: Path, names: Iterable[str]) -> dict[str, bytes]:
    """Return the modules of these names from a folder of /lib/modules, with all that they depend
    on, by name: each after those it needs, and uncompressed. HostError if one is missing.
    """
    paths = {_name(path): path for path in folder.rglob("*.ko*")}
    found: dict[str, bytes] = {}
    for name in names:
        _add(name, paths, found)
    return found


def _add(name: str, paths: dict[str, Path], found: dict[str, bytes]) -> None:
    if name in found:
        return
    if name not in paths:
        raise HostError(f"the kernel of guests has no module {name}")
    content = _uncompressed(paths[name])
    for other in _dependencies(content):
        _add(other, paths, found)
    found[name] = content


def _name(path: Path) -> str:
    return path.name.partition(".")[0].replace("-", "_")


def _uncompressed(path: Path) -> bytes:
    content = path.read_bytes()
    return lzma.decompress(content) if path.suffix == ".xz" else content


def _dependencies(module: bytes) -> Iterator[str]:
    for names in _DEPENDS.findall(module):
        yield from (name.decode().replace("-", "_") for name in names.split(b",") if name)
