"""Visits of our namespaces: a look enters each once, for all providers that look inside."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from attrs import Factory, frozen

from dvr_ryu.companion.providers import notes
from dvr_ryu.companion.providers.netlink import links
from dvr_ryu.companion.providers.netlink.client import Netlink, netlink
from dvr_ryu.companion.providers.netlink.links import Link
from dvr_ryu.companion.providers.provider import Look, Provider
from dvr_ryu.companion.resources.namespace import ROOT, Namespace
from dvr_ryu.companion.resources.openvswitch.port import OvsPort
from dvr_ryu.companion.resources.tap import NOTES as TAPS


@frozen
class Visit:
    """A namespace while a look is in it: the calling thread, too."""

    look: Look
    kernel: Netlink
    links: list[Link]
    """The devices of ours that are there."""

    @property
    def namespace(self) -> str:
        """Its name."""
        return self.kernel.namespace


class VisitingProvider(Provider):
    """A provider that looks inside each namespace."""

    @abstractmethod
    def visit(self, visit: Visit) -> Iterable[Any]:
        """Return the data that this provider needs of the namespace."""

    def seen(self, look: Look) -> list[Any]:
        """Return the data of `visit` from all namespaces."""
        return look.once(visits).seen[self]


@frozen
class Visits:
    """The data read inside all namespaces."""

    links: list[Link] = Factory(list)
    seen: dict[Provider, list[Any]] = Factory(dict)


def visits(look: Look) -> Visits:
    """Visit the host's own namespace and ours."""
    ports, taps = {port.name for port in look.found(OvsPort)}, {*notes.names(Path(TAPS))}
    visiting = [each for each in look.providers if isinstance(each, VisitingProvider)]
    found = Visits(seen={provider: [] for provider in visiting})
    for namespace in (ROOT, *(each.name for each in look.found(Namespace))):
        with netlink(namespace) as kernel:
            visit = Visit(look, kernel, list(links.observe(kernel, ports, taps)))
            found.links.extend(visit.links)
            for provider in visiting:
                found.seen[provider].extend(provider.visit(visit))
    return found
