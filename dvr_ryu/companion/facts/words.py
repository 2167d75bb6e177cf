"""The command line that a person would type to make a fact true. Pure; nothing runs these words."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping

from dvr_ryu.companion.facts import kinds
from dvr_ryu.companion.facts.dnsmasq import (
    ALL,
    DhcpHost,
    DhcpOption,
    LeaseBook,
    Renewal,
    StaleLease,
    book_file,
    leases_file,
    told_file,
)
from dvr_ryu.companion.facts.firewall import HookedChain
from dvr_ryu.companion.facts.kernel_made import DEFAULT_TABLE, LOCAL_TABLE, KernelRoute, KernelRule
from dvr_ryu.companion.facts.kinds import MAIN_TABLE, Fact
from dvr_ryu.companion.facts.tls import SwitchTls


def describe(fact: Fact) -> str:
    """Return one line of shell."""
    match fact:
        case kinds.Namespace():
            return f"ip netns add {fact.name}"
        case kinds.VethPair():
            near = _netns(fact.namespace)
            return f"ip link add {fact.peer}{_netns(fact.peer_namespace)} type veth peer name " + (
                f"{fact.device}{near}"
            )
        case SwitchTls():
            files = (fact.settings[name] for name in ("private_key", "certificate", "ca_cert"))
            return f"ovs-vsctl set-ssl {shlex.join(files)}"
        case kinds.Bridge():
            return _bridge(fact)
        case kinds.OvsPort():
            tag = "" if fact.tag is None else f" tag={fact.tag}"
            tag += " protected=true" if fact.protected else ""
            interface = f"set Interface {fact.name} {settings(fact.interface)}"
            return f"ovs-vsctl add-port {fact.bridge} {fact.name}{tag} -- {interface}"
        case kinds.Device():
            return _device(fact)
        case kinds.Sysctl() | kinds.KeptSysctl():
            return f"{inside(fact.namespace)}sysctl -w {fact.name}={fact.value}"
        case kinds.Chain():
            return _chain(fact)
        case HookedChain():
            return " && ".join(hooking(fact))
        case kinds.Translation():
            return forgetting(fact)
        case DhcpHost() | DhcpOption():
            line = shlex.quote(fact.line)
            return f"printf '%s\\n' {line} >> {told_file(type(fact), fact.namespace)}"
        case Renewal():
            return f"kill -USR1 $(cat {kinds.pid_file(fact.client)})"
        case LeaseBook():
            return f"echo {shlex.quote(fact.text)} > {book_file(fact.namespace)}"
        case StaleLease() if fact.mac == ALL:
            return f"rm -rf {leases_file(fact.namespace)}"
        case StaleLease():
            return f"sed -i '/ {fact.mac} {fact.ip} /d' {leases_file(fact.namespace)}"
        case kinds.Process():
            return inside(fact.namespace) + shlex.join(fact.argv)
        case _:
            return routing(fact)


def routing(fact: Fact, verb: str = "") -> str:
    """The line for a fact of ip's, with the verb that makes it so, or with another."""
    match fact:
        case kinds.Address():
            broadcast = f" brd {fact.broadcast}" if fact.broadcast else ""
            label = f" label {fact.label}" if fact.label else ""
            words = f"{fact.address}{broadcast} dev {fact.device}{label}"
            object, made = "addr", "add"
        case kinds.Route():
            way = f" via {fact.via} dev {fact.device}" if fact.via else f" dev {fact.device}"
            scope = "" if fact.via else " scope link"
            table = "" if fact.table == MAIN_TABLE else f" table {fact.table}"
            mark = " proto static" if fact.marked else ""
            source = f" src {fact.source}" if fact.source else ""
            words = f"{fact.destination}{way}{scope}{table}{mark}{source}"
            object, made = "route", "replace"
        case kinds.Rule():
            which = f"from {fact.source}" if fact.source else f"iif {fact.iif}"
            words = f"{which} priority {fact.priority} table {fact.table}"
            object, made = "rule", "add"
        case KernelRoute():
            object, made, words = "route", "append", _kernel_route(fact)
        case KernelRule():
            table = _TABLES[fact.table]
            object, made = "rule", "add"
            words = f"from all priority {fact.priority} table {table} protocol kernel"
        case kinds.Neighbour():
            words = f"{fact.ip} lladdr {fact.mac} dev {fact.device} nud permanent"
            object, made = "neigh", "replace"
        case kinds.ProxyNeighbour():
            object, made, words = "neigh", "add", f"proxy {fact.ip} dev {fact.device}"
        case _:
            raise TypeError(fact)
    return f"{ip(fact.namespace)} {object} {verb or made} {words}"


_TABLES = {LOCAL_TABLE: "local", MAIN_TABLE: "main", DEFAULT_TABLE: "default"}


def _kernel_route(fact: KernelRoute) -> str:
    if fact.is_local:
        way = f"local {fact.source} dev {fact.device} table local proto kernel scope host"
    else:
        way = f"{fact.destination} dev {fact.device} proto kernel scope link"
    return f"{way} src {fact.source}"


def _bridge(bridge: kinds.Bridge) -> str:
    line = f"ovs-vsctl add-br {bridge.name} -- set Bridge {bridge.name} {settings(bridge.settings)}"
    if bridge.controller:
        line += f" -- set-controller {bridge.name} {bridge.controller['target']}"
    return line


def _device(device: kinds.Device) -> str:
    mac = f" address {device.mac}" if device.mac else ""
    mtu = f" mtu {device.mtu}" if device.mtu else ""
    line = f"{ip(device.namespace)} link set {device.name}{mac}{mtu} up"
    if device.container[0] == "port" and device.namespace:
        line = f"ip link set {device.name}{_netns(device.namespace)} && {line}"
    if device.tx_checksum is False:
        line += f" && {inside(device.namespace)}ethtool -K {device.name} tx off"
    return line


def _chain(chain: kinds.Chain) -> str:
    iptables = f"{inside(chain.namespace)}iptables -t {chain.table}"
    own = [] if chain.name.isupper() else [f"{iptables} -N {chain.name}"]
    return " && ".join([*own, *(f"{iptables} -A {chain.name} {rule}" for rule in chain.rules)])


def hooking(chain: HookedChain) -> Iterator[str]:
    """Make a chain that is not there, and let its hook ask it first."""
    yield f"iptables -N {chain.name}"
    for rule in chain.rules:
        yield f"iptables -A {chain.name} {rule}"
    yield f"iptables -I {chain.hook} {chain.jump}"


def forgetting(translation: kinds.Translation) -> str:
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
