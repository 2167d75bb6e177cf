"""Try whether the kernel makes tap devices, by which Open vSwitch without the kernel's module makes
the devices of bridges and ports."""

from __future__ import annotations

import os
import struct
from fcntl import ioctl

from dvr_ryu.companion.providers.netlink.namespaces import nowhere

TUN = "/dev/net/tun"
ADVICE = f"modprobe tun; a container needs the device {TUN}, and the right to use it"
_TUNSETIFF, _IFF_TAP, _IFF_NO_PI = 0x400454CA, 0x2, 0x1000
"""Of <linux/if_tun.h>."""
_REQUEST = struct.Struct("16sH22x")
"""A struct ifreq: the name of a device, and its flags."""


def require() -> None:
    """Make a tap device in a namespace that is gone afterwards. Raise OSError if that fails."""
    with nowhere():
        descriptor = os.open(TUN, os.O_RDWR | os.O_CLOEXEC)
        try:
            ioctl(descriptor, _TUNSETIFF, _REQUEST.pack(b"try3", _IFF_TAP | _IFF_NO_PI))
        finally:
            os.close(descriptor)
