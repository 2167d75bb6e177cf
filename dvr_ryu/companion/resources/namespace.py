"""Network namespaces with a name, and what ends with one. Pure."""

from __future__ import annotations

from attrs import frozen

from dvr_ryu.companion.resources.resource import Key, Resource
from dvr_ryu.topology.model import instance_namespace

ROOT = ""
"""The host's own network namespace, among the names of namespaces."""


def namespace_key(name: str) -> Key | None:
    """The key of a namespace; the host's own needs none."""
    return ("namespace", name) if name else None


def in_instance(namespace: str) -> bool:
    """Whether it is an instance's: what it does there is its own affair, as in any guest."""
    return namespace.startswith(instance_namespace(""))


@frozen
class Namespace(Resource):
    """A network namespace with a name in /run/netns."""

    kind = "namespace"
    identity = ("name",)
    name: str


class InNamespace(Resource):
    """A resource that ends with its namespace."""

    namespace: str

    @property
    def container(self) -> Key | None:
        """The namespace."""
        return namespace_key(self.namespace)
