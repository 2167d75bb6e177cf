"""Ask the kernel for Open vSwitch's datapath on this machine, as ovs-vswitchd asks it."""

from __future__ import annotations

import errno

from pyroute2.netlink import CTRL_CMD_GETFAMILY, GENL_ID_CTRL, NETLINK_GENERIC, ctrlmsg

from dvr_ryu.companion.providers.netlink.client import netlink
from dvr_ryu.companion.resources.namespace import ROOT
from dvr_ryu.companion.resources.openvswitch.datapath import NETDEV, SYSTEM

FAMILY = "ovs_datapath"
"""The generic netlink family of the kernel's openvswitch module, built in or loaded. A request for
it makes the kernel load the module, if it can."""


def datapath_type() -> str:
    """Return "system" where the kernel has Open vSwitch's datapath, else "netdev"."""
    return SYSTEM.type if kernel_serves(FAMILY) else NETDEV.type


def kernel_serves(family: str) -> bool:
    """Whether the kernel has a family of generic netlink."""
    name = ("CTRL_ATTR_FAMILY_NAME", family)
    try:
        with netlink(ROOT, NETLINK_GENERIC) as kernel:
            kernel.get(GENL_ID_CTRL, ctrlmsg, name, cmd=CTRL_CMD_GETFAMILY, version=1)
    except OSError as error:
        return error.errno != errno.ENOENT
    return True
