"""The files and the process of a network's DHCP server. Pure."""

from __future__ import annotations

from dvr_ryu.companion.paths import RUN_DIRECTORY

DHCP_DIRECTORY = f"{RUN_DIRECTORY}/dhcp"


def leases_file(namespace: str) -> str:
    """The file in which a network's DHCP server keeps its leases."""
    return f"{DHCP_DIRECTORY}/{namespace}.leases"


def book_file(namespace: str) -> str:
    """The note beside the leases."""
    return f"{DHCP_DIRECTORY}/{namespace}.book"


def dhcp_server(namespace: str) -> str:
    """The name of the process that serves DHCP in a namespace."""
    return f"dnsmasq-{namespace}"
