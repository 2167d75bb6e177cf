"""OpenFlow's extensible matches (OXM), and Nicira's (NXM) among them, in bytes: what names a field
in matches and actions, and what says its value. Which fields there are, `fields` knows.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from attrs import frozen
from ryu.ofproto import ofproto_v1_4 as ofp
from ryu.ofproto import ofproto_v1_4_parser as parser

from dvr_ryu.pipeline.wire import MATCH, padded

_EXPERIMENTER = 0xFFFF
"""The class of fields that somebody's own number comes before."""
_SIZES = (1, 2, 4, 8, 16)
"""How many bytes values take."""


@frozen
class Oxm:
    """One field's name. `length` is how many bytes its value takes."""

    oxm_class: int
    number: int
    length: int
    experimenter: int | None = None

    def header(self, masked: bool = False) -> bytes:
        """The name: 4 bytes, or 8 with an experimenter."""
        own = b"" if self.experimenter is None else struct.pack("!I", self.experimenter)
        length = len(own) + self.length * (1 + masked)
        return struct.pack("!HBB", self.oxm_class, self.number << 1 | masked, length) + own

    def entry(self, value: int, mask: int | None = None) -> bytes:
        """The name and a value, in the bits of the mask (None: in all)."""
        if mask is None:
            return self.header() + value.to_bytes(self.length, "big")
        return self.header(masked=True) + b"".join(
            each.to_bytes(self.length, "big") for each in (value, mask)
        )


def read_oxm(text: str, bits: int) -> Oxm:
    """CLASS:NUMBER or CLASS:NUMBER:EXPERIMENTER of a field of so many bits, or Ryu's name of it."""
    if ":" not in text:
        return _known_to_ryu(text)
    oxm_class, number, *own = (int(part, 0) for part in text.split(":"))
    length = next(size for size in _SIZES if 8 * size >= bits)
    return Oxm(oxm_class, number, length, *own)


def _known_to_ryu(name: str) -> Oxm:
    content = bytearray()
    ofp.oxm_serialize_header(ofp.oxm_from_user_header(name), content, 0)
    oxm_class, number, length = struct.unpack_from("!HBB", content)
    if oxm_class != _EXPERIMENTER:
        return Oxm(oxm_class, number >> 1, length)
    (own,) = struct.unpack_from("!I", content, 4)
    return Oxm(oxm_class, number >> 1, length - 4, own)


class RawMatch(parser.OFPMatch):  # type: ignore[misc]
    """A match of these entries, in place of Ryu's own: Ryu does not know all fields."""

    def __init__(self, entries: Iterable[bytes]) -> None:
        super().__init__()
        fields = b"".join(entries)
        length = MATCH.size + len(fields)
        content = MATCH.pack(ofp.OFPMT_OXM, length) + fields
        self._content = content.ljust(padded(length), b"\0")

    def serialize(self, buffer: bytearray, offset: int) -> int:
        """Write it at an offset of a message, over what is there; return how long it is."""
        buffer[offset:] = self._content
        return len(self._content)
