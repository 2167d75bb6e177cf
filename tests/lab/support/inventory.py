"""Reads everything that a companion and a controller make on a host, without them: by ip,
iptables-save, ovs-vsctl, ovs-ofctl, ps and the files below /proc/sys, /run and /etc/netns.

Numbers that the kernel and Open vSwitch choose (indexes, UUIDs, datapath ids, pids) are left out,
so that two equal hosts have equal inventories.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any, TypeAlias

from dvr_ryu.lab.hosts.host import LabHost
from dvr_ryu.pipeline.language.cookie import COOKIE
from dvr_ryu.pipeline.tools.dump import clean
from dvr_ryu.topology.bridges import BRIDGES

Inventory: TypeAlias = "dict[str, list[str]]"
"""Location and kind of things, such as "routes of NAMESPACE" → a line for each thing."""

_READ = r"""
import json, os, re, subprocess, sys

def run(*command, input=""):
    return subprocess.run(command, input=input, capture_output=True, text=True).stdout

IP_COMMANDS = (
    "addr", "-4 route show table all", "rule", "neigh show nud permanent", "neigh show proxy"
)
SETTINGS = re.compile("conf/|ip_forward|ip_nonlocal_bind|tcp_be_liberal|tcp_loose")

def settings(prefix):
    top = "/proc/sys/net"
    command = ["grep", "-rs", ".", *(f"{top}/{each}" for each in
        ("ipv4/conf", "ipv4/ip_forward", "ipv4/ip_nonlocal_bind", "netfilter"))]
    lines = run(*prefix, *command).splitlines()
    return sorted(line[len(top) + 1:] for line in lines if SETTINGS.search(line))

def of_namespace(name):
    prefix = ["ip", "netns", "exec", name] if name else []
    found = {}
    for command in IP_COMMANDS:
        text = run(*prefix, "ip", "-json", "-details", *command.split())
        found[command] = json.loads(text or "[]")
    if not name or name.startswith(("qrouter-", "snat-", "fip-", "vm-")):
        found["iptables"] = run(*prefix, "iptables-save").splitlines()
    found["settings"] = settings(prefix)
    return found

def ovs(table, columns):
    return json.loads(run("ovs-vsctl", "--format=json", "--columns=" + columns, "list", table))

files = {}
for top in "/run/dvr_ryu", "/etc/netns":
    for folder, _, names in os.walk(top):
        for name in names:
            files[os.path.join(folder, name)] = open(os.path.join(folder, name)).read()
print(json.dumps({
    "namespaces": {name: of_namespace(name) for name in ["", *os.listdir("/run/netns")]}
        if os.path.isdir("/run/netns") else {"": of_namespace("")},
    "bridges": ovs("Bridge", "name,fail_mode,datapath_type,other_config,external_ids,protocols"),
    "ports": ovs("Port", "name,tag,external_ids"),
    "interfaces": ovs("Interface", "name,type,ofport,ofport_request,options,external_ids,error"),
    "on": {bridge: run("ovs-vsctl", "list-ports", bridge).split()
        for bridge in run("ovs-vsctl", "list-br").split()},
    "processes": run("ps", "-ww", "-e", "-o", "pid,ppid,args", "--no-headers").splitlines(),
    "files": files,
}))
"""

_BY_THE_KERNEL = {"ifindex", "link_index", "link_netnsid", "link_netns", "qdisc"}
_OF_DEVICES = ("ifname", "group", "mtu", "address", "flags", "linkinfo", "master", "ifalias")
_MAC_BY_CHANCE = re.compile("ovs-|tap|qr-|sg-|qg-|fg-|(vxlan|genev|gre)_sys")
"""Devices of the host with a random MAC: the datapath's, and the outer ends of veth pairs."""
_READ_APART = {"addr", "iptables", "settings"}
_OURS = ("dnsmasq", "udhcpc")
_THEIR_OWN = (".pid", ".leases", "companion.json", "lock")
"""Suffixes of files whose content depends on the time or on a pid."""


def inventory(host: LabHost) -> Inventory:
    """The current inventory of a host."""
    read = json.loads(host.run([sys.executable, "-c", _READ]).stdout)
    found: Inventory = {"namespaces": sorted(read["namespaces"])}
    for name, has in read["namespaces"].items():
        for kind, lines in _of_namespace(name, has).items():
            found[f"{kind} of {name or 'the host'}"] = sorted(lines)
    for kind in ("bridges", "ports", "interfaces"):
        processes = [_row(read[kind]["headings"], row) for row in read[kind]["data"]]
        found[kind] = sorted(map(_text, processes))
    found["ports of bridges"] = sorted(f"{on}: {' '.join(has)}" for on, has in read["on"].items())
    found["processes"] = sorted(_processes(read["processes"]))
    found["files"] = sorted(
        f"{path}: {content if not path.endswith(_THEIR_OWN) and '/leases/' not in path else ''}"
        for path, content in read["files"].items()
    )
    for bridge in set(BRIDGES) & set(read["on"]):
        command = ["ovs-ofctl", "-OOpenFlow14", "dump-flows", bridge, f"cookie={COOKIE:#x}/-1"]
        found[f"flows of {bridge}"] = list(clean(host.run(command).stdout, bridge))
    return found


def differences(one: Inventory, other: Inventory) -> list[str]:
    """The lines that only the first inventory has, or has more of, with -, and of the second with
    +.
    """
    return [
        f"{where}: {sign}{line}"
        for where in sorted(one.keys() | other.keys())
        for sign, mine, yours in (("-", one, other), ("+", other, one))
        for line in (Counter(mine.get(where, [])) - Counter(yours.get(where, []))).elements()
    ]


def _of_namespace(name: str, has: dict[str, Any]) -> Inventory:
    devices = [
        {
            **{key: device.get(key) for key in _OF_DEVICES},
            "address": None
            if not name and _MAC_BY_CHANCE.match(device["ifname"])
            else device["address"],
            "flags": sorted(set(device["flags"]) & {"UP", "LOWER_UP"}),
            "linkinfo": device.get("linkinfo", {}).get("info_kind"),
        }
        for device in has["addr"]
    ]
    addresses = [
        {"on": device["ifname"], **each}
        for device in has["addr"]
        for each in device["addr_info"]
        if each["family"] == "inet"
    ]
    asked = {kind: map(_text, has[kind]) for kind in has if kind not in _READ_APART}
    kinds = {
        **asked,
        "devices": map(_text, devices),
        "addresses": map(_text, addresses),
        "iptables": _rules(has.get("iptables", [])),
        "settings": has["settings"],
    }
    return {kind: list(lines) for kind, lines in kinds.items()}


def _processes(listed: list[str]) -> Iterator[str]:
    """The command lines of our programs. A program that starts another is two processes for a
    moment.
    """
    processes = {
        pid: (parent, command) for pid, parent, command in (line.split(None, 2) for line in listed)
    }
    for parent, command in processes.values():
        if command.split()[0].endswith(_OURS) and command != processes.get(parent, ("", ""))[1]:
            yield command


def _rules(saved: list[str]) -> list[str]:
    """Our rules and chains, with their tables; the kernel may or may not keep an empty table.

    A number keeps the order within a chain.
    """
    table, lines = "", list[str]()
    for line in saved:
        if line.startswith("*"):
            table = line
        elif line.startswith("-A "):
            chain = line.split()[1]
            number = sum(each.startswith(f"{table} -A {chain} ") for each in lines)
            lines.append(f"{table} -A {chain} {number}: {line}")
        elif line.startswith((":neutron-", ":dvr_ryu-")):
            lines.append(f"{table} {line.split()[0]}")
    return lines


def _row(headings: list[str], row: list[Any]) -> dict[str, Any]:
    return dict(zip(headings, row, strict=True))


def _text(value: dict[str, Any]) -> str:
    return json.dumps({k: v for k, v in value.items() if k not in _BY_THE_KERNEL}, sort_keys=True)
