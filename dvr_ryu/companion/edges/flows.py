"""Flows of others on our bridges: seen, and kept when Open vSwitch forgets all of a bridge's flows.

It does so when a bridge gets its first controller, loses its last, or changes its fail_mode. Our
own flows are the controller's affair, until a bridge is given back that does not end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dvr_ryu.companion.edges.commands import run
from dvr_ryu.companion.edges.files import replace
from dvr_ryu.companion.facts.kinds import RUN_DIRECTORY
from dvr_ryu.errors import HostError
from dvr_ryu.pipeline.cookie import COOKIE, LEARNED

NOTES = Path(RUN_DIRECTORY, "flows")
"""One file per bridge whose flows of others are to be put back."""
OPENFLOW = "OpenFlow10,OpenFlow13,OpenFlow14"
_COOKIE = re.compile(r"\bcookie=(0x[0-9a-f]+)")
OWN_DEFAULT = re.compile(r"\s*(cookie=0x0,? ?)?(table=0,? ?)?priority=0 actions=NORMAL")
"""The only flow of a bridge without a controller, which Open vSwitch makes by itself."""


def of_others(bridge: str) -> list[str]:
    """The flows of a bridge whose cookie is not ours; none if it has no datapath."""
    dump = ["ovs-ofctl", "-O", OPENFLOW, "--no-stats", "--no-names", "dump-flows", bridge]
    with suppress(HostError):
        lines = [line.strip() for line in run(dump).splitlines() if "actions=" in line]
        return [
            line
            for line in lines
            if cookie_of(line) not in (COOKIE, LEARNED) and not OWN_DEFAULT.fullmatch(line)
        ]
    return []


def cookie_of(line: str) -> int:
    """The cookie of a flow as ovs-ofctl prints it."""
    found = _COOKIE.search(line)
    return int(found[1], 16) if found else 0


@contextmanager
def kept(bridges: Iterable[str]) -> Iterator[None]:
    """Meanwhile bridges may lose all their flows: those of others are put back."""
    for bridge in bridges:
        if lines := of_others(bridge):
            NOTES.mkdir(parents=True, exist_ok=True)
            replace(NOTES / bridge, "\n".join(lines) + "\n")
    yield
    put_back()


def use(bridge: str, port: str) -> bool:
    """Whether a flow of a bridge leads to one of its ports."""
    ask = ["ovs-ofctl", "-O", OPENFLOW, "--names", "dump-aggregate", bridge, f"out_port={port}"]
    with suppress(HostError):
        return "flow_count=0" not in run(ask)
    return False  # neither, without the bridge or the port


def remove_ours(bridge: str) -> None:
    """Remove the flows that our controller has left on a bridge."""
    for cookie in (COOKIE, LEARNED):
        run(["ovs-ofctl", "-O", OPENFLOW, "del-flows", bridge, f"cookie={cookie:#x}/-1"])


def put_back() -> None:
    """Give bridges the flows that are noted, as far as nothing is in their place."""
    for note in sorted(NOTES.glob("*")) if NOTES.is_dir() else ():
        there = {_identity(line) for line in of_others(note.name)}
        lines = [line for line in note.read_text().splitlines() if _identity(line) not in there]
        try:
            run(["ovs-ofctl", "-O", OPENFLOW, "add-flows", note.name, "-"], "\n".join(lines))
        except HostError as error:
            raise HostError(
                f"{error}; flows of others wait in {note} to be put back; if the bridge "
                f"{note.name} is gone for good, remove that file"
            ) from error
        note.unlink()


def _identity(line: str) -> str:
    """A flow without its cookie and its actions."""
    match, _, _ = line.partition(" actions=")
    return _COOKIE.sub("", match).strip(" ,")
