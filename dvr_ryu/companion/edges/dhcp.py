"""Whom each DHCP server serves and what it tells: its files, and telling it that they changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from dvr_ryu.companion.edges.files import below, replace
from dvr_ryu.companion.edges.namespaces import by_place
from dvr_ryu.companion.edges.processes import tell
from dvr_ryu.companion.facts.dnsmasq import (
    DHCP_DIRECTORY,
    SUFFIXES,
    DhcpHost,
    DhcpOption,
    Told,
    dhcp_server,
    told_file,
)
from dvr_ryu.companion.facts.kinds import Key

FILES = Path(DHCP_DIRECTORY)
TOLD = ".told"
"""Ends the name of a copy of a file, made once the server has been told to read that: what both say
is so, even if the companion was killed between the two."""


def read() -> Iterator[DhcpHost | DhcpOption]:
    """Yield whom the servers serve, and what they tell them."""
    if FILES.is_dir():
        yield from _read_all(DhcpHost)
        yield from _read_all(DhcpOption)


def _read_all(kind: type[Told]) -> Iterator[Told]:
    end = f".{SUFFIXES[kind]}{TOLD}"
    for path in sorted(FILES.glob(f"*{end}")):
        yield from read_kind(kind, path.name.removesuffix(end))


def read_kind(kind: type[Told], namespace: str, root: Path = Path("/")) -> Iterator[Told]:
    """Yield what one server has been told, on the host whose files are below `root`."""
    path = below(root, told_file(kind, namespace))
    if (text := _agreed(path)) is not None:
        for line in text.splitlines():
            yield kind.of_line(namespace, line)


def _agreed(path: Path) -> str | None:
    """What a file and its copy say; None if they do not say the same."""
    with suppress(FileNotFoundError):
        text = path.read_text()
        if text == _copy(path).read_text():
            return text
    return None


def _copy(path: Path) -> Path:
    return path.with_name(path.name + TOLD)


def tidy() -> None:
    """Forget files that do not agree with their copies: a companion was killed between the two, and
    who needs them makes them again."""
    for suffix in SUFFIXES.values():
        for found in {*FILES.glob(f"*.{suffix}"), *FILES.glob(f"*.{suffix}{TOLD}")}:
            path = found.with_name(found.name.removesuffix(TOLD))
            if _agreed(path) is None:
                path.unlink(missing_ok=True)
                _copy(path).unlink(missing_ok=True)


def make(facts: Sequence[Told]) -> None:
    """Add lines to the files of their networks, or change them. All facts are of one kind."""
    _edit(facts, lambda lines, fact: lines.update({fact.key: fact}))


def unmake(facts: Sequence[Told]) -> None:
    """Take lines out of the files of their networks. All facts are of one kind."""
    _edit(facts, lambda lines, fact: lines.pop(fact.key, None))


def _edit(facts: Sequence[Told], edit: Callable[[dict[Key, Told], Told], object]) -> None:
    FILES.mkdir(parents=True, exist_ok=True)
    kind = type(facts[0])
    for namespace, group in by_place(facts):
        lines = {fact.key: fact for fact in read_kind(kind, namespace)}
        for fact in group:
            edit(lines, fact)
        _write(told_file(kind, namespace), namespace, sorted(fact.line for fact in lines.values()))


def _write(file: str, namespace: str, lines: Sequence[str]) -> None:
    path = Path(file)
    if not lines:
        path.unlink(missing_ok=True)
        _copy(path).unlink(missing_ok=True)
        return
    text = "".join(f"{line}\n" for line in lines)
    replace(path, text)
    tell(dhcp_server(namespace))
    replace(_copy(path), text)
