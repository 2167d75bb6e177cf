"""The output of iptables-save: chains of ours, and foreign rules beside them, as text."""

from __future__ import annotations

from dvr_ryu.companion.foreign import FirewallRules, lines_of_rules
from dvr_ryu.companion.providers.commands import run
from dvr_ryu.companion.providers.iptables.firewall import appended
from dvr_ryu.companion.providers.iptables.nat import _parse
from dvr_ryu.companion.providers.netlink.messages import as_bytes, as_text
from dvr_ryu.companion.resources.netfilter.chain import Chain

SAVED = """\
# Warning: iptables-legacy tables present, use iptables-legacy-save to see them
*filter
:INPUT DROP [0:0]
:FORWARD ACCEPT [0:0]
:DOCKER - [0:0]
-A FORWARD -j DROP
-A FORWARD -m comment --comment "a b" -j DOCKER
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:neutron-l3-agent-snat - [0:0]
:neutron-l3-agent-PREROUTING - [0:0]
-A PREROUTING -j neutron-l3-agent-PREROUTING
-A neutron-l3-agent-PREROUTING -d 2.2.2.2/32 -j DNAT --to-destination 10.0.0.2
COMMIT
"""
FOREIGN = [
    FirewallRules("qrouter-1", "iptables", "filter FORWARD", 2, "-j DROP"),
    FirewallRules("qrouter-1", "iptables", "filter INPUT", 0, drops=True),
]


def test_chains_of_ours_are_told_from_those_of_others() -> None:
    chains, foreign = _parse("qrouter-1", "iptables", SAVED, ours=True)
    assert {(chain.table, chain.name): chain.rules for chain in chains} == {
        ("nat", "PREROUTING"): ("-j neutron-l3-agent-PREROUTING",),
        ("nat", "neutron-l3-agent-PREROUTING"): (
            "-d 2.2.2.2/32 -j DNAT --to-destination 10.0.0.2",
        ),
        ("nat", "neutron-l3-agent-snat"): (),
    }
    assert all(isinstance(chain, Chain) for chain in chains)
    assert foreign == FOREIGN


def test_where_we_have_no_chains_all_are_others() -> None:
    chains, foreign = _parse("qdhcp-1", "iptables", SAVED, ours=False)
    assert chains == []
    assert {rules.chain for rules in foreign} == {
        "filter FORWARD", "filter INPUT", "nat PREROUTING", "nat neutron-l3-agent-PREROUTING",
    }  # fmt: skip


def test_rules_of_others_in_words() -> None:
    nft = FirewallRules("fip-1", "nft", "inet fw forward", 1, drops=True)
    assert list(lines_of_rules([*FOREIGN, nft])) == [
        "fip-1 has a rule of others and the policy DROP in inet fw forward of nft: left alone, but "
        "packets may end there; see ip netns exec fip-1 nft list ruleset",
        "qrouter-1 has 2 rules of others (-j DROP, …) in filter FORWARD of iptables: left alone, "
        "but packets may end there; see ip netns exec qrouter-1 iptables-save",
        "qrouter-1 has the policy DROP in filter INPUT of iptables: left alone, but packets may "
        "end there; see ip netns exec qrouter-1 iptables-save",
    ]


def test_a_rule_that_only_counts_has_no_words() -> None:
    saved = "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD\n-A FORWARD -j DROP\nCOMMIT\n"
    chains, foreign = _parse("qrouter-1", "iptables", saved, ours=True)
    assert chains == []
    assert foreign == [FirewallRules("qrouter-1", "iptables", "filter FORWARD", 2)]
    assert appended("-A INPUT") == ("INPUT", "")
    assert appended("-A INPUT -j DROP ") == ("INPUT", "-j DROP")


def test_what_programs_print_of_others_need_not_be_text() -> None:
    assert run(["printf", r"a\377b"]) == "a\ufffdb"


def test_a_devices_name_need_not_be_text() -> None:
    assert as_bytes(as_text(b"tap\xff")) == b"tap\xff"
