"""Which programs it takes to make resources true. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from dvr_ryu.companion.desired.firewall import HookedChain
from dvr_ryu.companion.desired.tls import SwitchTls
from dvr_ryu.companion.resources import kinds
from dvr_ryu.companion.resources.kinds import Resource


def programs_of(resources: Iterable[Resource]) -> set[str]:
    """The programs that are run to make these resources, and to keep them."""
    needed: set[str] = set()
    for resource in resources:
        match resource:
            case kinds.Namespace():
                needed.add("ip")  # by an instance's DHCP client, and to move an instance
            case SwitchTls():
                needed.add("openssl")  # which looks whether keys and certificates are good
            case kinds.Bridge():
                needed.add("ovs-ofctl")
            case kinds.Chain() | HookedChain():
                needed |= {"iptables-restore", "iptables-save"}
            case kinds.Process():
                needed.add(resource.argv[0])
    return needed
