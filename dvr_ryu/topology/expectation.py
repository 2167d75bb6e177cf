"""Define the lines of `expect:`: which packets a user expects to arrive, and which not. Pure.

The model stores them; flows and resources do not depend on them. `prove` computes whether they
hold, `dvr lab test` tries them with packets.
"""

from __future__ import annotations

from attrs import frozen

OUTSIDE = "outside"
"""The word for the world beyond an external network."""

PROTOCOLS = ("tcp", "udp")
"""The protocols that have ports."""


@frozen
class Service:
    """A port of TCP or UDP, written as 80/tcp."""

    protocol: str
    port: int

    def __str__(self) -> str:
        return f"{self.port}/{self.protocol}"


@frozen
class Expectation:
    """One line. `source` and `target` are the file's words: the name of an instance, `NAME:eth1`
    for one of its NICs, a host, an address or OUTSIDE.
    """

    source: str
    target: str
    service: Service | None = None
    """The port to which `source` connects; without one it pings."""
    reach: bool = True
    """Whether `source` gets an answer."""
    seen_as: str | None = None
    """The source address that the receiver sees; None if any will do."""

    def __str__(self) -> str:
        port = f" {self.service}" if self.service else ""
        seen = f", seen as {self.seen_as}" if self.seen_as else ""
        verb = "reaches" if self.reach else "does not reach"
        return f"{self.source} {verb} {self.target}{port}{seen}"
