"""OpenFlow's extensible matches (OXM), and Nicira's (NXM) among them, in bytes: what names a field
in matches and actions, and what says its value. Which fields there are, `fields` knows.
"""

from __future__ import annotations

import struct

from attrs import frozen
from ryu.ofproto import ofproto_v1_4 as ofp

_EXPERIMENTER = 0xFFFF
"""The class of fields that somebody's own number comes before."""
_SIZES = (1, 2, 4, 8, 16, 124)
"""How many bytes values take."""


@frozen
class Oxm:
    """One field's name. `length` is how many bytes its value takes; if it is `variable`, at most so
    many: a value has as many as it needs.
    """

    oxm_class: int
    number: int
    length: int
    experimenter: int | None = None
    variable: bool = False

    def header(self, masked: bool = False, length: int | None = None) -> bytes:
        """The name: 4 bytes, or 8 with an experimenter. Of a value of so many bytes (None: of the
        longest).
        """
        own = b"" if self.experimenter is None else struct.pack("!I", self.experimenter)
        whole = len(own) + (self.length if length is None else length) * (1 + masked)
        return struct.pack("!HBB", self.oxm_class, self.number << 1 | masked, whole) + own

    def entry(self, value: int, mask: int | None = None) -> bytes:
        """The name and a value, in the bits of the mask (None: in all)."""
        parts = (value,) if mask is None else (value, mask)
        length = (max(parts).bit_length() + 7) // 8 if self.variable else self.length
        head = self.header(masked=mask is not None, length=length)
        return head + b"".join(each.to_bytes(length, "big") for each in parts)


def read_oxm(text: str, bits: int, variable: bool = False) -> Oxm:
    """CLASS:NUMBER or CLASS:NUMBER:EXPERIMENTER of a field of so many bits, or Ryu's name of it.
    A number may be a sum.
    """
    if ":" not in text:
        return _known_to_ryu(text)
    oxm_class, number, *own = (
        sum(int(each, 0) for each in part.split("+")) for part in text.split(":")
    )
    experimenter = own[0] if own else None
    length = next(size for size in _SIZES if 8 * size >= bits)
    return Oxm(oxm_class, number, length, experimenter, variable)


def _known_to_ryu(name: str) -> Oxm:
    content = bytearray()
    ofp.oxm_serialize_header(ofp.oxm_from_user_header(name), content, 0)
    oxm_class, number, length = struct.unpack_from("!HBB", content)
    if oxm_class != _EXPERIMENTER:
        return Oxm(oxm_class, number >> 1, length)
    (own,) = struct.unpack_from("!I", content, 4)
    return Oxm(oxm_class, number >> 1, length - 4, own)
