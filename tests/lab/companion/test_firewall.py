"""What `check` says of a firewall, judged by the kernel: rulesets of iptables and nftables."""

from __future__ import annotations

import json
import os
import random
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dvr_ryu.lab.hosts.host import LabHost
from tests.lab.support.judges import firewall

PACKETS = [
    ("udp", 4789, "10.0.0.2"),
    ("udp", 4789, "10.0.0.7"),
    ("udp", 6081, "10.0.0.2"),
    ("gre", 0, "10.0.0.2"),
    ("tcp", 6653, "10.0.0.2"),
    ("tcp", 6653, "10.9.0.7"),
]
CONDITIONS = {
    "iptables": [
        "-p udp", "! -p tcp", "-p gre", "-p udp -m udp --dport 4789", "-p udp --dport 4000:5000",
        "-p udp ! --dport 6081", "-p tcp -m tcp --dport 6653", "-p tcp --sport 20000:",
        "-p tcp --tcp-flags FIN,SYN,RST,ACK SYN", "-p tcp --tcp-flags ALL NONE",
        "-p tcp ! --syn", "-s 10.0.0.0/24", "! -s 10.0.0.7", "-s 10.0.0.2", "-d 10.0.0.1",
        "! -d 10.0.0.1", "-i v0", "-i v+", "! -i eth+", "-i lo",
        "-m conntrack --ctstate NEW", "-m conntrack --ctstate RELATED,ESTABLISHED",
        "-m conntrack ! --ctstate NEW,RELATED", "-m state --state NEW",
        "-p udp -m multiport --dports 53,4700:4800", "-m iprange --src-range 10.0.0.1-10.0.0.6",
        "-m addrtype --dst-type LOCAL", "-m addrtype --src-type LOCAL", "-m length --length 0:10",
        '-m comment --comment "a -j DROP"', "-m limit --limit 1/hour --limit-burst 1",
    ],
    "nft": [
        "meta l4proto udp", "meta l4proto != tcp", "ip protocol gre", "udp dport 4789",
        "udp dport 4000-5000", "udp dport != 6081", "udp dport { 53, 4700-4800 }",
        "tcp dport 6653", "th dport 4789", "th sport >= 20000", "tcp sport < 100",
        "tcp flags syn / fin,syn,rst,ack", "ip saddr 10.0.0.0/24", "ip saddr != 10.0.0.7",
        "ip saddr @known", "ip saddr != @known", "ip saddr 10.0.0.1-10.0.0.6", "ip daddr 10.0.0.1",
        'iifname "v0"', 'iifname "v*"', 'iifname != { "eth0", "lo" }', "iif lo", "ct state new",
        "ct state established,related", "ct state { new, untracked }", "ct state != new",
        "fib daddr type local", "fib saddr type local", "meta nfproto ipv6", "meta protocol ip",
        "ip6 saddr fe80::1", "icmp type echo-request", "meta length 0-10", "limit rate 1/hour",
        "counter", 'log prefix "a drop"',
    ],
}  # fmt: skip
ENDS = {
    "iptables": ["-j ACCEPT", "-j DROP", "-j REJECT", "-j RETURN", "-j CONNMARK --set-mark 1"],
    "nft": ["accept", "drop", "reject", "return", "continue"],
}
JUMPS = {
    "iptables": ["-j c1", "-j c2", "-g c2"],
    "nft": [
        "jump c1", "jump c2", "goto c2", "udp dport vmap { 4789 : drop, 53 : jump c1 }",
        "ct state vmap { established : accept, new : jump c2, invalid : drop }",
        "ip saddr vmap @verdicts",
    ],
}  # fmt: skip
SETS = """\
set known { type ipv4_addr; flags interval; elements = { 10.0.0.2, 10.9.0.0/16 }; }
map verdicts { type ipv4_addr : verdict; elements = { 10.0.0.2 : jump c2, 10.0.0.7 : accept }; }"""
RULESETS = int(os.environ.get("DVR_RULESETS", "60"))
SEED = os.environ.get("DVR_SEED", "1")


@pytest.fixture
def host(tmp_path: Path) -> Iterator[LabHost]:
    host = LabHost.start("firewall", str(tmp_path))
    yield host
    host.stop()


def judged(host: LabHost, cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", firewall.__name__]
    found: list[dict[str, Any]] = json.loads(host.run(command, input=json.dumps(cases)).stdout)
    return found


def rule(rng: random.Random, tool: str, ends: list[str]) -> str:
    conditions = rng.sample(CONDITIONS[tool], rng.choice([0, 1, 1, 1, 2, 2]))
    return " ".join([*conditions, rng.choice(ends)])


def ruleset(rng: random.Random, tool: str) -> str:
    """A random ruleset: a base chain with two more, and now and then an earlier base chain."""
    ends, jumps = ENDS[tool], JUMPS[tool]
    each = {
        "c2": [rule(rng, tool, ends) for _ in range(rng.randrange(3))],
        "c1": [rule(rng, tool, [*ends, *jumps[1:3]]) for _ in range(rng.randrange(3))],
        "INPUT": [rule(rng, tool, [*ends, *jumps, *jumps]) for _ in range(rng.randrange(1, 6))],
    }
    early = [rule(rng, tool, ends) for _ in range(rng.choice([0, 0, 1]))]
    policy = rng.choice(["ACCEPT", "DROP"])
    if tool == "iptables":
        lines = ["*raw", ":PREROUTING ACCEPT", *(f"-A PREROUTING {line}" for line in early)]
        early = [] if "REJECT" in "".join(early) else [*lines, "COMMIT"]  # only INPUT has REJECT
        lines = ["*filter", f":INPUT {policy}", ":c1 -", ":c2 -"]
        lines += [f"-A {chain} {line}" for chain, rules in each.items() for line in rules]
        return "\n".join([*early, *lines, "COMMIT", ""])
    hook = f"type filter hook input priority 0; policy {policy.lower()}"
    chains = [["chain input {", hook, *each.pop("INPUT"), "}"]]
    chains[:0] = [[f"chain {name} {{", *rules, "}"] for name, rules in each.items()]
    hook = "type filter hook prerouting priority -300; policy accept"
    early = [line for line in early if "reject" not in line]
    chains.append(["chain early {", hook, *early, "}"])
    lines = [line for chain in chains for line in chain]
    return "\n".join([f"table {rng.choice(['ip', 'inet'])} t {{", SETS, *lines, "}", ""])


@pytest.mark.parametrize("tool", CONDITIONS)
def test_the_kernel_does_with_packets_what_check_says(host: LabHost, tool: str) -> None:
    rng = random.Random(f"{tool} {SEED}")
    rulesets = [ruleset(rng, tool) for _ in range(RULESETS)]
    cases = [{"tool": tool, "text": text, "packets": PACKETS} for text in rulesets]
    seen: Counter[tuple[bool, str]] = Counter()
    for text, result in zip(rulesets, judged(host, cases), strict=True):
        # The tool refuses a rule whose conditions exclude each other.
        for packet, (delivered, expected) in zip(PACKETS, result.get("found", ()), strict=False):
            seen[delivered, expected] += 1
            if expected != "may be lost":
                assert delivered == (expected == "passes"), (packet, text)
    assert min(seen[True, "passes"], seen[False, "is lost"]) > RULESETS
    assert seen[True, "may be lost"] + seen[False, "may be lost"] < RULESETS, "it must stay rare"
