"""Chains of iptables in our namespaces, by iptables-save and one atomic iptables-restore for each.

Ours are the chains named neutron-*, the kernel's own nat chains, raw PREROUTING and mangle
POSTROUTING, in namespaces of ours only. The filter table stays whoever's it is; for what the host's
own has of ours, see `firewall`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from operator import attrgetter

from dvr_ryu.companion.edges.commands import run
from dvr_ryu.companion.edges.namespaces import by_place, exists, inside
from dvr_ryu.companion.facts.kinds import Chain

KERNEL_CHAINS = (
    ("nat", "PREROUTING"),
    ("nat", "OUTPUT"),
    ("nat", "POSTROUTING"),
    ("raw", "PREROUTING"),
    ("mangle", "POSTROUTING"),
)
AT_ONCE = 4
"""How many programs are asked at a time: each keeps us waiting while it starts."""
TRANSLATING = ("qrouter-", "snat-", "fip-")
"""The namespaces that have chains; the others are not asked, which saves a process for each."""


def read(places: Iterable[str]) -> list[Chain]:
    """Return the chains of namespaces; several are asked at a time."""
    asked = [place for place in places if place.startswith(TRANSLATING)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(chain.from_iterable(pool.map(_read, asked)))


def _read(namespace: str) -> list[Chain]:
    with inside(namespace):
        saved = run(["iptables-save"])
    rules: dict[tuple[str, str], list[str]] = {}
    table = ""
    for line in saved.splitlines():
        if line.startswith("*"):
            table = line[1:]
        elif line.startswith(":neutron-"):
            rules.setdefault((table, line[1:].split()[0]), [])
        elif line.startswith("-A "):
            _, name, rule = line.split(" ", 2)
            if (table, name) in KERNEL_CHAINS or name.startswith("neutron-"):
                rules.setdefault((table, name), []).append(rule.rstrip())
    return [Chain(namespace, *where, tuple(lines)) for where, lines in rules.items()]


def make(facts: Sequence[Chain]) -> None:
    """Write whole chains; those of one namespace at once."""
    _restore(facts, with_rules=True)


def unmake(facts: Sequence[Chain]) -> None:
    """Empty chains, and remove those that are not the kernel's own."""
    _restore(facts, with_rules=False)


def _restore(facts: Sequence[Chain], with_rules: bool) -> None:
    for namespace, group in by_place(facts):
        if exists(namespace):
            tables = by_place(group, attrgetter("table"))
            text = "".join(_table(name, chains, with_rules) for name, chains in tables)
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
