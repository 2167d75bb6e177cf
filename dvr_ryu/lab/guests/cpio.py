"""Writes a cpio archive in the format "newc", which the kernel unpacks as its first root. Pure."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping

from attrs import frozen

_TRAILER = "TRAILER!!!"
_ALIGNMENT = 4


@frozen
class File:
    """A file that root owns."""

    content: bytes
    mode: int = 0o644

    @property
    def whole_mode(self) -> int:
        """Its type and permissions."""
        return stat.S_IFREG | self.mode


@frozen
class Link:
    """A symbolic link."""

    target: str
    whole_mode = stat.S_IFLNK | 0o777

    @property
    def content(self) -> bytes:
        """The target."""
        return self.target.encode()


@frozen
class _Folder:
    content = b""
    whole_mode = stat.S_IFDIR | 0o755


@frozen
class _End:
    content = b""
    whole_mode = 0


def archive(entries: Mapping[str, File | Link], folders: frozenset[str] = frozenset()) -> bytes:
    """Return an archive of entries by their absolute paths, with the folders above them, and with
    further empty folders.
    """
    above = {parent for path in entries for parent in _parents(path)}
    above |= {each for path in folders for each in (path, *_parents(path))}
    everything: dict[str, File | Link | _Folder] = {path: _Folder() for path in sorted(above)}
    everything |= entries
    parts: list[bytes] = []
    for number, (path, entry) in enumerate(everything.items(), 1):
        parts += _member(number, path.lstrip("/"), entry)
    parts += _member(0, _TRAILER, _End())
    return b"".join(parts)


def _parents(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path


def _member(number: int, name: str, entry: File | Link | _Folder | _End) -> Iterator[bytes]:
    encoded = name.encode() + b"\0"
    fields = (
        *(number, entry.whole_mode, 0, 0, 1, 0, len(entry.content)),
        *(0, 0, 0, 0, len(encoded), 0),
    )
    yield _padded(b"070701" + b"".join(b"%08x" % field for field in fields) + encoded)
    yield _padded(entry.content)


def _padded(part: bytes) -> bytes:
    return part + bytes(-len(part) % _ALIGNMENT)
