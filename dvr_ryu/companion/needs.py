"""Which programs it takes to make facts true. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from dvr_ryu.companion.facts import kinds
from dvr_ryu.companion.facts.firewall import HookedChain
from dvr_ryu.companion.facts.kinds import Fact
from dvr_ryu.companion.facts.tls import SwitchTls


def programs_of(facts: Iterable[Fact]) -> set[str]:
    """The programs that are run to make these facts, and to keep them."""
    needed: set[str] = set()
    for fact in facts:
        match fact:
            case kinds.Namespace():
                needed.add("ip")  # by an instance's DHCP client, and to move an instance
            case SwitchTls():
                needed.add("openssl")  # which looks whether keys and certificates are good
            case kinds.Bridge():
                needed.add("ovs-ofctl")
            case kinds.Chain() | HookedChain():
                needed |= {"iptables-restore", "iptables-save"}
            case kinds.Process():
                needed.add(fact.argv[0])
    return needed
