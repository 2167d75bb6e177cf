"""Kernel settings, by /proc/sys: of our namespaces and devices, of instances' cards, and the few of
the host itself.

What a setting of what goes on was before is noted first, and put back when it is unmade.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path

from attrs import evolve

from dvr_ryu.companion.edges.files import replace
from dvr_ryu.companion.edges.namespaces import by_place, exists, inside
from dvr_ryu.companion.facts.kinds import RUN_DIRECTORY, KeptSysctl, Sysctl, namespace_key

PROC = Path("/proc/sys")
NOTES = Path(RUN_DIRECTORY, "sysctls")


def note(fact: KeptSysctl) -> Path:
    """The file that keeps what a setting was before."""
    name = fact.name.replace("/", ".")
    return NOTES / (f"{fact.namespace}:{name}" if fact.namespace else name)


def read(wanted: Iterable[Sysctl]) -> Iterator[Sysctl]:
    """Yield the present values of settings, in the namespace in which the caller is.

    A setting that this kernel does not have (no IPv6, no conntrack yet) is as it should be.
    """
    for fact in wanted:
        value = _value(fact.name)
        if value is not None:
            yield Sysctl(fact.namespace, fact.name, value, fact.container)
        elif fact.container == namespace_key(fact.namespace) or _lacks_ipv6(fact):
            yield fact


def _lacks_ipv6(fact: Sysctl) -> bool:
    return fact.name.startswith("net/ipv6/") and not (PROC / "net/ipv6").exists()


def make(facts: Sequence[Sysctl]) -> None:
    """Set values, namespace by namespace."""
    for namespace, group in by_place(facts):
        with inside(namespace):
            for fact in group:
                _set(fact.name, fact.value)


def unmake(facts: Sequence[Sysctl]) -> None:
    """Nothing: a value that nobody asks for any more harms nobody, and ends with its namespace."""


def read_kept() -> Iterator[KeptSysctl]:
    """Yield the settings that we noted to have set, with their present values; none if that which
    had it is gone.
    """
    if NOTES.is_dir():
        noted = [_noted(path.name) for path in sorted(NOTES.iterdir())]
        for namespace, group in by_place(noted):
            with inside(namespace) if exists(namespace) else nullcontext():
                for fact in group:
                    present = _value(fact.name) if exists(namespace) else None
                    yield evolve(fact, value=present or "")


def _noted(file: str) -> KeptSysctl:
    namespace, _, name = file.rpartition(":")
    return KeptSysctl(namespace, name.replace(".", "/"), "")


def make_kept(facts: Sequence[KeptSysctl]) -> None:
    """Note what there is, then set values."""
    NOTES.mkdir(parents=True, exist_ok=True)
    for namespace, group in by_place(facts):
        with inside(namespace):
            for fact in group:
                noted = note(fact)
                if not noted.exists():
                    replace(noted, (PROC / fact.name).read_text())
                (PROC / fact.name).write_text(fact.value)


def unmake_kept(facts: Sequence[KeptSysctl]) -> None:
    """Put back what was noted, where something still has it."""
    for namespace, group in by_place(facts):
        if exists(namespace):
            with inside(namespace):
                for fact in group:
                    _set(fact.name, note(fact).read_text())
        for fact in group:
            note(fact).unlink()


def _value(name: str) -> str | None:
    """The present value of a setting, in the namespace in which the caller is; None if there is no
    such one.
    """
    try:
        # Unbuffered, for there are thousands, of a few bytes each.
        with open(f"{PROC}/{name}", "rb", buffering=0) as file:
            return file.read().decode().strip()
    except FileNotFoundError:
        return None


def _set(name: str, value: str) -> None:
    """Give a setting its value, if there is such one."""
    with suppress(FileNotFoundError), open(f"{PROC}/{name}", "r+b", buffering=0) as file:
        file.write(value.encode())
