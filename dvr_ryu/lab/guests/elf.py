"""Shortens programs and libraries to the part that their loader reads: symbols for debuggers may be
most of them. Pure.
"""

from __future__ import annotations

import struct

_MAGIC = b"\x7fELF\x02\x01"
"""Of 64 bits, the least significant byte first."""
_HEADERS, _SECTIONS = 32, 40
"""Where the file's header has the offset of the program headers, and of the sections' headers."""
_COUNTS = 54
"""Where it has the size and the number of the program headers; then come those of the sections."""


def shortened(content: bytes) -> bytes:
    """Return an ELF file without sections; other files as they are."""
    if not content.startswith(_MAGIC):
        return content
    (start,) = struct.unpack_from("<Q", content, _HEADERS)
    size, count = struct.unpack_from("<HH", content, _COUNTS)
    end = start + size * count
    for number in range(count):
        offset, _, _, length = struct.unpack_from("<4Q", content, start + number * size + 8)
        end = max(end, offset + length)
    loaded = bytearray(content[:end])
    struct.pack_into("<Q", loaded, _SECTIONS, 0)
    struct.pack_into("<HHH", loaded, _COUNTS + 4, 0, 0, 0)
    return bytes(loaded)
