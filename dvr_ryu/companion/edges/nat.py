"""Chains of iptables in our namespaces, by iptables-save and one atomic iptables-restore for each.

Ours are the chains named neutron-*, the kernel's own nat chains and raw PREROUTING, in namespaces
of ours only. The filter table stays whoever's it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from dvr_ryu.companion.edges.commands import run
from dvr_ryu.companion.edges.namespaces import exists, inside
from dvr_ryu.companion.facts.kinds import Chain

KERNEL_CHAINS = (
    ("nat", "PREROUTING"),
    ("nat", "OUTPUT"),
    ("nat", "POSTROUTING"),
    ("raw", "PREROUTING"),
)
TRANSLATING = ("qrouter-", "snat-", "fip-")
"""The namespaces that have chains; the others are not asked, which saves a process for each."""


def read(namespace: str) -> Iterator[Chain]:
    """Yield the chains of a namespace in which the caller is."""
    if not namespace.startswith(TRANSLATING):
        return
    rules: dict[tuple[str, str], list[str]] = {}
    table = ""
    for line in run(["iptables-save"]).splitlines():
        if line.startswith("*"):
            table = line[1:]
        elif line.startswith(":neutron-"):
            rules.setdefault((table, line[1:].split()[0]), [])
        elif line.startswith("-A "):
            _, chain, rule = line.split(" ", 2)
            if (table, chain) in KERNEL_CHAINS or chain.startswith("neutron-"):
                rules.setdefault((table, chain), []).append(rule.rstrip())
    for (table, chain), lines in rules.items():
        yield Chain(namespace, table, chain, tuple(lines))


def make(facts: Sequence[Chain]) -> None:
    """Write whole chains; those of one namespace at once."""
    _restore(facts, with_rules=True)


def unmake(facts: Sequence[Chain]) -> None:
    """Empty chains, and remove those that are not the kernel's own."""
    _restore(facts, with_rules=False)


def _restore(facts: Sequence[Chain], with_rules: bool) -> None:
    by_place = sorted(facts, key=lambda fact: (fact.namespace, fact.table))
    for namespace, group in groupby(by_place, key=lambda fact: fact.namespace):
        if exists(namespace):
            tables = groupby(group, key=lambda fact: fact.table)
            text = "".join(_table(name, list(chains), with_rules) for name, chains in tables)
            with inside(namespace):
                run(["iptables-restore", "--noflush", "--wait"], text)


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
