"""What must change on a host: should minus is, as facts to remove, change and add. Pure.

What ends with something else (an address with its device) is not removed by itself, and is added
again if it should be. What the kernel makes with something else, or ends with it, is no part of a
change that does so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TypeAlias

from attrs import frozen

from dvr_ryu.companion.facts.kernel_made import KernelRoute, needs
from dvr_ryu.companion.facts.kinds import Device, Fact, Key, device_key
from dvr_ryu.companion.facts.words import describe
from dvr_ryu.reconcile import Difference, Replacement, order, subtract

Steps: TypeAlias = "tuple[tuple[Fact, ...], ...]"
"""Facts in the order of their making, or in the reverse. Within a step none needs another."""


@frozen
class Change:
    """What ends, what becomes another, and what is new."""

    removals: Steps
    """What must be removed by itself."""
    removed: tuple[Fact, ...]
    """All that ends, with what is not removed by itself."""
    changed: tuple[Replacement[Fact], ...]
    added: tuple[Fact, ...]
    readdressed: tuple[Fact, ...]
    """Devices that get other MACs, and what stays on them: others know it by the old ones."""

    @property
    def made(self) -> tuple[Fact, ...]:
        """What is added, and the new values of what is changed."""
        return (*self.added, *(both.new for both in self.changed))

    @property
    def makings(self) -> Steps:
        """What is made, in steps."""
        made = {fact.key: fact for fact in self.made}
        return tuple(_steps(made, made))

    def __bool__(self) -> bool:
        return len(self) > 0

    def __len__(self) -> int:
        return len(self.removed) + len(self.changed) + len(self.added)

    def summary(self) -> str:
        """How many facts of which kinds, in one line: "+3 address, +1 rule, -2 route"."""
        parts = [("-", self.removed), ("~", [each.new for each in self.changed]), ("+", self.added)]
        counts = Counter(f"{sign}{{}} {fact.kind}" for sign, facts in parts for fact in facts)
        return ", ".join(words.format(count) for words, count in counts.items()) or "no change"

    def lines(self) -> Iterator[str]:
        """One line for each fact: "-" what ends, "~" what becomes another, "+" what is new."""
        for fact in self.removed:
            yield f"- {describe(fact)}"
        for replacement in self.changed:
            yield f"~ {describe(replacement.new)}"
        for fact in self.added:
            yield f"+ {describe(fact)}"


def change(should: Iterable[Fact], is_: Iterable[Fact]) -> Change:
    """Return what turns a host on which `is_` holds into one on which `should` holds."""
    wanted = {fact.key: fact for fact in should}
    present = {fact.key: fact for fact in is_}
    rest = subtract(wanted, present)
    removed = rest.removed
    lost = _without_container(removed, present)
    if lost:
        rest = subtract(wanted, {key: fact for key, fact in present.items() if key not in lost})
    by_itself = {key for key in removed if key not in lost or removed[key].outlives_container}
    raised = {key for key, both in rest.changed.items() if _comes_up(both)}
    return Change(
        removals=tuple(reversed(_steps(removed, by_itself))),
        removed=tuple(f for key, f in removed.items() if not (f.by_kernel and key in lost)),
        changed=tuple(rest.changed.values()),
        added=tuple(f for f in rest.added.values() if not _is_made_with(f, rest.added, raised)),
        readdressed=tuple(_readdressed(wanted, rest)),
    )


def _comes_up(both: Replacement[Fact]) -> bool:
    old, new = both.old, both.new
    return isinstance(old, Device) and isinstance(new, Device) and new.up and not old.up


def _is_made_with(fact: Fact, added: Collection[Key], raised: Collection[Key]) -> bool:
    """Whether the kernel makes it with what else is made: its container, or its device, now up."""
    if not fact.by_kernel:
        return False
    on = device_key(fact.namespace, fact.device) if isinstance(fact, KernelRoute) else None
    return fact.container in added or on in raised


def _readdressed(wanted: Mapping[Key, Fact], rest: Difference[Key, Fact]) -> Iterator[Fact]:
    devices = {
        key
        for key, both in rest.changed.items()
        if isinstance(both.new, Device)
        and isinstance(both.old, Device)
        and both.new.mac != both.old.mac
    }
    if devices:
        for key, fact in wanted.items():
            if key in devices or (fact.container in devices and key not in rest.added):
                yield fact


def _without_container(ending: Mapping[Key, Fact], present: Mapping[Key, Fact]) -> set[Key]:
    """The keys of facts whose container ends, or is gone already, or has no container itself."""
    contents: dict[Key, list[Key]] = {}
    for key, fact in present.items():
        if fact.container is not None:
            contents.setdefault(fact.container, []).append(key)
    lost: set[Key] = set()
    open_keys = [*ending, *(key for key in contents if key not in present)]
    while open_keys:
        for key in contents.get(open_keys.pop(), ()):
            if key not in lost:
                lost.add(key)
                open_keys.append(key)
    return lost


def _steps(facts: Mapping[Key, Fact], wanted: Collection[Key]) -> list[tuple[Fact, ...]]:
    """The wanted ones of facts, in steps that heed the needs of all."""

    needed = needs(facts.values())
    ordered = order(facts, needed.__getitem__)
    steps = (tuple(facts[key] for key in step if key in wanted) for step in ordered)
    return [step for step in steps if step]
