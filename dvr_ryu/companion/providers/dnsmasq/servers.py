"""Read and write the files of DHCP servers' hosts and options, and signal servers to reload
them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from dvr_ryu.companion.providers import notes
from dvr_ryu.companion.providers.notes import below, replace
from dvr_ryu.companion.providers.processes.processes import signal_to
from dvr_ryu.companion.providers.provider import Look, Provider
from dvr_ryu.companion.resources.dhcp.files import DHCP_DIRECTORY, dhcp_server
from dvr_ryu.companion.resources.dhcp.lines import LINES, READ, DhcpHost, DhcpOption, Line
from dvr_ryu.companion.resources.namespace import by_namespace
from dvr_ryu.companion.resources.resource import Key

FILES = Path(DHCP_DIRECTORY)


class DnsmasqLines(Provider):
    """The provider of the lines of the servers' files."""

    kinds = LINES

    def read(self, look: Look) -> Sequence[DhcpHost | DhcpOption]:
        """Return the hosts and the options of all servers."""
        return [*_read_all(DhcpHost), *_read_all(DhcpOption)]

    def make(self, resources: Sequence[Line]) -> None:
        """Add lines to the files of their networks, or change them."""
        _edit(resources, lambda lines, resource: lines.update({resource.key: resource}))

    def remove(self, resources: Sequence[Line]) -> None:
        """Remove lines from the files of their networks."""
        _edit(resources, lambda lines, resource: lines.pop(resource.key, None))


def _read_all(kind: type[Line]) -> Iterator[Line]:
    end = f".{kind.suffix}{READ}"
    for name in notes.names(FILES):
        if name.endswith(end):
            yield from read_kind(kind, name.removesuffix(end))


def read_kind(kind: type[Line], namespace: str, root: Path = Path("/")) -> list[Line]:
    """Return the lines that one server has read, on the host whose files are below `root`."""

    def resources(text: str) -> list[Line]:
        return [kind.of_line(namespace, line) for line in text.splitlines()]

    path = below(root, kind.file(namespace))
    return notes.meaning(path, resources) or [] if _agree(path) else []


def _agree(path: Path) -> bool:
    """Whether a file and its copy are there, and are the same."""
    text = notes.text(path)
    return text is not None and text == notes.text(_copy(path))


def _copy(path: Path) -> Path:
    return path.with_name(path.name + READ)


def tidy() -> None:
    """Remove files that differ from their copies: a companion was killed between the two writes.
    The next one makes them again if it needs them.
    """
    ends = tuple(f".{kind.suffix}" for kind in LINES)
    for path in {FILES / name.removesuffix(READ) for name in notes.names(FILES)}:
        if path.name.endswith(ends) and not _agree(path):
            _forget(path)


def _edit(resources: Sequence[Line], edit: Callable[[dict[Key, Line], Line], object]) -> None:
    notes.folder(FILES)
    kind = type(resources[0])
    for namespace, group in by_namespace(resources):
        lines = {resource.key: resource for resource in read_kind(kind, namespace)}
        for resource in group:
            edit(lines, resource)
        _write(
            kind.file(namespace),
            namespace,
            sorted(resource.line for resource in lines.values()),
        )


def _write(file: str, namespace: str, lines: Sequence[str]) -> None:
    path = Path(file)
    if not lines:
        _forget(path)
        return
    text = "".join(f"{line}\n" for line in lines)
    replace(path, text)
    signal_to(dhcp_server(namespace))
    replace(_copy(path), text)


def _forget(path: Path) -> None:
    notes.remove(path)
    notes.remove(_copy(path))
