"""Which datapath Open vSwitch has on this machine: the kernel is asked, as ovs-vswitchd asks it."""

from __future__ import annotations

import errno
import socket
from struct import Struct

FAMILY = "ovs_datapath"
"""What the kernel's openvswitch module serves by generic netlink, built in or loaded. To be asked
for it makes the kernel load the module, if it can."""

# <linux/netlink.h> and <linux/genetlink.h>
_GENERIC_NETLINK, _CONTROLLER, _REQUEST, _ERROR = 16, 16, 0x1, 2
_GET_FAMILY, _FAMILY_NAME = 3, 2
_HEADER, _GENERIC, _ATTRIBUTE, _ANSWER = map(Struct, ("=IHHII", "=BBH", "=HH", "=i"))


def datapath_type() -> str:
    """Return "system" where the kernel has Open vSwitch's datapath, else "netdev"."""
    return "system" if kernel_serves(FAMILY) else "netdev"


def kernel_serves(family: str) -> bool:
    """Whether the kernel has a family of generic netlink."""
    name = family.encode() + b"\0"
    body = _GENERIC.pack(_GET_FAMILY, 1, 0) + _ATTRIBUTE.pack(4 + len(name), _FAMILY_NAME)
    body += name + bytes(-len(name) % 4)
    kind = (socket.AF_NETLINK, socket.SOCK_RAW, _GENERIC_NETLINK)
    with socket.socket(*kind) as wire:
        wire.send(_HEADER.pack(_HEADER.size + len(body), _CONTROLLER, _REQUEST, 0, 0) + body)
        answer = wire.recv(8192)
    _, type, _, _, _ = _HEADER.unpack_from(answer)
    return type != _ERROR or _ANSWER.unpack_from(answer, _HEADER.size) != (-errno.ENOENT,)
