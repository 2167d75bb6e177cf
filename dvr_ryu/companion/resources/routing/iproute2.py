"""The base class of resources that `ip` adds and removes by an object and a verb. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.companion.resources.shell import ip
from dvr_ryu.topology.family import Family


class OfIproute2(Resource):
    """A resource that one command of ip makes, and the same command with "del" removes."""

    ip_object: ClassVar[str]
    ip_verb: ClassVar[str] = "add"
    """The verb that makes it."""
    namespace: str

    @property
    def family(self) -> Family:
        """Its version of IP."""
        raise NotImplementedError(self.kind)

    @property
    def ip_arguments(self) -> str:
        """The arguments after the object and the verb."""
        raise NotImplementedError(self.kind)

    def describe(self) -> str:
        """Add or replace it."""
        return self._ip(self.ip_verb)

    def remove_lines(self, host: str) -> Iterator[str]:
        """Remove it."""
        yield self._ip("del")

    def _ip(self, verb: str) -> str:
        return f"{ip(self.namespace, self.family)} {self.ip_object} {verb} {self.ip_arguments}"
