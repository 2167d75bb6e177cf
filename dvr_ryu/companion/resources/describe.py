"""The command line that a person would type to make a resource true. Pure; nothing runs these
words.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping

from dvr_ryu.companion.resources.device import Device
from dvr_ryu.companion.resources.dhcp.files import book_file, leases_file
from dvr_ryu.companion.resources.dhcp.leases import ALL_LEASES, LeaseBook, StaleLease
from dvr_ryu.companion.resources.dhcp.lines import DhcpHost, DhcpOption, lines_file
from dvr_ryu.companion.resources.dhcp.renewal import Renewal
from dvr_ryu.companion.resources.namespace import Namespace
from dvr_ryu.companion.resources.netfilter.chain import Chain
from dvr_ryu.companion.resources.netfilter.hooked_chain import HookedChain
from dvr_ryu.companion.resources.netfilter.translation import Translation
from dvr_ryu.companion.resources.openvswitch.bridge import Bridge
from dvr_ryu.companion.resources.openvswitch.port import OvsPort
from dvr_ryu.companion.resources.openvswitch.tls import SwitchTls
from dvr_ryu.companion.resources.process import Process, pid_file
from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.companion.resources.routing.address import Address
from dvr_ryu.companion.resources.routing.neighbour import Neighbour, ProxyNeighbour
from dvr_ryu.companion.resources.routing.route import KernelRoute, Route
from dvr_ryu.companion.resources.routing.rule import KernelRule, Rule
from dvr_ryu.companion.resources.routing.tables import DEFAULT_TABLE, LOCAL_TABLE, MAIN_TABLE
from dvr_ryu.companion.resources.sysctl import RestoredSysctl, Sysctl
from dvr_ryu.companion.resources.veth_pair import VethPair


def describe(resource: Resource) -> str:
    """Return one line of shell."""
    match resource:
        case Namespace():
            return f"ip netns add {resource.name}"
        case VethPair():
            near = _netns(resource.namespace)
            return (
                f"ip link add {resource.peer}{_netns(resource.peer_namespace)} type veth peer name "
                + (f"{resource.device}{near}")
            )
        case SwitchTls():
            files = (resource.settings[name] for name in ("private_key", "certificate", "ca_cert"))
            return f"ovs-vsctl set-ssl {shlex.join(files)}"
        case Bridge():
            return _bridge(resource)
        case OvsPort():
            tag = "" if resource.tag is None else f" tag={resource.tag}"
            tag += " protected=true" if resource.protected else ""
            interface = f"set Interface {resource.name} {settings(resource.interface)}"
            return f"ovs-vsctl add-port {resource.bridge} {resource.name}{tag} -- {interface}"
        case Device():
            return _device(resource)
        case Sysctl() | RestoredSysctl():
            return f"{inside(resource.namespace)}sysctl -w {resource.name}={resource.value}"
        case Chain():
            return _chain(resource)
        case HookedChain():
            return " && ".join(hooking(resource))
        case Translation():
            return forgetting(resource)
        case DhcpHost() | DhcpOption():
            line = shlex.quote(resource.line)
            return f"printf '%s\\n' {line} >> {lines_file(type(resource), resource.namespace)}"
        case Renewal():
            return f"kill -USR1 $(cat {pid_file(resource.client)})"
        case LeaseBook():
            return f"echo {shlex.quote(resource.text)} > {book_file(resource.namespace)}"
        case StaleLease() if resource.mac == ALL_LEASES:
            return f"rm -rf {leases_file(resource.namespace)}"
        case StaleLease():
            return f"sed -i '/ {resource.mac} {resource.ip} /d' {leases_file(resource.namespace)}"
        case Process():
            return inside(resource.namespace) + shlex.join(resource.argv)
        case _:
            return routing(resource)


def routing(resource: Resource, verb: str = "") -> str:
    """The line for a resource of ip's, with the verb that makes it so, or with another."""
    match resource:
        case Address():
            broadcast = f" brd {resource.broadcast}" if resource.broadcast else ""
            label = f" label {resource.label}" if resource.label else ""
            words = f"{resource.address}{broadcast} dev {resource.device}{label}"
            object, made = "addr", "add"
        case Route():
            way = (
                f" via {resource.via} dev {resource.device}"
                if resource.via
                else f" dev {resource.device}"
            )
            scope = "" if resource.via else " scope link"
            table = "" if resource.table == MAIN_TABLE else f" table {resource.table}"
            mark = " proto static" if resource.marked else ""
            source = f" src {resource.source}" if resource.source else ""
            words = f"{resource.destination}{way}{scope}{table}{mark}{source}"
            object, made = "route", "replace"
        case Rule():
            which = f"from {resource.source}" if resource.source else f"iif {resource.iif}"
            words = f"{which} priority {resource.priority} table {resource.table}"
            object, made = "rule", "add"
        case KernelRoute():
            object, made, words = "route", "append", _kernel_route(resource)
        case KernelRule():
            table = _TABLES[resource.table]
            object, made = "rule", "add"
            words = f"from all priority {resource.priority} table {table} protocol kernel"
        case Neighbour():
            words = f"{resource.ip} lladdr {resource.mac} dev {resource.device} nud permanent"
            object, made = "neigh", "replace"
        case ProxyNeighbour():
            object, made, words = "neigh", "add", f"proxy {resource.ip} dev {resource.device}"
        case _:
            raise TypeError(resource)
    return f"{ip(resource.namespace)} {object} {verb or made} {words}"


_TABLES = {LOCAL_TABLE: "local", MAIN_TABLE: "main", DEFAULT_TABLE: "default"}


def _kernel_route(resource: KernelRoute) -> str:
    if resource.is_local:
        way = f"local {resource.source} dev {resource.device} table local proto kernel scope host"
    else:
        way = f"{resource.destination} dev {resource.device} proto kernel scope link"
    return f"{way} src {resource.source}"


def _bridge(bridge: Bridge) -> str:
    line = f"ovs-vsctl add-br {bridge.name} -- set Bridge {bridge.name} {settings(bridge.settings)}"
    if bridge.controller:
        line += f" -- set-controller {bridge.name} {bridge.controller['target']}"
    return line


def _device(device: Device) -> str:
    mac = f" address {device.mac}" if device.mac else ""
    mtu = f" mtu {device.mtu}" if device.mtu else ""
    line = f"{ip(device.namespace)} link set {device.name}{mac}{mtu} up"
    if device.container[0] == "port" and device.namespace:
        line = f"ip link set {device.name}{_netns(device.namespace)} && {line}"
    if device.tx_checksum is False:
        line += f" && {inside(device.namespace)}ethtool -K {device.name} tx off"
    return line


def _chain(chain: Chain) -> str:
    iptables = f"{inside(chain.namespace)}iptables -t {chain.table}"
    own = [] if chain.name.isupper() else [f"{iptables} -N {chain.name}"]
    return " && ".join([*own, *(f"{iptables} -A {chain.name} {rule}" for rule in chain.rules)])


def hooking(chain: HookedChain) -> Iterator[str]:
    """Make a chain that is not there, and let its hook ask it first."""
    yield f"iptables -N {chain.name}"
    for rule in chain.rules:
        yield f"iptables -A {chain.name} {rule}"
    yield f"iptables -I {chain.hook} {chain.jump}"


def forgetting(translation: Translation) -> str:
    """Forget the connections that began before this translation did, or before it ended."""
    delete = f"{inside(translation.namespace)}conntrack -D"
    if translation.protocol:
        ports = translation.outer_ports
        first, _, last = ports.partition("-")
        one = f"{delete} -p {translation.protocol} -d {translation.outer} --dport"
        return f"for port in $(seq {first} {last or first}); do {one} $port; done"
    return f"{delete} -d {translation.outer}; {delete} -q {translation.outer}; " + (
        f"{delete} -s {translation.inner}"
    )


def settings(columns: Mapping[str, str]) -> str:
    """Columns, or keys of them, and their values, for ovs-vsctl's set."""
    return " ".join(f"{column}={shlex.quote(value)}" for column, value in columns.items())


def ip(namespace: str) -> str:
    """The ip of a namespace."""
    return f"ip -n {namespace}" if namespace else "ip"


def inside(namespace: str) -> str:
    """What stands before a command that is run in a namespace."""
    return f"ip netns exec {namespace} " if namespace else ""


def _netns(namespace: str) -> str:
    return f" netns {namespace}" if namespace else ""
