"""The command line that a person would type to make a fact true. Pure; nothing runs these words."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from dvr_ryu.companion.facts import kinds
from dvr_ryu.companion.facts.kinds import MAIN_TABLE, Fact, hosts_file


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
        case kinds.Bridge():
            return _bridge(fact)
        case kinds.OvsPort():
            tag = "" if fact.tag is None else f" tag={fact.tag}"
            interface = f"set Interface {fact.name} {_settings(fact.interface)}"
            return f"ovs-vsctl add-port {fact.bridge} {fact.name}{tag} -- {interface}"
        case kinds.Device():
            return _device(fact)
        case kinds.Sysctl():
            return f"{_inside(fact.namespace)}sysctl -w {fact.name}={fact.value}"
        case kinds.HostSysctl():
            return f"sysctl -w {fact.name}={fact.value}"
        case kinds.Chain():
            return _chain(fact)
        case kinds.DhcpHost():
            line = f"{fact.mac},{fact.ip},{fact.name}"
            return f"echo {line} >> {hosts_file(fact.namespace)}"
        case kinds.Process():
            return _inside(fact.namespace) + shlex.join(fact.argv)
        case _:
            return _routing(fact)


def _routing(fact: Fact) -> str:
    match fact:
        case kinds.Address():
            broadcast = f" brd {fact.broadcast}" if fact.broadcast else ""
            words = f"addr add {fact.address}{broadcast} dev {fact.device}"
        case kinds.Route():
            way = f" via {fact.via} dev {fact.device}" if fact.via else f" dev {fact.device}"
            scope = "" if fact.via else " scope link"
            table = "" if fact.table == MAIN_TABLE else f" table {fact.table}"
            words = f"route replace {fact.destination}{way}{scope}{table}"
        case kinds.Rule():
            which = f" from {fact.source}" if fact.source else f" iif {fact.iif}"
            words = f"rule add{which} priority {fact.priority} table {fact.table}"
        case kinds.Neighbour():
            words = f"neigh replace {fact.ip} lladdr {fact.mac} dev {fact.device} nud permanent"
        case kinds.ProxyNeighbour():
            words = f"neigh add proxy {fact.ip} dev {fact.device}"
        case _:
            raise TypeError(fact)
    return f"{_ip(fact.namespace)} {words}"


def _bridge(bridge: kinds.Bridge) -> str:
    settings = f"set Bridge {bridge.name} {_settings(bridge.settings)}"
    line = f"ovs-vsctl add-br {bridge.name} -- {settings}"
    if bridge.controller:
        line += f" -- set-controller {bridge.name} {bridge.controller['target']}"
    return line


def _device(device: kinds.Device) -> str:
    mac = f" address {device.mac}" if device.mac else ""
    mtu = f" mtu {device.mtu}" if device.mtu else ""
    line = f"{_ip(device.namespace)} link set {device.name}{mac}{mtu} up"
    if device.container[0] == "port" and device.namespace:
        line = f"ip link set {device.name}{_netns(device.namespace)} && {line}"
    if device.tx_checksum is False:
        line += f" && {_inside(device.namespace)}ethtool -K {device.name} tx off"
    return line


def _chain(chain: kinds.Chain) -> str:
    iptables = f"{_inside(chain.namespace)}iptables -t {chain.table}"
    own = [] if chain.name.isupper() else [f"{iptables} -N {chain.name}"]
    return " && ".join([*own, *(f"{iptables} -A {chain.name} {rule}" for rule in chain.rules)])


def _settings(settings: Mapping[str, str]) -> str:
    return " ".join(f"{column}={shlex.quote(value)}" for column, value in settings.items())


def _ip(namespace: str) -> str:
    return f"ip -n {namespace}" if namespace else "ip"


def _inside(namespace: str) -> str:
    return f"ip netns exec {namespace} " if namespace else ""


def _netns(namespace: str) -> str:
    return f" netns {namespace}" if namespace else ""
