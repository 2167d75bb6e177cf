"""The rules of common firewalls, read and walked; the kernel judges in tests/lab."""

from __future__ import annotations

import json

import pytest

from dvr_ryu.companion.check.firewall import iptables, nftables
from dvr_ryu.companion.check.firewall.findings import WAYS, Flow
from dvr_ryu.companion.check.firewall.walk import first_drop

TUNNEL = Flow("tunnel", "INPUT", "10.0.0.2", "10.0.0.1", "udp", 4789, "eth1")
SSH = Flow("ssh", "INPUT", "10.0.0.2", "10.0.0.1", "tcp", 22, "eth1")
OUT = Flow("out", "FORWARD", "2.2.2.1", "9.9.9.9", "tcp", 443, "gw-1", "eth0")

UFW = """\
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:ufw-before-input - [0:0]
:ufw-not-local - [0:0]
:ufw-user-input - [0:0]
-A INPUT -j ufw-before-input
-A INPUT -j ufw-user-input
-A ufw-before-input -i lo -j ACCEPT
-A ufw-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A ufw-before-input -m conntrack --ctstate INVALID -j DROP
-A ufw-before-input -p udp -m udp --sport 67 --dport 68 -j ACCEPT
-A ufw-before-input -j ufw-not-local
-A ufw-not-local -m addrtype --dst-type LOCAL -j RETURN
-A ufw-not-local -m limit --limit 3/min --limit-burst 10 -j RETURN
-A ufw-not-local -j DROP
-A ufw-user-input -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
"""
DOCKER = """\
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A DOCKER-USER -j RETURN
COMMIT
*nat
:PREROUTING DROP [0:0]
COMMIT
"""
IPSET = """\
*filter
:INPUT DROP [0:0]
-A INPUT -m set --match-set hosts src -j ACCEPT
COMMIT
"""

TRACKED = """\
*mangle
:PREROUTING ACCEPT [0:0]
-A PREROUTING -m conntrack --ctstate NEW -j DROP
COMMIT
"""
UNTRACKED = TRACKED.replace("mangle", "raw")


@pytest.mark.parametrize(
    "text, flow, expected",
    [
        (UFW, TUNNEL, "drops"),
        (UFW, SSH, "accepts"),
        (UFW, OUT, "drops"),
        (DOCKER, TUNNEL, "accepts"),
        (DOCKER, OUT, "drops"),
        (IPSET, TUNNEL, "may drop"),
        (TRACKED, TUNNEL, "drops"),
        (UNTRACKED, TUNNEL, "accepts"),
        ("", TUNNEL, "accepts"),
    ],
)
def test_rules_of_iptables(text, flow, expected):
    assert verdict(iptables.base_chains(text, "iptables"), flow) == expected


def verdict(chains, flow):
    drop = first_drop(chains, WAYS[flow.way], flow.packet())
    return "accepts" if drop is None else "drops" if drop.certain else "may drop"


def nft(*items):
    return json.dumps({"nftables": [{"metainfo": {}}, *items]})


def chain(**settings):
    place = {"family": "inet", "table": "t", "name": "c", "type": "filter", "prio": 0}
    return {"chain": {**place, "hook": "input", "policy": "accept", **settings}}


def rule(*statements, family="inet", table="t", name="c"):
    place = {"family": family, "table": table, "chain": name, "handle": 7}
    return {"rule": {**place, "expr": [*statements, {"drop": None}]}}


NEW = {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": "new"}}
INGRESS = {"family": "netdev", "hook": "ingress"}
OF_IPTABLES = {"family": "ip", "table": "filter", "name": "INPUT"}


@pytest.mark.parametrize(
    "items, expected",
    [
        ([chain(), rule()], "drops"),
        ([chain(policy="drop")], "drops"),
        ([chain(hook="output"), rule()], "accepts"),
        ([chain(type="nat"), rule()], "accepts"),
        ([chain(family="ip6"), rule(family="ip6")], "accepts"),
        ([chain(), rule({"socket": {"key": "wildcard"}})], "may drop"),
        ([chain(hook="prerouting", prio=-150), rule(NEW)], "drops"),
        ([chain(hook="prerouting", prio=-300), rule(NEW)], "accepts"),
        ([chain(**INGRESS, dev="eth1"), rule(family="netdev")], "drops"),
        ([chain(**INGRESS, dev=["eth1", "eth2"]), rule(family="netdev")], "drops"),
        ([chain(**INGRESS, dev="eth0"), rule(family="netdev")], "accepts"),
        ([chain(**INGRESS), rule(family="netdev")], "may drop"),
        (
            [{"table": {"family": "inet", "name": "t", "flags": ["dormant"]}}, chain(), rule()],
            "accepts",
        ),
        # iptables-save shows these.
        ([chain(**OF_IPTABLES), rule(family="ip", table="filter", name="INPUT")], "accepts"),
    ],
)
def test_rules_of_nft(items, expected):
    assert verdict(nftables.base_chains(nft(*items), {"filter"}), TUNNEL) == expected


def drop_in(chains, flow):
    drop = first_drop(chains, WAYS[flow.way], flow.packet())
    assert drop is not None
    return drop


def test_a_packet_is_lost_at_the_hook_that_it_passes_first():
    late, early = chain(name="late", policy="drop"), chain(hook="prerouting", policy="drop")
    assert drop_in(nftables.base_chains(nft(late, early), ()), TUNNEL).chain.hook == "prerouting"


def test_a_remedy_is_for_the_tool_and_the_table_of_the_chain():
    drop = drop_in(iptables.base_chains(UFW, "iptables-legacy"), OUT)
    accept = "iptables-legacy -I FORWARD -{} gw-+ -j ACCEPT"
    assert OUT.accepted("", drop) == f"{accept.format('i')}; {accept.format('o')}"
    gre = Flow("gre", "INPUT", "10.0.0.2", "10.0.0.1", "gre", -1, "eth1")
    drop = drop_in(nftables.base_chains(nft(chain(policy="drop")), ()), gre)
    accept = "nft insert rule inet t c ip saddr 10.0.0.0/8 ip protocol gre accept"
    assert gre.accepted("10.0.0.0/8", drop) == accept
