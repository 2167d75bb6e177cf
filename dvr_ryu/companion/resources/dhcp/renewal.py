"""Renewals of leases by the instances' DHCP clients. Pure."""

from __future__ import annotations

from attrs import field, frozen

from dvr_ryu.companion.resources.namespace import InNamespace
from dvr_ryu.companion.resources.resource import Key


@frozen
class Renewal(InNamespace):
    """An instance's client has asked again since its server says something else to it, or since
    something of what it had set was lost.

    Of itself it would ask when half of its lease is over. Without a client it will ask anyway.
    """

    kind = "dhcp-renewal"
    identity = ("namespace", "client")
    outlives_container = True
    namespace: str
    client: str
    """The name of its process."""
    told: str
    """A digest of what the server says."""
    server: str
    """The server's host."""
    after: tuple[Key, ...] = field(eq=False, repr=False)
    """The client itself, and the resources by which the server says it, if it is on this host."""
