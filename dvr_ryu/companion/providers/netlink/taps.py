"""Make, read and remove taps. Those that are ours have a note, for any program may make one."""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Sequence
from pathlib import Path

from pyroute2.netlink.rtnl import RTM_DELLINK
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg

from dvr_ryu.companion.providers import notes
from dvr_ryu.companion.providers.kernel.refusal import refusal
from dvr_ryu.companion.providers.netlink.client import GONE, Request, netlink
from dvr_ryu.companion.providers.netlink.messages import message
from dvr_ryu.companion.providers.netlink.visits import visits
from dvr_ryu.companion.providers.provider import Look, Provider
from dvr_ryu.companion.resources.namespace import ROOT
from dvr_ryu.companion.resources.tap import NOTES, Tap
from dvr_ryu.errors import HostError

DEVICE = "/dev/net/tun"
TUNSETIFF, TUNSETPERSIST = 0x400454CA, 0x400454CB
IFF_TAP, IFF_NO_PI = 0x0002, 0x1000


class Taps(Provider):
    """The provider of taps."""

    kinds = (Tap,)

    def read(self, look: Look) -> Sequence[Tap]:
        """Return our taps."""
        noted = {*notes.names(Path(NOTES))}
        found = (link for link in look.once(visits).links if link.namespace == ROOT)
        return [Tap(link.name) for link in found if link.is_tap and link.name in noted]

    def make(self, resources: Sequence[Tap]) -> None:
        """Make taps that stay without a program."""
        notes.folder(Path(NOTES))
        for resource in resources:
            _require_no_other(resource)
            notes.touch(Path(NOTES, resource.name))
            try:
                descriptor = os.open(DEVICE, os.O_RDWR)
            except OSError as error:
                raise HostError(
                    f"{DEVICE} cannot be opened ({error.strerror}), and virtual machines need it: "
                    "type modprobe tun; a container must have the device"
                ) from error
            try:
                request = struct.pack("16sH22x", resource.name.encode(), IFF_TAP | IFF_NO_PI)
                fcntl.ioctl(descriptor, TUNSETIFF, request)
                fcntl.ioctl(descriptor, TUNSETPERSIST, 1)
            except OSError as error:
                raise refusal(resource, error) from error
            finally:
                os.close(descriptor)

    def remove(self, resources: Sequence[Tap]) -> None:
        """Remove taps; a program that has one loses it."""
        with netlink(ROOT) as kernel:
            there = [resource for resource in resources if kernel.has(resource.name)]
            kernel.ask(
                (
                    Request(each, RTM_DELLINK, 0, message(ifinfmsg, index=kernel.index(each.name)))
                    for each in there
                ),
                GONE,
            )
        for resource in resources:
            notes.remove(Path(NOTES, resource.name))


def _require_no_other(resource: Tap) -> None:
    """Raise HostError if a device of that name is not ours."""
    with netlink(ROOT) as kernel:
        if kernel.has(resource.name) and resource.name not in notes.names(Path(NOTES)):
            raise HostError(
                f"the device {resource.name} exists and is not dvr_ryu's; if nothing needs it, "
                f"remove it: ip link del {resource.name}"
            )
