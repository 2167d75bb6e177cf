"""Network namespaces with a name, and the resources that end with one. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter
from typing import TypeVar

from attrs import frozen

from dvr_ryu.companion.paths import RUN_DIRECTORY
from dvr_ryu.companion.resources.resource import Key, Resource
from dvr_ryu.topology.model import instance_namespace

Item = TypeVar("Item")

ROOT = ""
"""The host's own network namespace, among the names of namespaces."""
NOTES = f"{RUN_DIRECTORY}/namespaces"
"""One empty file per namespace of ours; written before it is made, removed after it is gone."""
NETNS_ETC = "/etc/netns"
"""The files that `ip netns exec` shows in /etc: a folder for each namespace."""
RESOLV_CONF = "resolv.conf"
"""The only file there that is ours: DHCP clients write it."""


def namespace_key(name: str) -> Key | None:
    """The key of a namespace; the host's own needs none."""
    return ("namespace", name) if name else None


def in_instance(namespace: str) -> bool:
    """Whether it is an instance's: its settings there are its own affair, as in any guest."""
    return namespace.startswith(instance_namespace(""))


def instance_of(namespace: str) -> str:
    """The instance for which a namespace stands; empty for another namespace."""
    start = instance_namespace("")
    return namespace.removeprefix(start) if namespace.startswith(start) else ""


def by_namespace(
    items: Iterable[Item], name_of: Callable[[Item], str] = attrgetter("namespace")
) -> list[tuple[str, list[Item]]]:
    """Group items by their namespaces, so that each namespace is entered once."""
    groups: dict[str, list[Item]] = {}
    for item in items:
        groups.setdefault(name_of(item), []).append(item)
    return list(groups.items())


@frozen
class Namespace(Resource):
    """A network namespace with a name in /run/netns."""

    kind = "namespace"
    identity = ("name",)
    notes = (NOTES,)
    removed_first = True
    """The kernel ends its contents at once; Open vSwitch would end its devices there one by one."""
    name: str

    @property
    def programs(self) -> tuple[str, ...]:
        """The program ip: an instance's DHCP client runs it, and so does a move of an instance."""
        return ("ip",)

    def describe(self) -> str:
        """Add it."""
        return f"ip netns add {self.name}"

    def make_lines(self, old: Namespace | None, host: str) -> Iterator[str]:
        """Note that it is ours, then add it."""
        yield f": > {NOTES}/{self.name}"
        yield self.describe()

    def remove_lines(self, host: str) -> Iterator[str]:
        """Remove it, the files of its DHCP clients, then the note."""
        yield f"ip netns del {self.name}"
        if in_instance(self.name):
            folder = f"{NETNS_ETC}/{self.name}"
            yield f"rm -f {folder}/{RESOLV_CONF}"
            yield f"[ ! -d {folder} ] || rmdir {folder} || :"
        yield f"rm -f {NOTES}/{self.name}"


class InNamespace(Resource):
    """A resource that ends with its namespace."""

    namespace: str

    @property
    def container(self) -> Key | None:
        """The namespace."""
        return namespace_key(self.namespace)
