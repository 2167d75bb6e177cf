"""Read foreign flows on our bridges, and restore them when Open vSwitch forgets a bridge's flows.

It does so when a bridge gets its first controller, loses its last, or changes its fail_mode. The
controller manages our own flows, until we release an adopted bridge. Then this module restores the
flows that ours had replaced.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from dvr_ryu.companion.providers import notes
from dvr_ryu.companion.providers.commands import run
from dvr_ryu.companion.resources.openvswitch import bridge_flows
from dvr_ryu.companion.resources.openvswitch.bridge_flows import OUR_COOKIES
from dvr_ryu.companion.resources.openvswitch.ofctl import NO_MATCH, OFCTL, OWN_DEFAULT
from dvr_ryu.errors import HostError

NOTES = Path(bridge_flows.NOTES)
NOTES_BEFORE = Path(bridge_flows.NOTES_BEFORE)
SOCKETS = Path("/run/openvswitch")
_COOKIE = re.compile(r"\bcookie=(0x[0-9a-f]+)")


def of_others(bridge: str, fail_mode: str) -> list[str]:
    """The flows of a bridge whose cookie is not ours; none if it has no datapath."""
    return [
        line
        for line in _dump(bridge)
        if not _is_ours(line) and (fail_mode == "secure" or not OWN_DEFAULT.fullmatch(line))
    ]


def cookie_of(line: str) -> int:
    """The cookie of a flow as ovs-ofctl prints it."""
    found = _COOKIE.search(line)
    return int(found[1], 16) if found else 0


def note_taken(bridge: str, fail_mode: str) -> None:
    """Note the flows of a bridge that we are about to take into use."""
    _note(NOTES_BEFORE, bridge, of_others(bridge, fail_mode))


@contextmanager
def restored(fail_modes: Mapping[str, str]) -> Iterator[None]:
    """Within the block, bridges may lose all their flows; the foreign ones are restored after it.
    Notes preserve them if an error comes before that. `fail_modes`: bridge → its fail_mode.
    """
    for bridge, fail_mode in fail_modes.items():
        now = of_others(bridge, fail_mode)
        there = {identity(line) for line in now}
        noted = (line for line in _noted(NOTES, bridge) if identity(line) not in there)
        _note(NOTES, bridge, [*noted, *now])
    yield
    put_back()


@contextmanager
def given_back(fail_modes: Mapping[str, str]) -> Iterator[None]:
    """The same for bridges that we release; it restores the flows that ours had replaced, too."""
    for bridge in fail_modes:
        ours = {identity(line) for line in _dump(bridge) if _is_ours(line)}
        displaced = [line for line in _noted(NOTES_BEFORE, bridge) if identity(line) in ours]
        _note(NOTES, bridge, [*_noted(NOTES, bridge), *displaced])
    with restored(fail_modes):
        yield
    for bridge in fail_modes:
        notes.remove(NOTES_BEFORE / bridge)


def use(bridge: str, port: str) -> bool:
    """Whether a flow of a bridge leads to one of its ports."""
    ask = [*OFCTL, "--names", "dump-aggregate", bridge, f"out_port={port}"]
    with suppress(HostError):
        return "flow_count=0" not in run(ask)
    return False  # neither, without the bridge or the port


def remove_ours(bridge: str) -> None:
    """Remove the flows that our controller has left on a bridge."""
    for cookie in OUR_COOKIES:
        run([*OFCTL, "del-flows", bridge, f"cookie={cookie:#x}/-1"])


def waiting() -> bool:
    """Whether foreign flows wait to be restored."""
    return bool(_notes())


def put_back() -> None:
    """Restore the noted flows on bridges, unless other flows have their identities."""
    for note in _notes():
        noted = _noted(NOTES, note.name)
        try:
            here = {identity(line) for line in _dump(note.name) if not OWN_DEFAULT.fullmatch(line)}
            lines = [line for line in noted if identity(line) not in here]
            run([*OFCTL, "add-flows", note.name, "-"], "\n".join(lines))
        except HostError as error:
            if notes.meaning(note, _as_flows) is not None:
                raise HostError(
                    f"{error}; flows of others wait in {note} to be put back; if the bridge "
                    f"{note.name} is gone for good, remove that file"
                ) from error
        notes.remove(note)


def _as_flows(text: str) -> str:
    """Return a text of flows as ovs-ofctl reads it; HostError if it does not."""
    return run([*OFCTL, "parse-flows", "-"], text)


def identity(line: str) -> str:
    """A flow's table, priority and match: a bridge has at most one flow with equal ones."""
    match, _, _ = line.partition(" actions=")
    return NO_MATCH.sub("", match).strip(" ,")


def _dump(bridge: str) -> list[str]:
    """All flows of a bridge; none if it has no datapath."""
    if not _has_datapath(bridge):
        return []
    dumped = run([*OFCTL, "--no-stats", "--no-names", "dump-flows", bridge])
    return [line.strip() for line in dumped.splitlines() if "actions=" in line]


def _has_datapath(bridge: str) -> bool:
    """Whether a running ovs-vswitchd has made the bridge."""
    with socket.socket(socket.AF_UNIX) as end:
        try:
            end.connect(str(SOCKETS / f"{bridge}.mgmt"))
        except OSError:
            return False
    return True


def _is_ours(line: str) -> bool:
    return cookie_of(line) in OUR_COOKIES


def _noted(folder: Path, bridge: str) -> list[str]:
    return (notes.text(folder / bridge) or "").splitlines()


def _notes() -> list[Path]:
    return [NOTES / name for name in notes.names(NOTES)]


def _note(folder: Path, bridge: str, lines: Iterable[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    if text:
        notes.folder(folder)
        notes.replace(folder / bridge, text)
    else:
        notes.remove(folder / bridge)
