"""Which programs it takes to make resources true. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from dvr_ryu.companion.resources.namespace import Namespace
from dvr_ryu.companion.resources.netfilter.chain import Chain
from dvr_ryu.companion.resources.netfilter.hooked_chain import HookedChain
from dvr_ryu.companion.resources.openvswitch.bridge import Bridge
from dvr_ryu.companion.resources.openvswitch.tls import SwitchTls
from dvr_ryu.companion.resources.process import Process
from dvr_ryu.companion.resources.resource import Resource


def programs_of(resources: Iterable[Resource]) -> set[str]:
    """The programs that are run to make these resources, and to keep them."""
    needed: set[str] = set()
    for resource in resources:
        match resource:
            case Namespace():
                needed.add("ip")  # by an instance's DHCP client, and to move an instance
            case SwitchTls():
                needed.add("openssl")  # which looks whether keys and certificates are good
            case Bridge():
                needed.add("ovs-ofctl")
            case Chain() | HookedChain():
                needed |= {"iptables-restore", "iptables-save"}
            case Process():
                needed.add(resource.argv[0])
    return needed
