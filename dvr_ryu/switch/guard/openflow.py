"""The numbers of OpenFlow 1.3 and 1.4 that the message guard needs. Pure."""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import NamedTuple

from dvr_ryu.errors import SwitchError

HEADER = struct.Struct("!BBHI")
"""Version, kind, length of the whole message, transaction id."""
MULTIPART_HEAD = struct.Struct("!HHxxxx")
"""After the header of a multipart message: its subject, and flags."""
MULTIPART_SIZE = HEADER.size + MULTIPART_HEAD.size
MORE = 1
"""OFPMPF_REPLY_MORE: another part of this answer follows."""
V1_3, V1_4 = 4, 5
"""Version numbers in a header."""


class Kind(IntEnum):
    """Kinds of messages that a switch may send to a controller (OFPT_*)."""

    HELLO = 0
    ERROR = 1
    ECHO_REQUEST = 2
    ECHO_REPLY = 3
    EXPERIMENTER = 4
    FEATURES_REPLY = 6
    PACKET_IN = 10
    FLOW_REMOVED = 11
    PORT_STATUS = 12
    MULTIPART_REPLY = 19
    BARRIER_REPLY = 21
    ROLE_STATUS = 30
    TABLE_STATUS = 31
    REQUEST_FORWARD = 32
    BUNDLE_CONTROL = 33


class About(IntEnum):
    """The subjects of multipart messages (OFPMP_*)."""

    DESCRIPTION = 0
    FLOWS = 1
    AGGREGATE = 2
    PORTS = 13


class Message(NamedTuple):
    """A whole message that passed the guard. `content` begins with the header."""

    kind: Kind
    xid: int
    content: bytes

    @property
    def about(self) -> About:
        """The subject of a multipart reply."""
        return About(MULTIPART_HEAD.unpack_from(self.content, HEADER.size)[0])

    @property
    def flags(self) -> int:
        """The flags of a multipart reply."""
        flags: int = MULTIPART_HEAD.unpack_from(self.content, HEADER.size)[1]
        return flags


class Malformed(SwitchError):
    """A peer sent bytes that no switch may send now; the text describes them. The caller sends
    `answer`, if there is any, and closes the connection.
    """

    def __init__(self, reason: str, answer: bytes = b"") -> None:
        super().__init__(reason)
        self.answer = answer


def version_name(version: int) -> str:
    """The usual name of the version with this number in a header."""
    return f"1.{version - 1}" if 0 < version < 7 else f"of number {version}"
