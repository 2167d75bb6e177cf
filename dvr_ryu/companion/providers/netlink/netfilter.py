"""Ask the kernel by netlink for the netfilter rules of a namespace that iptables does not show.

Each change of nftables, and of iptables where that is nftables, gives the namespace another
generation. So unchanged rules need no reading. Legacy tables have no generation; but a namespace
has no such tables until a program uses them in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from pyroute2.netlink.nfnetlink import NFNL_SUBSYS_NFTABLES
from pyroute2.netlink.nfnetlink.nftsocket import (
    NFT_MSG_GETCHAIN,
    NFT_MSG_GETGEN,
    NFT_MSG_GETRULE,
    nft_chain_msg,
    nft_gen_msg,
    nft_rule_msg,
)

from dvr_ryu.companion.providers.netlink.client import Netlink
from dvr_ryu.companion.providers.netlink.messages import Message, as_text, values

LEGACY = Path("/proc/thread-self/net/ip_tables_names")
FRESH = 1
"""The generation of a namespace without any change."""
OF_IPTABLES = ("filter", "mangle", "nat", "raw", "security")
"""The tables of iptables that is nftables, all of IPv4."""

_NFTABLES = NFNL_SUBSYS_NFTABLES << 8
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
        (reply,) = kernel.get(_NFTABLES | NFT_MSG_GETGEN, nft_gen_msg)
        return int(*values(reply, "NFTA_GEN_ID"))
    return None


def legacy_tables() -> tuple[str, ...]:
    """The legacy tables of the caller's namespace."""
    with suppress(OSError):
        return tuple(LEGACY.read_text().split())
    return ()


def nft_chains(kernel: Netlink) -> Iterator[NftChain]:
    """Yield the chains of nftables that may affect packets, including iptables' own."""
    counts: Counter[tuple[int, str, str]] = Counter()
    drops: set[tuple[int, str, str]] = set()
    for rule in kernel.dump(_NFTABLES | NFT_MSG_GETRULE, nft_rule_msg):
        counts[_chain(rule, "NFTA_RULE_TABLE", "NFTA_RULE_CHAIN")] += 1
    for chain in kernel.dump(_NFTABLES | NFT_MSG_GETCHAIN, nft_chain_msg):
        if values(chain, "NFTA_CHAIN_POLICY") == [_DROP]:
            drops.add(_chain(chain, "NFTA_CHAIN_TABLE", "NFTA_CHAIN_NAME"))
    for family, table, name in sorted({*counts, *drops}):
        if family in FAMILIES:
            key = family, table, name
            yield NftChain(FAMILIES[family], table, name, counts[key], key in drops)


def _chain(found: Message, *names: str) -> tuple[int, str, str]:
    table, name = map(as_text, values(found, *names))
    return found["nfgen_family"], table, name


def is_of_iptables(chain: NftChain) -> bool:
    """Whether iptables shows it, where that is nftables."""
    return chain.family == FAMILIES[_IPV4] and chain.table in OF_IPTABLES
