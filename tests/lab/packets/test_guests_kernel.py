"""Rules and devices that others or guests may put into a namespace: all can be read, and those in
our way can be removed. This uses a network namespace without a lab.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

RULES = (
    "from 10.3.0.0/16 prohibit",
    "prio 5 goto 32767",
    "prio 7 blackhole",
    "prio 9 to 10.4.0.0/16 unreachable",
    "prio 10 not from 10.5.0.0/16 table 8",
    "prio 11 fwmark 3 table 999999",
    "prio 12 oif nowhere table 9",
)
_OF_RULES = """
from dvr_ryu.companion.providers.netlink import routing
from dvr_ryu.companion.providers.netlink.client import netlink
from dvr_ryu.companion.resources.routing.rule import Rule

with netlink("") as kernel:
    found = [resource for resource in routing._rules(kernel) if isinstance(resource, Rule)]
routing.unmake(found)
print(len(found))
"""
_OF_DEVICES = """
from dvr_ryu.companion.providers.netlink import links
from dvr_ryu.companion.providers.netlink.client import netlink

with netlink("") as kernel:
    kernel.namespace = "vm-a"
    found = list(links.observe(kernel, ()))
print(ascii(sorted(link.name for link in found)))
"""


def alone(prepared: str, program: str, commands: str = "true") -> Any:
    """Run shell commands, a Python program and more commands in a network namespace of their own;
    return all output.
    """
    script = f'{prepared}\n"{sys.executable}" -c "$0" && {commands}'
    process = subprocess.run(
        ["unshare", "--net", "sh", "-ec", script, program],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert process.returncode == 0, process.stderr
    return process.stdout


def test_rules_of_every_kind_go() -> None:
    added = "\n".join(f"ip rule add {rule}" for rule in RULES)
    count, left = alone(added, _OF_RULES, "ip -j rule").split("\n", 1)
    assert int(count) == len(RULES)
    assert [each["priority"] for each in json.loads(left)] == [0, 32766, 32767]


def test_a_device_may_have_any_name() -> None:
    added = r"""ip link add "$(printf 'tap\377')" type veth peer name "$(printf 'x\377')" """
    assert alone(added, _OF_DEVICES).strip() == r"['lo', 'tap\udcff']"
