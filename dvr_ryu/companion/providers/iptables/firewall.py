"""Our chains in the host's own filter table and the rules that jump to them; all else stays alone.

One atomic iptables-restore makes each, with its hook. A note records that chains may exist: on a
host without it the companion does not run iptables.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from dvr_ryu.companion.providers import notes
from dvr_ryu.companion.providers.commands import run
from dvr_ryu.companion.providers.provider import Look, Provider
from dvr_ryu.companion.resources.netfilter.hooked_chain import NOTE, HookedChain

HOOKS = ("INPUT", "FORWARD")


class HookedChains(Provider):
    """The provider of chains in the host's own namespace."""

    kinds = (HookedChain,)
    waits = True

    def read(self, look: Look) -> Sequence[HookedChain]:
        """Return our chains."""
        return list(_read())

    def make(self, resources: Sequence[HookedChain]) -> None:
        """Write whole chains, and hook each in once, before all other rules."""
        notes.replace(Path(NOTE), "")
        made = [f":{resource.name} - [0:0]" for resource in resources]
        made += [f"-A {resource.name} {rule}" for resource in resources for rule in resource.rules]
        hooked = [f"-I {resource.hook} 1 {resource.jump}" for resource in resources]
        _restore([*made, *_unhooked(resources), *hooked])

    def remove(self, resources: Sequence[HookedChain]) -> None:
        """Remove chains and, with the last one, the note."""
        lines = [f"{verb} {resource.name}" for resource in resources for verb in ("-F", "-X")]
        _restore([*_unhooked(resources), *lines])
        if not any(_read()):
            notes.remove(Path(NOTE))


def _read() -> Iterator[HookedChain]:
    """Yield our chains."""
    if Path(NOTE).exists():
        yield from _found(_saved())


def _saved() -> Mapping[str, list[str]]:
    """The chains of the filter table, each with its rules."""
    chains: dict[str, list[str]] = {}
    for line in run(["iptables-save", "-t", "filter"]).splitlines():
        if line.startswith(":"):
            chains[line[1:].split()[0]] = []
        elif line.startswith("-A "):
            name, rule = appended(line)
            # A machine without /etc/protocols has no name for GRE.
            chains.setdefault(name, []).append(rule.replace("-p gre ", "-p 47 "))
    return chains


def appended(line: str) -> tuple[str, str]:
    """Chain and rule of a line "-A CHAIN RULE"; a rule that only counts packets is empty."""
    name, _, rule = line.removeprefix("-A ").strip().partition(" ")
    return name, rule


def _found(chains: Mapping[str, list[str]]) -> Iterator[HookedChain]:
    for hook in HOOKS:
        chain = HookedChain(hook, ())
        if chain.name in chains:
            asked = chains.get(hook, [])
            first = asked[:1] == [chain.jump] and asked.count(chain.jump) == 1
            yield HookedChain(hook, tuple(chains[chain.name]), first)


def _unhooked(resources: Sequence[HookedChain]) -> list[str]:
    """The lines that remove the rules which lead into chains, as many as there are."""
    chains = _saved()
    hooks = {
        resource: Counter(chains.get(resource.hook, ()))[resource.jump] for resource in resources
    }
    return [
        f"-D {resource.hook} {resource.jump}"
        for resource, count in hooks.items()
        for _ in range(count)
    ]


def _restore(lines: Sequence[str]) -> None:
    text = "\n".join(["*filter", *lines, "COMMIT", ""])
    run(["iptables-restore", "--noflush", "--wait"], text)
