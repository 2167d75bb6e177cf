"""Print a change as a shell script of the commands to type, one a line. Pure text.

It brings a host to the same state as `dvr companion apply`, with the companion's notes of its own
resources. But it announces no addresses, and checks only its programs first: run it on the host,
and in the state, for which it was printed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

from dvr_ryu.companion.change import HostChange, by_kind
from dvr_ryu.packages import packages_of

_HEAD = """\
#!/bin/sh
# The companion's change of {host}: {summary}.
# Printed by: dvr companion plan --as script"""

PROGRAMS = (
    *("conntrack", "dnsmasq", "ethtool", "ip", "ip6tables", "iptables"),
    *("ovs-ofctl", "ovs-vsctl", "sysctl", "udhcpc"),
)
"""The programs of a script that not every machine has."""


def script(change: HostChange, host: str) -> Iterator[str]:
    """Yield the script's lines; `host` is the topology's name of the machine."""
    yield _HEAD.format(host=host, summary=change.summary())
    commands = list(_commands(change, host))
    yield from _required("\n".join(commands))
    yield "set -e"
    if folders := {folder: None for resource in change.made for folder in resource.notes}:
        yield f"mkdir -p {' '.join(folders)}"
    yield from commands


def _required(text: str) -> Iterator[str]:
    """Exit before anything is made if a program that the script runs is missing."""
    for program in PROGRAMS:
        if re.search(rf"(?<![\w/-]){program}(?![\w/-])", text):
            lacks = f"this host lacks {program}: apt install {packages_of([program])}"
            yield f"command -v {program} > /dev/null || {{ echo '{lacks}' >&2; exit 1; }}"


def _commands(change: HostChange, host: str) -> Iterator[str]:
    # A resource that changes in place exists already: it must not be made, or moved, again.
    present: dict[Any, Any] = {each.new.key: each.old for each in change.changed}
    for kind, resources in change.removals_of(last=False):
        yield f"\n# -{len(resources)} {kind.kind}"
        yield from kind.remove_all_lines(resources, host)
    for kind, resources in chain.from_iterable(map(by_kind, change.makings)):
        yield f"\n# +{len(resources)} {kind.kind}"
        yield from kind.make_all_lines(resources, present, host)
    for kind, resources in change.removals_of(last=True):
        yield f"\n# -{len(resources)} {kind.kind}"
        yield from kind.remove_all_lines(resources, host)
