"""The kinds of resources that a Linux host can have: frozen values, their identities, what they
need.

`key` is all of a resource that cannot be changed in place. `container` is the key of the resource
whose end ends this one too (the kernel deletes a device's addresses with it). `after` are the keys
of resources that must be made first. Pure: how a resource is read and made is known to the edges
only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from operator import attrgetter
from typing import Any, ClassVar, TypeAlias

from attrs import field, frozen

from dvr_ryu.topology.model import instance_namespace

Key: TypeAlias = "tuple[str | int | None, ...]"
ROOT = ""
"""The host's own network namespace, among the names of namespaces."""
MAIN_TABLE = 254


def namespace_key(name: str) -> Key | None:
    """The key of a namespace; the host's own needs none."""
    return ("namespace", name) if name else None


def in_instance(namespace: str) -> bool:
    """Whether it is an instance's: what it does there is its own affair, as in any guest."""
    return namespace.startswith(instance_namespace(""))


def device_key(namespace: str, name: str) -> Key:
    """The key of a device by its place and name."""
    return ("device", namespace, name)


def port_key(name: str) -> Key:
    """The key of a port whose device OVS makes; its name is unique in OVSDB, on all bridges."""
    return ("port", name, False, False)


TLS_KEY: Key = ("tls", "SSL")
"""The key of Open vSwitch's settings for TLS: there is one for all of its connections."""


class Resource:
    """What all kinds have. A kind names itself and the fields that are its identity."""

    kind: ClassVar[str]
    identity: ClassVar[tuple[str, ...]]
    outlives_container: ClassVar[bool] = False
    """Whether it is of no more use when its container ends, but must be ended by itself."""
    unmade_last: ClassVar[bool] = False
    """Whether it is unmade when all else is removed and made: it is the rest of what was."""
    by_kernel: ClassVar[bool] = False
    """Whether the kernel makes it with its container, so that we only do if it is taken away."""

    _identity: ClassVar[Callable[[Resource], Any]]

    def __init_subclass__(cls) -> None:
        if hasattr(cls, "identity"):
            cls._identity = attrgetter("kind", *cls.identity)

    @cached_property
    def key(self) -> Key:
        """Kind and identity."""
        key: Key = type(self)._identity(self)
        return key

    @property
    def container(self) -> Key | None:
        """The resource whose end ends this one: none."""
        return None

    @property
    def after(self) -> tuple[Key, ...]:
        """The resources that must be made first, besides the container: none."""
        return ()


class InNamespace(Resource):
    """A resource that ends with its namespace."""

    namespace: str

    @property
    def container(self) -> Key | None:
        """The namespace."""
        return namespace_key(self.namespace)


class OnDevice(Resource):
    """A resource that ends with its device."""

    namespace: str
    device: str

    @property
    def container(self) -> Key | None:
        """The device."""
        return device_key(self.namespace, self.device)


@frozen
class Namespace(Resource):
    """A network namespace with a name in /run/netns."""

    kind = "namespace"
    identity = ("name",)
    name: str


@frozen
class VethPair(Resource):
    """Two ends of a wire. `namespace` is one of ours; `peer_namespace` may be the host's own.

    The kernel ends it with a namespace, but later than it says: so it has no container.
    """

    kind = "veth"
    identity = ("namespace", "device", "peer_namespace", "peer")
    namespace: str
    device: str
    peer_namespace: str
    peer: str

    @property
    def after(self) -> tuple[Key, ...]:
        """The namespaces of both ends."""
        places = (namespace_key(self.namespace), namespace_key(self.peer_namespace))
        return tuple(place for place in places if place)


def instance_wire(namespace: str, card: str, tap: str) -> VethPair:
    """The pair between one of an instance's cards and its port on br-int."""
    return VethPair(namespace, card, ROOT, tap)


def port_wire(namespace: str, name: str) -> VethPair:
    """The pair between a device in a namespace and its port on br-int, of one name."""
    return VethPair(namespace, name, ROOT, name)


@frozen
class Bridge(Resource):
    """An OVS bridge. Settings are in ovs-vsctl's words: column, or column:key, → value."""

    kind = "bridge"
    identity = ("name",)
    name: str
    settings: Mapping[str, str] = field(eq=dict)
    controller: Mapping[str, str] = field(eq=dict)
    """The settings of our controller, `target` among them; empty for none."""
    before: Mapping[str, str] | None = field(default=None, eq=False, repr=False)
    """What a bridge that was here before us had, of these settings; None for one that we made."""

    @property
    def after(self) -> tuple[Key, ...]:
        """What Open vSwitch needs to reach the controller."""
        return (TLS_KEY,) if self.controller.get("target", "").startswith("ssl:") else ()


@frozen
class OvsPort(Resource):
    """A port of an OVS bridge with its one interface.

    An internal port's device lives in `namespace`. A port without a type is the outer end of a
    wire into `namespace`.
    """

    kind = "port"
    identity = ("name", "lost", "wired")
    bridge: str
    name: str
    namespace: str
    tag: int | None
    interface: Mapping[str, str] = field(eq=dict)
    protected: bool = False
    """NORMAL forwards nothing from one protected port to another: only flows do that name them."""
    lost: bool = False
    """Its device has vanished, with a namespace perhaps: only a new port has a new device."""
    wire: Key | None = field(default=None, eq=False, repr=False)
    """The wire whose outer end it is."""

    @property
    def wired(self) -> bool:
        """Whether its device is a wire's end; else OVS makes it."""
        return self.wire is not None

    @property
    def container(self) -> Key | None:
        """The bridge."""
        return ("bridge", self.bridge)

    @property
    def after(self) -> tuple[Key, ...]:
        """The place of an internal port, or the wire."""
        if self.wire is not None:
            return (self.wire,)
        return (("namespace", self.namespace),) if self.namespace else ()


@frozen
class Device(Resource):
    """A network device in its place, and up. None: whatever it has will do."""

    kind = "device"
    identity = ("namespace", "name")
    namespace: str
    name: str
    mac: str | None
    mtu: int | None
    tx_checksum: bool | None
    """False where a userspace datapath is behind it, to which nobody's card adds checksums."""
    container: Key = field(eq=False, repr=False)
    up: bool = True

    @property
    def after(self) -> tuple[Key, ...]:
        """Its place."""
        namespace = namespace_key(self.namespace)
        return (namespace,) if namespace else ()


@frozen
class Sysctl(Resource):
    """A kernel setting of a namespace, by its path below /proc/sys."""

    kind = "sysctl"
    identity = ("namespace", "name")
    namespace: str
    name: str
    value: str
    container: Key | None = field(eq=False, repr=False)
    after: tuple[Key, ...] = field(default=(), eq=False, repr=False)


@frozen
class KeptSysctl(Resource):
    """A setting of what may go on without it, the host itself or an instance's card: what it was
    before is kept, and put back when this ends.
    """

    kind = "kept-sysctl"
    identity = ("namespace", "name")
    outlives_container = True
    namespace: str
    name: str
    value: str

    @property
    def container(self) -> Key | None:
        """The card, below net/ipv4/conf."""
        return device_key(self.namespace, self.name.split("/")[3]) if self.namespace else None


@frozen
class Address(OnDevice):
    """An IPv4 address of a device, with its prefix length."""

    kind = "address"
    identity = ("namespace", "device", "address", "broadcast")
    namespace: str
    device: str
    address: str
    broadcast: str | None

    @property
    def label(self) -> str | None:
        """What tells it from those that an instance gives itself."""
        return f"{self.device}:fixed" if in_instance(self.namespace) else None


@frozen
class Route(OnDevice):
    """An IPv4 route to a prefix, or "default": via a router, or straight onto the device.

    `source` is the address of the namespace's own packets there; None leaves it to the kernel.
    """

    kind = "route"
    identity = ("namespace", "table", "destination")
    namespace: str
    table: int
    destination: str
    via: str | None
    device: str
    after: tuple[Key, ...] = field(default=(), eq=False, repr=False)
    source: str | None = None

    @property
    def marked(self) -> bool:
        """Whether it must be told from those that an instance gives itself."""
        return in_instance(self.namespace)


def _bare(source: str | None) -> str | None:
    """A prefix; one address alone is without its length, as ip prints it."""
    return source.removesuffix("/32") if source else None


@frozen
class Rule(InNamespace):
    """What comes from `source`, or in by the device `iif`, is routed by `table`."""

    kind = "rule"
    identity = ("namespace", "priority", "table", "source", "iif")
    namespace: str
    priority: int
    table: int
    source: str | None = field(default=None, converter=_bare)
    iif: str | None = None
    after: tuple[Key, ...] = field(default=(), eq=False, repr=False)


@frozen
class Neighbour(OnDevice):
    """A permanent neighbour entry: nobody is asked, and no gratuitous ARP changes it."""

    kind = "neighbour"
    identity = ("namespace", "device", "ip")
    namespace: str
    device: str
    ip: str
    mac: str


@frozen
class ProxyNeighbour(OnDevice):
    """An address that is answered for on a device, although it is routed elsewhere."""

    kind = "proxy-neighbour"
    identity = ("namespace", "device", "ip")
    namespace: str
    device: str
    ip: str
    after: tuple[Key, ...] = field(default=(), eq=False, repr=False)


@frozen
class Chain(InNamespace):
    """A chain of iptables and all of its rules, in the words and the order of `iptables -S`."""

    kind = "chain"
    identity = ("namespace", "table", "name")
    namespace: str
    table: str
    name: str
    rules: tuple[str, ...]


@frozen
class Translation(InNamespace):
    """Connections of `outer` are those of `inner`, on all ports or on those named.

    A connection keeps the translation that it began with. So to make this resource, or to unmake
    it, is to forget the connections that began under other rules.
    """

    kind = "translation"
    identity = ("namespace", "outer", "inner", "protocol", "outer_ports", "inner_ports")
    outlives_container = True
    unmade_last = True
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
        return tuple(("chain", self.namespace, "nat", name) for name in chains)


@frozen
class Process(Resource):
    """A program that serves a device, with its exact words; its `pid_file` is among them."""

    kind = "process"
    identity = ("name",)
    outlives_container = True
    name: str
    namespace: str
    argv: tuple[str, ...]
    container: Key = field(eq=False, repr=False)


RUN_DIRECTORY = "/run/dvr_ryu"
"""Where the companion keeps what does not outlive a reboot."""


def pid_file(process: str) -> str:
    """The file that holds the number of a process of ours."""
    return f"{RUN_DIRECTORY}/processes/{process}.pid"
