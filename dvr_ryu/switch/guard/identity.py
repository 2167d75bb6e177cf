"""Decide which peer may be a bridge of a host: it comes from an address of the host, or has the
host's certificate. Pure.
"""

from __future__ import annotations

from attrs import frozen

from dvr_ryu.topology.model import Host

_MAPPED = "::ffff:"
"""The prefix of IPv4 addresses on a socket of IPv6."""


@frozen
class BridgeName:
    """A bridge of a host. Its description on the switch is "HOST/BRIDGE"."""

    host: str
    bridge: str

    def __str__(self) -> str:
        return f"{self.host}/{self.bridge}"


@frozen
class Peer:
    """The other end of a connection."""

    address: str
    port: int
    hosts: frozenset[str] | None = None
    """The hosts that its certificate names; None if the connection has no certificates."""

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"


def peer_of(socket_address: tuple[str, int]) -> Peer:
    """The peer at a socket's address; of IPv6 only the first two parts are used."""
    address, port = socket_address[:2]
    return Peer(address.removeprefix(_MAPPED), port)


def addresses_of(host: Host) -> tuple[str, ...]:
    """The addresses from which the switches of a host may connect."""
    other = host.management_address
    return (host.address,) if other is None else (host.address, other)


def objection(peer: Peer, bridge: BridgeName, host: Host) -> str | None:
    """The reason why a peer cannot be this bridge of this host; None if it can."""
    if peer.hosts is not None:
        if host.name in peer.hosts:
            return None
        named = ", ".join(sorted(peer.hosts)) or "no host"
        return f"says that it is {bridge}, but its certificate is of {named}: refused"
    allowed = addresses_of(host)
    if peer.address in allowed:
        return None
    return (
        f"says that it is {bridge}, which connects from {' or '.join(allowed)}: refused; if it is, "
        f"write management_address: {peer.address} at the host {host.name}"
    )
