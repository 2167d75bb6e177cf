"""Renewals of leases by the instances' DHCP clients. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import field, frozen

from dvr_ryu.companion.paths import RUN_DIRECTORY
from dvr_ryu.companion.resources.namespace import InNamespace
from dvr_ryu.companion.resources.process import pid_file
from dvr_ryu.companion.resources.resource import Key

NOTES = f"{RUN_DIRECTORY}/renewals"
"""One file per client: its namespace, and its request."""


@frozen
class Renewal(InNamespace):
    """An instance's client has asked again since its server's answer changed, or since a part of
    its settings was lost.

    By itself it would ask when half of its lease is over. A client that does not run asks when it
    starts.
    """

    kind = "dhcp-renewal"
    identity = ("namespace", "client")
    notes = (NOTES,)
    outlives_container = True
    namespace: str
    client: str
    """The name of its process."""
    answer: str
    """A digest of what the server answers."""
    server: str
    """The server's host."""
    after: tuple[Key, ...] = field(eq=False, repr=False)
    """The client itself, and the resources by which the server answers, if it is on this host."""

    @property
    def note(self) -> str:
        """The file of the client's request."""
        return note_of(self.client)

    @property
    def text(self) -> str:
        """The text of the note."""
        return f"{self.namespace} {self.answer} {self.server}"

    @classmethod
    def of_text(cls, client: str, text: str) -> Renewal:
        """The resource of a client's note; ValueError if the note is none."""
        namespace, answer, server = text.split()
        return cls(namespace, client, answer, server, ())

    def describe(self) -> str:
        """Make the client ask."""
        return f"kill -USR1 $(cat {pid_file(self.client)})"

    def make_lines(self, old: Renewal | None, host: str) -> Iterator[str]:
        """Make a running client ask again, and note its request."""
        yield f"[ ! -s {pid_file(self.client)} ] || {self.describe()}"
        yield f"echo {self.text} > {self.note}"

    def remove_lines(self, host: str) -> Iterator[str]:
        """Remove the note of its request."""
        yield f"rm -f {self.note}"


def note_of(client: str) -> str:
    """The file of a client's request."""
    return f"{NOTES}/{client}"
