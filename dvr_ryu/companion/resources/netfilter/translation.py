"""Translated connections: the kernel retains each one's first translation. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address

from attrs import frozen

from dvr_ryu.companion.paths import RUN_DIRECTORY
from dvr_ryu.companion.resources.namespace import InNamespace
from dvr_ryu.companion.resources.netfilter.chain import chain_key
from dvr_ryu.companion.resources.resource import Key
from dvr_ryu.companion.resources.shell import inside

NOTES = f"{RUN_DIRECTORY}/translations"
"""One file per namespace, with a line for each translation."""
PROTOCOLS = ("tcp", "udp")


@frozen
class Translation(InNamespace):
    """Connections of `outer` are those of `inner`, on all ports or on those named.

    A connection retains its first translation. So making or removing this resource deletes the
    connections that began under other rules.
    """

    kind = "translation"
    identity = ("namespace", "outer", "inner", "protocol", "outer_ports", "inner_ports")
    notes = (NOTES,)
    outlives_container = True
    removed_last = True
    namespace: str
    outer: str
    inner: str
    protocol: str = ""
    outer_ports: str = ""
    inner_ports: str = ""

    @property
    def after(self) -> tuple[Key, ...]:
        """The rules that translate."""
        chains = ("neutron-l3-agent-PREROUTING", "neutron-l3-agent-float-snat")
        return tuple(chain_key(self.namespace, "nat", name) for name in chains)

    @property
    def note(self) -> str:
        """The file of its namespace's translations."""
        return f"{NOTES}/{self.namespace}"

    @property
    def line(self) -> str:
        """Its line there."""
        ports = (self.protocol, self.outer_ports, self.inner_ports)
        return " ".join(filter(None, (self.outer, self.inner, *ports)))

    @classmethod
    def of_line(cls, namespace: str, line: str) -> Translation:
        """The resource of a line; ValueError or TypeError if the line is none."""
        translation = cls(namespace, *line.split())
        for address in (translation.outer, translation.inner):
            IPv4Address(address)
        if translation.protocol:
            numbers_of(translation.outer_ports), numbers_of(translation.inner_ports)
            PROTOCOLS.index(translation.protocol)
        return translation

    def describe(self) -> str:
        """Delete the connections that began before this resource did, or before it ended."""
        delete = f"{inside(self.namespace)}conntrack -D"
        if self.protocol:
            first, _, last = self.outer_ports.partition("-")
            one = f"{delete} -p {self.protocol} -d {self.outer} --dport"
            return f"for port in $(seq {first} {last or first}); do {one} $port; done"
        return f"{delete} -d {self.outer}; {delete} -q {self.outer}; {delete} -s {self.inner}"

    def make_lines(self, old: Translation | None, host: str) -> Iterator[str]:
        """Delete the older connections; conntrack fails if there are none."""
        yield f"{{ {self.describe()}; }} > /dev/null 2>&1 || :"
        yield f"echo {self.line} >> {self.note}"

    def remove_lines(self, host: str) -> Iterator[str]:
        """Delete the connections that began under it, and its note; with the last one, the file."""
        yield f"{{ {self.describe()}; }} > /dev/null 2>&1 || :"
        yield f"sed -i '/^{self.line}$/d' {self.note}"
        yield f"[ -s {self.note} ] || rm {self.note}"


def numbers_of(ports: str) -> range:
    """The port numbers of "N" or "N-M"; ValueError if it is neither."""
    first, _, last = ports.partition("-")
    return range(int(first), int(last or first) + 1)
