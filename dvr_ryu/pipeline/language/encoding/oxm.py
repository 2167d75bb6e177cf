"""OXMs, OpenFlow's extensible matches, and Nicira's NXMs, as bytes: the header that names a field
in matches and actions, and the field's value. `fields` has the list of fields.
"""

from __future__ import annotations

import struct

from attrs import frozen
from ryu.ofproto import ofproto_v1_4 as ofp

_EXPERIMENTER = 0xFFFF
"""The class of fields whose header contains an experimenter's number."""
_SIZES = (1, 2, 4, 8, 16, 124)
"""Possible lengths of values, in bytes."""


@frozen
class Oxm:
    """The header of one field. `length` is that of its value in bytes; of a `variable` field, the
    greatest length: a value has as many bytes as it needs.
    """

    oxm_class: int
    number: int
    length: int
    experimenter: int | None = None
    variable: bool = False

    def header(self, masked: bool = False, length: int | None = None) -> bytes:
        """The header: 4 bytes, or 8 with an experimenter; for a value of this length in bytes
        (None: of the greatest length).
        """
        tail = b"" if self.experimenter is None else struct.pack("!I", self.experimenter)
        payload = len(tail) + (self.length if length is None else length) * (1 + masked)
        return struct.pack("!HBB", self.oxm_class, self.number << 1 | masked, payload) + tail

    def entry(self, value: int, mask: int | None = None) -> bytes:
        """The header and a value, with a mask (None: all bits)."""
        parts = (value,) if mask is None else (value, mask)
        length = (max(parts).bit_length() + 7) // 8 if self.variable else self.length
        head = self.header(masked=mask is not None, length=length)
        return head + b"".join(each.to_bytes(length, "big") for each in parts)


def read_oxm(text: str, bits: int, variable: bool = False) -> Oxm:
    """Read CLASS:NUMBER, CLASS:NUMBER:EXPERIMENTER or Ryu's name, for a field of so many bits. A
    number may be a sum.
    """
    if ":" not in text:
        return _known_to_ryu(text)
    oxm_class, number, *rest = (
        sum(int(each, 0) for each in part.split("+")) for part in text.split(":")
    )
    experimenter = rest[0] if rest else None
    length = next(size for size in _SIZES if 8 * size >= bits)
    return Oxm(oxm_class, number, length, experimenter, variable)


def _known_to_ryu(name: str) -> Oxm:
    content = bytearray()
    ofp.oxm_serialize_header(ofp.oxm_from_user_header(name), content, 0)
    oxm_class, number, length = struct.unpack_from("!HBB", content)
    if oxm_class != _EXPERIMENTER:
        return Oxm(oxm_class, number >> 1, length)
    (experimenter,) = struct.unpack_from("!I", content, 4)
    return Oxm(oxm_class, number >> 1, length - 4, experimenter)
