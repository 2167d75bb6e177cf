"""Signal instances' DHCP clients to ask again, and note their requests.

A client that gets a second signal before its answer would begin anew, and release its address
meanwhile. So a client whose lease is older than its note is still asking, and gets none. A client
whose lease is younger has applied it. If a part of it is gone, perhaps because a card was down, the
note holds no longer.

No client gets a signal at once when its server moves to another host: the server may not be there
yet, and a client that asks in vain does not ask again for half a minute.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from signal import SIGUSR1

from attrs import evolve

from dvr_ryu.companion.paths import RUN_DIRECTORY
from dvr_ryu.companion.providers import notes
from dvr_ryu.companion.providers.netlink.client import Netlink
from dvr_ryu.companion.providers.netlink.routing import on_device
from dvr_ryu.companion.providers.netlink.visits import Visit, VisitingProvider
from dvr_ryu.companion.providers.processes.processes import signal_to
from dvr_ryu.companion.providers.provider import Look
from dvr_ryu.companion.resources.dhcp.renewal import NOTES, Renewal, note_of
from dvr_ryu.companion.resources.routing.address import Address
from dvr_ryu.companion.resources.routing.route import Route
from dvr_ryu.topology.model import card_name

LEASES = Path(RUN_DIRECTORY, "leases")


def note(client: str) -> Path:
    """The note of a client's request."""
    return Path(note_of(client))


class Renewals(VisitingProvider):
    """The provider of renewals."""

    kinds = (Renewal,)

    def read(self, look: Look) -> Sequence[Renewal]:
        """Return the noted renewals, without an answer if a part of the client's lease is lost."""
        return list(noted({*self.seen(look)}))

    def visit(self, visit: Visit) -> Iterator[str]:
        """Yield a namespace's clients that have lost a part of their leases."""
        ready = [link.name for link in visit.links if link.ready]
        clients = visit.look.once(_leased).get(visit.namespace, {})
        yield from lost(visit.kernel, clients, ready)

    def make(self, resources: Sequence[Renewal]) -> None:
        """Make clients ask again; one that has only just started will ask for the first time."""
        notes.folder(Path(NOTES))
        for resource in resources:
            file, before = note(resource.client), _noted(resource.client)
            moved = before is not None and before.server != resource.server
            # A client that has just started may have its lease before this is noted.
            early = before is None and _lease(resource.client).exists()
            asks = not moved and _is_answered(resource.client)
            # An answer must be younger than the note, however quickly it comes.
            ask = partial(signal_to, resource.client, SIGUSR1) if asks else None
            notes.replace(file, f"{resource.text}\n", first=ask)
            if moved or early:
                os.utime(file, (0, 0))  # older than its lease: it got no signal yet

    def remove(self, resources: Sequence[Renewal]) -> None:
        """Remove the notes of clients' requests."""
        for resource in resources:
            notes.remove(note(resource.client))


def noted(lost: Collection[str] = ()) -> Iterator[Renewal]:
    """Yield the noted renewals; without an answer for clients that have lost a part of their
    leases."""
    for client in notes.names(Path(NOTES)):
        noted = _noted(client)
        if noted is not None:
            yield evolve(noted, answer="") if client in lost else noted


def _noted(client: str) -> Renewal | None:
    return notes.meaning(note(client), partial(Renewal.of_text, client))


def leased() -> Mapping[str, Mapping[str, frozenset[str]]]:
    """Namespace → client → the addresses and routes of its lease, for clients that got what they
    asked for.
    """
    found: dict[str, dict[str, frozenset[str]]] = {}
    for renewal in noted():
        if _is_answered(renewal.client):
            lines = (notes.text(_lease(renewal.client)) or "").splitlines()
            its = frozenset(line for line in lines if line.startswith(("ip=", "route=")))
            found.setdefault(renewal.namespace, {})[renewal.client] = its
    return found


def _leased(look: Look) -> Mapping[str, Mapping[str, frozenset[str]]]:
    return leased()


def lost(
    kernel: Netlink, clients: Mapping[str, frozenset[str]], up: Collection[str]
) -> Iterator[str]:
    """Yield one namespace's clients that have lost a part of their leases, or whose lease is
    unreadable. A client whose card is not up could not ask.
    """
    for client, its in clients.items():
        card = client.partition(":")[2] or card_name(0)
        if card in up and not (
            its and its <= {_lease_line(resource) for resource in on_device(kernel, card)}
        ):
            yield client


def _lease_line(resource: Address | Route) -> str:
    """Its line in a lease."""
    if isinstance(resource, Address):
        return f"ip={resource.address}"
    way = f" via {resource.via}" if resource.via else ""
    return f"route={resource.destination.removesuffix('/32')}{way}"


def _is_answered(client: str) -> bool:
    """Whether a client got a lease since its last signal."""
    with suppress(FileNotFoundError):
        return _lease(client).stat().st_mtime_ns > note(client).stat().st_mtime_ns
    return False


def _lease(client: str) -> Path:
    """The file of a client's lease."""
    return LEASES / client.replace("udhcpc-", "vm-", 1)
