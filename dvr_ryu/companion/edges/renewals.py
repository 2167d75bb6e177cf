"""DHCP clients of instances that are to ask again: told to, and noted what they asked for.

A client that is told a second time before it got an answer would begin from nothing, and give up
its address meanwhile. So whose lease is older than the note is still asking, and is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from signal import SIGUSR1

from dvr_ryu.companion.edges import files
from dvr_ryu.companion.edges.processes import tell
from dvr_ryu.companion.facts.dnsmasq import Renewal
from dvr_ryu.companion.facts.kinds import RUN_DIRECTORY

NOTES = Path(RUN_DIRECTORY, "renewals")
"""One file per client: its namespace, and what it asked for."""
LEASES = Path(RUN_DIRECTORY, "leases")


def note(client: str) -> Path:
    """Where it is noted what a client asked for."""
    return NOTES / client


def read() -> Iterator[Renewal]:
    """Yield what was noted."""
    for client in files.names(NOTES):
        said = files.meaning(note(client), _two_words)
        if said is not None:
            yield Renewal(said[0], client, said[1], ())


def _two_words(text: str) -> tuple[str, str]:
    namespace, told = text.split()
    return namespace, told


def make(facts: Sequence[Renewal]) -> None:
    """Let clients ask again; who is only being started will ask for the first time."""
    files.folder(NOTES)
    for fact in facts:
        file = note(fact.client)
        if _is_answered(fact.client):
            tell(fact.client, SIGUSR1)
        files.replace(file, f"{fact.namespace} {fact.told}\n")


def unmake(facts: Sequence[Renewal]) -> None:
    """Forget what clients asked for."""
    for fact in facts:
        files.remove(note(fact.client))


def _is_answered(client: str) -> bool:
    """Whether a client got a lease since it was told to ask last."""
    lease = LEASES / client.replace("udhcpc-", "vm-", 1)
    with suppress(FileNotFoundError):
        return lease.stat().st_mtime_ns > note(client).stat().st_mtime_ns
    return False
