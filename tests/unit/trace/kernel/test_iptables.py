"""Rules of iptables from their text: all that dvr_ryu makes, and the error for any other."""

from __future__ import annotations

from pathlib import Path

import pytest

from dvr_ryu.companion.desired import desired_resources
from dvr_ryu.companion.resources.netfilter.chain import Chain
from dvr_ryu.companion.resources.netfilter.hooked_chain import HookedChain
from dvr_ryu.pipeline.run.packet import Packet
from dvr_ryu.shipped import examples_dir
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.view import HostView
from dvr_ryu.trace.kernel.addresses import ip_number
from dvr_ryu.trace.kernel.netfilter.iptables import Facts, Nat, UnknownRule, Verdict, parse
from tests.unit.trace.kernel.hosts import datagram, ping, syn


@pytest.mark.parametrize("file", sorted(examples_dir().glob("*.yaml")), ids=lambda file: file.stem)
def test_every_rule_of_the_examples_is_known(file: Path) -> None:
    topology = load_topology(file)
    for host in topology.hosts:
        for each in desired_resources(HostView(topology, host), "system"):
            if isinstance(each, Chain | HookedChain):
                assert [parse(rule).text for rule in each.rules] == list(each.rules)


SYN = syn("1.1.1.1", "2.2.2.2", 1)
GRE = ping("10.1.0.1", "10.1.0.2").having(nw_proto=47)


@pytest.mark.parametrize(
    ("rule", "packet", "matches"),
    [
        ("-s 10.1.0.0/24 -j DROP", ping("10.1.0.9", "8.8.8.8"), True),
        ("-s 10.1.0.0/24 -j DROP", ping("10.2.0.9", "8.8.8.8"), False),
        ("! -s 10.1.0.0/24 -j DROP", ping("10.2.0.9", "8.8.8.8"), True),
        ("-d 8.8.8.8/32 -j DROP", ping("10.2.0.9", "8.8.8.8"), True),
        ("-i qr-1 -j DROP", ping("10.2.0.9", "8.8.8.8"), True),
        ("-i qr-2 -j DROP", ping("10.2.0.9", "8.8.8.8"), False),
        ("-i qr-+ -j DROP", ping("10.2.0.9", "8.8.8.8"), True),
        ("! -o rfp-1 -j DROP", ping("10.2.0.9", "8.8.8.8"), False),
        ("-p udp -m udp --dport 53 -j DROP", datagram("10.2.0.9", "8.8.8.8", 53), True),
        ("-p udp -m udp --dport 53 -j DROP", syn("10.2.0.9", "8.8.8.8", 53), False),
        ("-p tcp -m tcp --dport 80:89 -j DROP", syn("10.2.0.9", "8.8.8.8", 89), True),
        ("-p tcp -m tcp --dport 80:89 -j DROP", syn("10.2.0.9", "8.8.8.8", 90), False),
        ("-p tcp -m tcp --sport 40000 -j DROP", syn("10.2.0.9", "8.8.8.8", 90), True),
        ("-p 47 -j DROP", GRE, True),
        ("-p icmp -j DROP", GRE, False),
        ("-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j DROP", SYN, True),
        ("-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j DROP",
         SYN.having(tcp_flags=0x12), False),
        ("-m conntrack --ctstate DNAT,RELATED -j DROP", GRE, True),
        ("-m conntrack ! --ctstate DNAT -j DROP", GRE, False),
        ("-m conntrack --ctstate INVALID -j DROP", GRE, False),
    ],
)  # fmt: skip
def test_matches(rule: str, packet: Packet, matches: bool) -> None:
    assert parse(rule).matches(Facts(packet, "qr-1", "rfp-1", frozenset({"DNAT"}))) is matches
    assert parse(rule).target is Verdict.DROP


def test_targets() -> None:
    ip = ip_number("10.1.0.9")
    dnat = "-d 2.2.2.2/32 -p tcp -m tcp --dport 80:89 -j DNAT --to-destination 10.1.0.9:"
    assert parse(f"{dnat}8000-8009/80").target == Nat(False, ip, 8000, 8009, 80)
    assert parse(f"{dnat}8000").target == Nat(False, ip, 8000, 8000)
    snat = "-o qg-1 -j SNAT --to-source 10.1.0.9 --random-fully"
    assert parse(snat).target == Nat(True, ip, at_random=True)
    assert parse("-s 10.0.0.0/8").target is None


@pytest.mark.parametrize(
    ("rule", "unknown"),
    [
        ("-m mark --mark 0x1 -j DROP", "the match -m mark"),
        ("--mark 0x1 -j DROP", "the match --mark"),
        ("-p esp -j DROP", "the protocol esp"),
        ("-j MASQUERADE", "the target MASQUERADE"),
        ("-m conntrack --ctstate NEW -j DROP", "the state NEW"),
        ("-p tcp -m tcp --tcp-flags ALL SYN -j DROP", "the flags ALL"),
        ("-m udp --dport 53 -j DROP", "--dport without -p tcp or -p udp"),
        ("-j CT --zone 1", "a target without --notrack"),
        ("-j ACCEPT --now", "--now after the target ACCEPT"),
        ("-s", "-s without a value"),
    ],
)
def test_an_unknown_part_is_named(rule: str, unknown: str) -> None:
    with pytest.raises(UnknownRule) as raised:
        parse(rule)
    expected = f"cannot compute the rule of iptables `{rule}`: {unknown} is unknown"
    assert str(raised.value) == expected
