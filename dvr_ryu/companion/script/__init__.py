"""A change as a shell script: what a person would type for it, one command a line. Pure text.

It brings a host to the very state that `dvr companion apply` does, with the companion's notes of
what is its own. It only announces no addresses, and asks for nothing first but its programs: run it
on the host, and in the state, for which it was printed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, TypeAlias

from dvr_ryu.companion.change import HostChange
from dvr_ryu.companion.resources.device import Device
from dvr_ryu.companion.resources.dhcp.leases import LeaseBook, StaleLease
from dvr_ryu.companion.resources.dhcp.lines import DhcpHost, DhcpOption
from dvr_ryu.companion.resources.dhcp.renewal import Renewal
from dvr_ryu.companion.resources.namespace import Namespace
from dvr_ryu.companion.resources.netfilter.chain import Chain
from dvr_ryu.companion.resources.netfilter.hooked_chain import HookedChain
from dvr_ryu.companion.resources.netfilter.translation import Translation
from dvr_ryu.companion.resources.openvswitch.bridge import Bridge
from dvr_ryu.companion.resources.openvswitch.port import OvsPort
from dvr_ryu.companion.resources.openvswitch.tls import SwitchTls
from dvr_ryu.companion.resources.process import Process
from dvr_ryu.companion.resources.resource import Key, Resource
from dvr_ryu.companion.resources.routing.address import Address
from dvr_ryu.companion.resources.routing.neighbour import Neighbour, ProxyNeighbour
from dvr_ryu.companion.resources.routing.route import KernelRoute, Route
from dvr_ryu.companion.resources.routing.rule import KernelRule, Rule
from dvr_ryu.companion.resources.sysctl import RestoredSysctl, Sysctl
from dvr_ryu.companion.resources.veth_pair import VethPair
from dvr_ryu.companion.script import network, notes, services, switch, tls
from dvr_ryu.packages import packages_of

Words: TypeAlias = "Callable[[Sequence[Any]], Iterator[str]]"
"""The commands for resources of one kind that are in one step."""

_HEAD = """\
#!/bin/sh
# The companion's change of {host}: {summary}.
# Printed by: dvr companion plan --as script"""

PROGRAMS = (
    *("conntrack", "dnsmasq", "ethtool", "ip", "iptables"),
    *("ovs-ofctl", "ovs-vsctl", "sysctl", "udhcpc"),
)
"""What a script may run that not every machine has."""


def script(change: HostChange, host: str) -> Iterator[str]:
    """Yield the script's lines; `host` is the topology's name of the machine."""
    yield _HEAD.format(host=host, summary=change.summary())
    commands = list(_commands(change, host))
    yield from _required("\n".join(commands))
    yield "set -e"
    yield notes.folders()
    yield from commands


def _required(text: str) -> Iterator[str]:
    """End before anything is made, if a program is missing that is run."""
    for program in PROGRAMS:
        if re.search(rf"(?<![\w/-]){program}(?![\w/-])", text):
            lacks = f"this host lacks {program}: apt install {packages_of([program])}"
            yield f"command -v {program} > /dev/null || {{ echo '{lacks}' >&2; exit 1; }}"


def _commands(change: HostChange, host: str) -> Iterator[str]:
    # What is changed in place is there already: it must not be made, or moved, a second time.
    present = {replacement.new.key: replacement.old for replacement in change.changed}
    words = _words(host, present)
    early, late = ([kind for kind in words if kind.unmade_last == last] for last in (False, True))
    for steps, kinds_then, verb, sign in (
        (change.removals, early, 0, "-"),
        (change.makings, words, 1, "+"),
        (change.removals, late, 0, "-"),
    ):
        for step in steps:
            for kind in kinds_then:
                resources = [resource for resource in step if type(resource) is kind]
                if resources:
                    yield f"\n# {sign}{len(resources)} {kind.kind}"
                    yield from words[kind][verb](resources)


def _words(
    host: str, present: Mapping[Key, Resource]
) -> Mapping[type[Resource], tuple[Words, Words]]:
    """Kind → the commands that unmake resources of it, and that make them."""

    def each(words: Callable[[Any], Iterator[str]]) -> Words:
        return lambda resources: chain.from_iterable(map(words, resources))

    def each_instead(words: Callable[[Any, Any], Iterator[str]]) -> Words:
        return each(lambda resource: words(resource, present.get(resource.key)))

    def told(resources: Sequence[Any]) -> Iterator[str]:
        return services.make_told(resources, present)

    routing = (each(network.unroute), each(network.route))
    return {
        Namespace: (each(network.unmake_namespace), each(network.make_namespace)),
        VethPair: (each(network.unmake_wire), each(network.make_wire)),
        SwitchTls: (
            each(tls.unmake),
            each_instead(lambda resource, old: tls.make(resource, old, host)),
        ),
        Bridge: (
            each(lambda resource: switch.unmake_bridge(resource, host)),
            each_instead(lambda resource, old: switch.make_bridge(resource, old, host)),
        ),
        OvsPort: (
            each(switch.unmake_port),
            each(lambda resource: switch.make_port(resource, host)),
        ),
        Device: (each(network.unmake_device), each_instead(network.make_device)),
        Sysctl: (each(network.unmake_sysctl), each(network.make_sysctl)),
        RestoredSysctl: (
            each(network.unmake_kept_sysctl),
            each_instead(network.make_kept_sysctl),
        ),
        Address: routing,
        Route: routing,
        Rule: routing,
        KernelRoute: routing,
        KernelRule: routing,
        Neighbour: routing,
        ProxyNeighbour: routing,
        Chain: (
            services.unmake_chains,
            lambda resources: services.make_chains(resources, present),
        ),
        HookedChain: (
            each(services.unmake_hooked_chain),
            each_instead(services.make_hooked_chain),
        ),
        Translation: (
            each(services.unmake_translation),
            each(services.make_translation),
        ),
        DhcpHost: (services.unmake_told, told),
        DhcpOption: (services.unmake_told, told),
        Renewal: (each(services.unmake_renewal), each(services.make_renewal)),
        LeaseBook: (each(services.unmake_book), each(services.make_book)),
        StaleLease: (each(services.unmake_stale_lease), each(lambda resource: iter(()))),
        Process: (each(services.unmake_process), each_instead(services.make_process)),
    }
