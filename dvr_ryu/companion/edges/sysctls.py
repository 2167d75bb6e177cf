"""Kernel settings, by /proc/sys: of our namespaces and devices, and the few of the host itself.

What a setting of the host was before is noted first, and put back when it is unmade.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from dvr_ryu.companion.edges.files import replace
from dvr_ryu.companion.edges.namespaces import by_place, inside
from dvr_ryu.companion.facts.kinds import RUN_DIRECTORY, HostSysctl, Sysctl, namespace_key

PROC = Path("/proc/sys")
NOTES = Path(RUN_DIRECTORY, "sysctls")


def note(name: str) -> Path:
    """The file that keeps what a setting of the host was before."""
    return NOTES / name.replace("/", ".")


def read(wanted: Iterable[Sysctl]) -> Iterator[Sysctl]:
    """Yield the present values of settings, in the namespace in which the caller is.

    A setting that this kernel does not have (no IPv6, no conntrack yet) is as it should be.
    """
    for fact in wanted:
        try:
            with open(f"{PROC}/{fact.name}") as file:
                value = file.read().strip()
        except FileNotFoundError:
            if fact.container == namespace_key(fact.namespace) or _lacks_ipv6(fact):
                yield fact
        else:
            yield Sysctl(fact.namespace, fact.name, value, fact.container)


def _lacks_ipv6(fact: Sysctl) -> bool:
    return fact.name.startswith("net/ipv6/") and not (PROC / "net/ipv6").exists()


def make(facts: Sequence[Sysctl]) -> None:
    """Set values, namespace by namespace."""
    for namespace, group in by_place(facts):
        with inside(namespace):
            for fact in group:
                if (PROC / fact.name).exists():
                    (PROC / fact.name).write_text(fact.value)


def unmake(facts: Sequence[Sysctl]) -> None:
    """Nothing: a value that nobody asks for any more harms nobody, and ends with its namespace."""


def read_host() -> Iterator[HostSysctl]:
    """Yield the settings of the host that we noted to have set, with their present values."""
    if NOTES.is_dir():
        for noted in sorted(NOTES.glob("net.*")):
            name = noted.name.replace(".", "/")
            yield HostSysctl(name, (PROC / name).read_text().strip())


def make_host(facts: Sequence[HostSysctl]) -> None:
    """Note what the host has, then set values."""
    NOTES.mkdir(parents=True, exist_ok=True)
    for fact in facts:
        noted = note(fact.name)
        if not noted.exists():
            replace(noted, (PROC / fact.name).read_text())
        (PROC / fact.name).write_text(fact.value)


def unmake_host(facts: Sequence[HostSysctl]) -> None:
    """Put back what was noted."""
    for fact in facts:
        noted = note(fact.name)
        (PROC / fact.name).write_text(noted.read_text())
        noted.unlink()
