"""Read and set by ethtool's ioctl whether a card adds the checksums of its device's packets."""

from __future__ import annotations

import ctypes
import fcntl
import socket
import struct

SIOCETHTOOL = 0x8946
ETHTOOL_GTXCSUM, ETHTOOL_STXCSUM = 0x16, 0x17


def tx_checksum(control: socket.socket, device: str, value: bool | None = None) -> bool:
    """Read, or with a value set, whether the card adds the checksums of a device's packets.

    `control` is any socket of the device's network namespace.
    """
    argument = (ctypes.c_uint32 * 2)(
        ETHTOOL_GTXCSUM if value is None else ETHTOOL_STXCSUM, bool(value)
    )
    name = device.encode(errors="surrogateescape")
    request = struct.pack("16sP16x", name, ctypes.addressof(argument))
    fcntl.ioctl(control.fileno(), SIOCETHTOOL, request)
    return bool(argument[1])
