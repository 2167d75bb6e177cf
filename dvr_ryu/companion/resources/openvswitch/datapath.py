"""Open vSwitch's two datapaths, and all that dvr_ryu does differently for them. Pure.

No other module asks for a type by its text. docs/datapaths.rst tells the differences that users
see.
"""

from __future__ import annotations

from attrs import frozen


@frozen
class Datapath:
    """What a datapath can do; `type` is its name in OVSDB."""

    type: str
    offloads: bool
    """Whether a packet may reach a port without its checksum, or as a segment that is still to be
    cut. Without that, devices compute checksums themselves, and a port's device in a namespace is
    the inner end of a pair of veth devices: Open vSwitch's own is not found there once
    ovs-vswitchd starts again.
    """
    kernels_tunnels: bool
    """Whether tunnels' packets go through the host's own stack: its modules make them, its firewall
    judges them, and the underlay's address may be on any device. Otherwise that device must be a
    bridge of Open vSwitch.
    """
    needs_taps: bool
    """Whether Open vSwitch makes the devices of its bridges and ports by /dev/net/tun."""


SYSTEM = Datapath("system", offloads=True, kernels_tunnels=True, needs_taps=False)
"""The kernel's openvswitch module."""
NETDEV = Datapath("netdev", offloads=False, kernels_tunnels=False, needs_taps=True)
"""The userspace datapath, in ovs-vswitchd itself, where the kernel lacks the module."""

_BY_TYPE = {each.type: each for each in (SYSTEM, NETDEV)}


def datapath(of_type: str) -> Datapath:
    """The datapath of a type of OVSDB; Open vSwitch itself takes the empty one for "system"."""
    return _BY_TYPE[of_type or SYSTEM.type]
