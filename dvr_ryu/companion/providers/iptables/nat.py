"""Read and write iptables chains in our namespaces, by iptables-save and one atomic
iptables-restore for each; likewise ip6tables chains, where some are desired.

Ours are the chains named neutron-*, the kernel's own nat chains, raw PREROUTING and mangle
POSTROUTING, in namespaces of ours only. All other chains are foreign: the provider leaves them
alone and reports them. For our chains in the host's own namespace, see `firewall`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from operator import attrgetter
from typing import NamedTuple

from dvr_ryu.companion.foreign import FirewallRules
from dvr_ryu.companion.providers.commands import path_of, run
from dvr_ryu.companion.providers.iptables.firewall import appended
from dvr_ryu.companion.providers.netlink import netfilter
from dvr_ryu.companion.providers.netlink.client import Netlink, nfnetlink
from dvr_ryu.companion.providers.netlink.namespaces import THIS_THREAD, exists, inside
from dvr_ryu.companion.providers.provider import Look, Provider
from dvr_ryu.companion.resources.namespace import Namespace, by_namespace
from dvr_ryu.companion.resources.netfilter.chain import Chain
from dvr_ryu.topology.family import Family

KERNEL_CHAINS = (
    ("nat", "PREROUTING"),
    ("nat", "OUTPUT"),
    ("nat", "POSTROUTING"),
    ("raw", "PREROUTING"),
    ("mangle", "POSTROUTING"),
)
AT_ONCE = 4
"""The number of programs run at a time: we wait for each while it starts."""
TRANSLATING = ("qrouter-", "snat-", "fip-")
"""The namespaces that have chains of ours."""
READ = (*TRANSLATING, "qdhcp-")
"""The namespaces in which a foreign rule is in our way; an instance's rules are its own affair."""
OWN = "neutron-"
"""The prefix of our chains' names, except the kernel's own chains."""
_INCOMPATIBLE = re.compile("[Tt]able `([a-z]+)' is incompatible")
"""The message of iptables-save about one of its tables with foreign rules that it cannot show."""


class Rules(NamedTuple):
    """The rules of a namespace."""

    chains: tuple[Chain, ...] = ()
    foreign: tuple[FirewallRules, ...] = ()
    """The foreign rules there, which no chain of ours shows."""


class _State(NamedTuple):
    """The values by which a namespace's rules count as unchanged; legacy tables have none."""

    namespace: int
    """Its inode."""
    generation: int | None
    legacy: tuple[str, ...]

    def is_fresh(self) -> bool:
        """Whether netfilter is unused there."""
        return self.generation == netfilter.FRESH and not self.legacy

    def tells_all(self, by_nftables: bool) -> bool:
        """Whether an equal state proves equal rules."""
        return by_nftables and self.generation is not None and not self.legacy


class Reader:
    """Reads namespaces, and again those in which something may have changed since."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[_State, Rules]] = {}
        self._families: tuple[Family, ...] = ()
        self._by_nftables = False
        """Whether iptables is nftables on this host."""

    def read(
        self, namespaces: Iterable[str], families: tuple[Family, ...] = (Family.IPV4,)
    ) -> Rules:
        """Return the chains of namespaces and the foreign rules there; it reads several at a
        time."""
        if families != self._families:
            self._families, self._seen = families, {}
        asked = [namespace for namespace in namespaces if namespace.startswith(READ)]
        path = path_of("iptables-save")
        self._by_nftables = path is not None and "nft" in os.path.basename(os.path.realpath(path))
        with ThreadPoolExecutor(AT_ONCE) as pool:
            found = list(pool.map(self._read, asked))
        self._seen = {name: self._seen[name] for name in asked if name in self._seen}
        each = chain.from_iterable
        return Rules(
            tuple(each(rules.chains for rules in found)),
            tuple(each(rules.foreign for rules in found)),
        )

    def _read(self, namespace: str) -> Rules:
        with nfnetlink(namespace) as kernel:
            inode = os.stat(THIS_THREAD).st_ino
            state = _State(inode, netfilter.generation(kernel), netfilter.legacy_tables())
            seen = self._seen.get(namespace)
            if seen and seen[0] == state and state.tells_all(self._by_nftables):
                return seen[1]
            rules = Rules() if state.is_fresh() else self._rules(namespace, state, kernel)
        self._seen[namespace] = state, rules
        return rules

    def _rules(self, namespace: str, state: _State, kernel: Netlink) -> Rules:
        """The rules of the caller's namespace."""
        chains: list[Chain] = []
        foreign: list[FirewallRules] = []
        ours = namespace.startswith(TRANSLATING)
        saved = {each: run([f"{each.iptables}-save"]) for each in self._families}
        for family, text in saved.items():
            its, of_others = _parse(namespace, family.iptables, text, ours, family)
            chains += its
            foreign += of_others
        if self._by_nftables and state.legacy and path_of("iptables-legacy-save"):
            saved_too = run(["iptables-legacy-save"])
            foreign += _parse(namespace, "iptables-legacy", saved_too, ours=False)[1]
        if state.generation is not None:
            unshown = {*_INCOMPATIBLE.findall(saved[Family.IPV4])}
            for each in netfilter.nft_chains(kernel):
                of_iptables = netfilter.is_of_iptables(each) and each.table not in unshown
                if not (of_iptables and self._by_nftables):
                    foreign.append(_as_foreign(namespace, each))
        return Rules(tuple(chains), tuple(foreign))


class Chains(Provider):
    """The provider of chains in our namespaces."""

    kinds = (Chain,)
    waits = True

    def __init__(self) -> None:
        self._reader = Reader()
        self.foreign: tuple[FirewallRules, ...] = ()
        """The foreign rules that the last look saw in our namespaces."""

    def read(self, look: Look) -> Sequence[Chain]:
        """Return our chains."""
        families = {Family.IPV4, *(chain.family for chain in look.wanted(Chain))}
        namespaces = (each.name for each in look.found(Namespace))
        rules = self._reader.read(namespaces, tuple(sorted(families)))
        self.foreign = rules.foreign
        return rules.chains

    def make(self, resources: Sequence[Chain]) -> None:
        """Write whole chains; those of one namespace together."""
        _restore(resources, with_rules=True)

    def remove(self, resources: Sequence[Chain]) -> None:
        """Empty chains, and remove those that are not the kernel's own."""
        _restore(resources, with_rules=False)


def _as_foreign(namespace: str, chain: netfilter.NftChain) -> FirewallRules:
    name = f"{chain.family} {chain.table} {chain.name}"
    return FirewallRules(namespace, "nft", name, chain.rules, drops=chain.drops)


def _parse(
    namespace: str, tool: str, saved: str, ours: bool, family: Family = Family.IPV4
) -> tuple[list[Chain], list[FirewallRules]]:
    """Chains as iptables-save prints them: ours, if there may be some, and foreign ones."""
    rules: dict[tuple[str, str], list[str]] = {}
    drops: set[tuple[str, str]] = set()
    table = ""
    for line in saved.splitlines():
        if line.startswith("*"):
            table = line[1:]
        elif line.startswith(":"):
            name, policy, *_ = line[1:].split()
            if name.startswith(OWN):
                rules.setdefault((table, name), [])
            elif policy == "DROP":
                drops.add((table, name))
        elif line.startswith("-A "):
            name, rule = appended(line)
            rules.setdefault((table, name), []).append(rule)
    mine = {w for w in rules if ours and (w in KERNEL_CHAINS or w[1].startswith(OWN))}
    chains = [
        Chain(namespace, *where, tuple(its), family)
        for where, its in rules.items()
        if where in mine
    ]
    foreign = [
        FirewallRules(namespace, tool, " ".join(where), len(its), its[0] if its else "", drops=drop)
        for where in sorted({*rules, *drops} - mine)
        for its, drop in ((rules.get(where, []), where in drops),)
        if its or drop
    ]
    return chains, foreign


def _restore(resources: Sequence[Chain], with_rules: bool) -> None:
    for namespace, group in by_namespace(resources):
        if exists(namespace):
            with inside(namespace):
                for tool, its in by_namespace(group, attrgetter("family.iptables")):
                    tables = by_namespace(its, attrgetter("table"))
                    text = "".join(_table(name, chains, with_rules) for name, chains in tables)
                    run([f"{tool}-restore", "--noflush", "--wait"], text)


def _table(name: str, chains: Sequence[Chain], with_rules: bool) -> str:
    """The text of iptables-restore: naming a chain makes it, and empties it if it was there."""
    own = [chain for chain in chains if (chain.table, chain.name) not in KERNEL_CHAINS]
    lines = [f"*{name}"]
    lines += [f":{chain.name} - [0:0]" for chain in own]
    lines += [f"-F {chain.name}" for chain in chains if chain not in own]
    if with_rules:
        lines += [f"-A {chain.name} {rule}" for chain in chains for rule in chain.rules]
    else:
        lines += [f"-X {chain.name}" for chain in own]
    return "\n".join([*lines, "COMMIT", ""])
