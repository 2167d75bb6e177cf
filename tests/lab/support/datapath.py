"""What tests of lab hosts expect of the datapath of this kernel: with Open vSwitch's module, or
without."""

from __future__ import annotations

from dvr_ryu.companion.providers.netlink.datapath import datapath_type
from dvr_ryu.lab.hosts.cabling import NIC
from dvr_ryu.lab.hosts.openvswitch import PHYSICAL_BRIDGE

BY_KERNEL = datapath_type() == "system"
"""Whether the kernel's module forwards; otherwise ovs-vswitchd itself does."""
DEVICE = NIC if BY_KERNEL else PHYSICAL_BRIDGE
"""The device with a host's underlay address."""
OVERSIZE = 0 if BY_KERNEL else 4
"""The bytes by which a packet may exceed its sender's MTU and still reach the router. Without the
module it is the room that a veth leaves for a VLAN tag."""


def widened(mtu: int) -> str:
    """The command by which that device gets another MTU."""
    if BY_KERNEL:
        return f"ip link set {DEVICE} mtu {mtu}"
    return f"ovs-vsctl set Interface {DEVICE} mtu_request={mtu}"
