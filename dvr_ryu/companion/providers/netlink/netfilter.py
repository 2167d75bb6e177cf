"""What netfilter has in a namespace besides what iptables shows: asked of the kernel, by netlink.

Each change of nftables, and of iptables where that is nftables, gives the namespace another
generation. So nobody needs to read rules that are as they were. Legacy tables have none; but a
namespace has no such tables until somebody uses them in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from struct import Struct
from typing import NamedTuple

from dvr_ryu.companion.providers.netlink.client import Netlink, as_text

LEGACY = Path("/proc/thread-self/net/ip_tables_names")
FRESH = 1
"""The generation of a namespace in which nobody has changed anything."""
OF_IPTABLES = ("filter", "mangle", "nat", "raw", "security")
"""The tables of iptables that is nftables, all of IPv4."""

# <linux/netfilter/nf_tables.h>, <linux/netfilter.h>
NETLINK_NETFILTER = 12
_NFTABLES = 10 << 8
_GET_CHAINS, _GET_RULES, _GET_GENERATION = _NFTABLES | 4, _NFTABLES | 7, _NFTABLES | 16
_GENERIC, _NUMBER = Struct("=BBH"), Struct("!I")
_TABLE, _RULE_CHAIN, _CHAIN_NAME, _CHAIN_POLICY, _GENERATION_ID = 1, 2, 3, 5, 1
_DROP = 0
_IPV4 = 2
FAMILIES = {1: "inet", _IPV4: "ip", 3: "arp", 5: "netdev", 7: "bridge"}
"""Number → nft's word for a family whose tables see IPv4."""


class NftChain(NamedTuple):
    """A chain of nftables that has rules, or a policy that drops."""

    family: str
    table: str
    name: str
    rules: int
    drops: bool


def generation(kernel: Netlink) -> int | None:
    """The generation of nftables in a namespace; None if this kernel has no nftables."""
    with suppress(OSError):
        (answer,) = kernel.get(_GET_GENERATION, _GENERIC.pack(0, 0, 0), _GENERIC.size)
        return int(_NUMBER.unpack(answer.attributes[_GENERATION_ID])[0])
    return None


def legacy_tables() -> tuple[str, ...]:
    """The legacy tables of the namespace in which the caller is."""
    with suppress(OSError):
        return tuple(LEGACY.read_text().split())
    return ()


def nft_chains(kernel: Netlink) -> Iterator[NftChain]:
    """Yield the chains of nftables that may do something to packets; iptables' own among them."""
    counts: Counter[tuple[str, str, str]] = Counter()
    drops: set[tuple[str, str, str]] = set()
    for type, named in ((_GET_RULES, _RULE_CHAIN), (_GET_CHAINS, _CHAIN_NAME)):
        for header, attributes in kernel.dump(type, _GENERIC.pack(0, 0, 0), _GENERIC.size):
            family = FAMILIES.get(header[0])
            if family is None:
                continue
            chain = family, as_text(attributes[_TABLE]), as_text(attributes[named])
            if type == _GET_RULES:
                counts[chain] += 1
            elif _NUMBER.unpack(attributes.get(_CHAIN_POLICY, b"\xff" * 4)) == (_DROP,):
                drops.add(chain)
    for chain in sorted({*counts, *drops}):
        yield NftChain(*chain, counts[chain], chain in drops)


def is_of_iptables(chain: NftChain) -> bool:
    """Whether iptables shows it, where that is nftables."""
    return chain.family == FAMILIES[_IPV4] and chain.table in OF_IPTABLES
