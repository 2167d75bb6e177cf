"""The documentation of the pipelines: that of flows/ is up to date, and what it says is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from dvr_ryu.cli import cli
from dvr_ryu.pipeline.language.cookie import COOKIE, LEARNED
from dvr_ryu.pipeline.language.pipeline import Pipeline
from dvr_ryu.pipeline.language.syntax import parse_pipeline
from dvr_ryu.pipeline.tools.docs import document, picture
from dvr_ryu.pipeline.tools.guide import GUIDE
from dvr_ryu.shipped import flows_dir
from dvr_ryu.topology.relations import RELATIONS, ThisHost

README = Path(__file__).parents[4] / "flows" / "README.rst"

TEXT = r"""
table 0 IN "Where from?"
  # From {tunnel.host}*, that is `it`.
  each tunnel:
    # From {tunnel.host}*, that is `it`, or_
    in_port={tunnel.port} \
      actions=resubmit(,7),goto_table:B
  miss: drop
table 3 B
  priority=1, ip  actions=learn(table=7,output:NXM_OF_IN_PORT[]),output:4
  miss: goto_table:7
table 7 C "Both ways end here."
  priority=1, arp  actions=IN_PORT
  miss: drop
table 9 LOST "Nobody goes here."
  miss: NORMAL
"""

ACTIONS = {
    "drop": "drop",
    **{word: word for word in ("IN_PORT", "NORMAL", "FLOOD", "ALL", "LOCAL", "TABLE")},
    **{word: word for word in ("pop_queue", "exit", "clear_actions")},
    "output:PORT": "output:patch-int",
    "PORT": "patch-int",
    "output:FIELD[]": "output:NXM_NX_REG0[0..15]",
    "output(port=,max_len=)": "output(port=1,max_len=100)",
    "CONTROLLER": "CONTROLLER",
    "CONTROLLER:BYTES": "CONTROLLER:128",
    "controller(...)": "controller(reason=no_match,id=1,userdata=00.01,pause)",
    "enqueue:PORT:QUEUE": "enqueue:1:2",
    "set_queue": "set_queue:2",
    "group": "group:1",
    "resubmit(PORT,TABLE)": "resubmit(1,B)",
    "goto_table:TABLE": "goto_table:B",
    "write_metadata:VALUE/MASK": "write_metadata:0x1/0xff",
    "meter": "meter:1",
    "write_actions(...)": "write_actions(output:1)",
    "clone(...)": "clone(output:1)",
    "set_field:VALUE/MASK->FIELD": "set_field:0x2/0xff->reg0",
    "load:VALUE->FIELD[]": "load:2->NXM_NX_REG0[]",
    "move:FIELD[]->FIELD[]": "move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]",
    "push:FIELD[]": "push:NXM_NX_REG0[]",
    "pop:FIELD[]": "pop:NXM_NX_REG0[]",
    "delete_field:FIELD": "delete_field:tun_metadata0",
    "mod_dl_src": "mod_dl_src:fa:16:3e:00:00:01",
    "mod_dl_dst": "mod_dl_dst:fa:16:3e:00:00:01",
    "mod_nw_src": "mod_nw_src:192.168.10.1",
    "mod_nw_dst": "mod_nw_dst:192.168.10.1",
    "mod_nw_tos": "mod_nw_tos:16",
    "mod_nw_ecn": "mod_nw_ecn:1",
    "mod_nw_ttl": "mod_nw_ttl:64",
    "dec_ttl": "dec_ttl",
    "dec_ttl(ID,...)": "dec_ttl(1,2)",
    "mod_tp_src": "mod_tp_src:80",
    "mod_tp_dst": "mod_tp_dst:80",
    "mod_vlan_vid": "mod_vlan_vid:2",
    "mod_vlan_pcp": "mod_vlan_pcp:2",
    "push_vlan": "push_vlan:0x8100",
    "pop_vlan": "push_vlan:0x8100,pop_vlan",
    "strip_vlan": "push_vlan:0x8100,strip_vlan",
    "push_mpls": "push_mpls:0x8847",
    "pop_mpls": "push_mpls:0x8847,pop_mpls:0x0800",
    "set_mpls_label": "push_mpls:0x8847,set_mpls_label:5",
    "set_mpls_tc": "push_mpls:0x8847,set_mpls_tc:5",
    "set_mpls_ttl": "push_mpls:0x8847,set_mpls_ttl:5",
    "dec_mpls_ttl": "push_mpls:0x8847,dec_mpls_ttl",
    "encap(HEADER)": "encap(nsh(md_type=1))",
    "decap(...)": "decap()",
    "dec_nsh_ttl": "write_actions(dec_nsh_ttl)",
    "check_pkt_larger(BYTES)->FIELD[BIT]": "check_pkt_larger(1500)->NXM_NX_REG0[0]",
    "set_vlan_vid": "push_vlan:0x8100,set_vlan_vid:2",
    "set_vlan_pcp": "push_vlan:0x8100,set_vlan_pcp:2",
    "set_tunnel": "set_tunnel:0x1a",
    "set_tunnel64": "set_tunnel64:0x1a",
    "learn(...)": "learn(table=B,output:NXM_OF_IN_PORT[])",
    "ct(...)": "ct(commit,zone=1,nat(src=10.0.0.1),exec(load:1->NXM_NX_CT_MARK[]))",
    "ct_clear": "ct_clear",
    "fin_timeout(...)": "fin_timeout(idle_timeout=1)",
    "multipath(...)": "multipath(eth_src,0,modulo_n,4,0,NXM_NX_REG0[])",
    "bundle(...)": "bundle(eth_src,0,hrw,ofport,members:1,2)",
    "bundle_load(...)": "bundle_load(eth_src,0,hrw,ofport,NXM_NX_REG0[],members:1,2)",
    "conjunction(ID,K/N)": "conjunction(7,1/2)",
    "sample(...)": "sample(probability=100)",
    "note:HEX": "note:00.11.22",
}
"""What the guide lists, and one such action of a flow that matches TCP."""


def pipeline(text: str = TEXT) -> Pipeline:
    return parse_pipeline(text, "br-x.flows", "br-x")


def test_readme_of_flows_has_not_drifted() -> None:
    printed = CliRunner().invoke(cli, ["docs"], catch_exceptions=False)
    assert printed.exit_code == 0
    assert README.read_text(encoding="utf-8") == printed.output, "type: make docs"


def test_other_pipelines_are_documented(tmp_path: Path) -> None:
    (tmp_path / "br-tun.flows").write_text(TEXT, encoding="utf-8")
    printed = CliRunner().invoke(cli, ["docs", "--flows", str(tmp_path)], catch_exceptions=False)
    parsed = parse_pipeline(TEXT, "br-tun.flows", "br-tun")
    assert printed.output == document([parsed], {"br-tun.flows": TEXT})


def test_picture_shows_every_table_and_where_it_leads() -> None:
    assert picture(pipeline()).splitlines() == [
        "0 IN        : drop",
        "|-- 3 B     : learn flows of table 7, to 4",
        "|   `-- 7 C : to IN_PORT, drop",
        "`-- 7 C     : to IN_PORT, drop",
        "9 LOST      : to NORMAL",
    ]


def test_picture_draws_once_what_many_lead_to() -> None:
    stages = "".join(f"table {n} T{n}\n  miss: resubmit(,{n + 1}),goto_table:{n + 2}\n"
                     for n in range(40))  # fmt: skip
    drawn = picture(pipeline(f"{stages}table 40 T40\n  miss: drop\ntable 41 T41\n  miss: drop\n"))
    assert len(drawn.splitlines()) < 100
    assert "(see above)" in drawn


def test_picture_of_tables_in_a_circle_ends() -> None:
    circle = "table 0 A\n  miss: goto_table:1\ntable 1 B\n  miss: resubmit(,0)\n"
    assert picture(pipeline(circle)).splitlines() == ["0 A", "`-- 1 B", "    `-- 0 A : (see above)"]


def test_flow_is_shown_as_written_below_its_sentence_as_prose() -> None:
    stated = document([pipeline()], {"br-x.flows": TEXT})
    assert (
        r"""
For each tunnel_:

    From ``{tunnel.host}``\*, that is \`it\`, or\_ ::

        in_port={tunnel.port} \
          actions=resubmit(,7),goto_table:B

What no other flow takes::

    miss: drop
"""
        in stated
    )


@pytest.mark.parametrize("relation", ["host", *RELATIONS])
def test_every_relation_is_there_with_every_field(relation: str) -> None:
    row_type = ThisHost if relation == "host" else RELATIONS[relation]
    stated = document([], {})
    assert f"\n{relation}\n{'~' * len(relation)}\n" in stated
    for field in row_type._fields:
        assert f"\n``{{{relation}.{field}}}`` " in stated


def test_example_of_the_guide_is_a_pipeline() -> None:
    example = re.split(r"\n::\n", GUIDE)[1].partition("\nWords\n")[0]
    rest = 'table 2 PATCH_LV_TO_TUN "To one receiver, or to all?"\n  miss: drop\n'
    assert len(list(pipeline(example + rest).flows())) == 4


def test_actions_of_the_guide_are_the_ones_below() -> None:
    listed = GUIDE.partition("\nTo ports\n")[2].partition("\nNumbers of groups")[0]
    assert set(re.findall(r"``([^`]+)``", listed)) == set(ACTIONS)


@pytest.mark.parametrize("action", ACTIONS.values())
def test_action_of_the_guide_is_an_action(action: str) -> None:
    parsed = pipeline(f"table 0 A\n  tcp actions={action}\ntable 1 B\n  miss: drop\n")
    assert len(list(parsed.flows())) == 2


def test_cookie_of_the_guide_is_ours() -> None:
    assert f"{COOKIE:#x}" in GUIDE
    assert f"cookie={LEARNED:#x}" in (flows_dir() / "br-tun.flows").read_text()
