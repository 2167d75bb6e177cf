"""`dvr flows --from-dump`: what ovs-ofctl printed, clean, sorted, and still the same flows."""

from __future__ import annotations

import pytest

from dvr_ryu.errors import FileError
from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.pipeline.tools.dump import clean
from dvr_ryu.shipped import flows_dir

TABLES = load_pipelines(flows_dir()).by_bridge["br-tun"].tables

OPENFLOW_10 = """\
NXST_FLOW reply (xid=0x4):
 cookie=0x0, duration=12.345s, table=2, n_packets=0, n_bytes=0, idle_age=12, \
priority=0,dl_dst=00:00:00:00:00:00/01:00:00:00:00:00 actions=resubmit(,20)
 cookie=0x0, duration=12.3s, table=0, n_packets=7, n_bytes=742, idle_age=0, hard_age=3, \
priority=1,in_port=1 actions=resubmit(,1)
 cookie=0x5, duration=1.3s, table=20, n_packets=0, n_bytes=0, hard_timeout=300, idle_age=1, \
dl_vlan=2,dl_dst=fa:16:3e:00:00:01 actions=strip_vlan,load:0x1a->NXM_NX_TUN_ID[],output:2
"""
OPENFLOW_14 = """\
OFPST_FLOW reply (OF1.4) (xid=0x2):
 cookie=0x0, duration=3.1s, table=4, n_packets=0, n_bytes=0, idle_timeout=5, importance=3, \
send_flow_rem priority=1,tun_id=0x1a actions=push_vlan:0x8100,set_field:4098->vlan_vid,goto_table:9
"""


def _clean(text: str) -> list[str]:
    return list(clean(text, "dump"))


def test_an_openflow_10_dump():
    assert _clean(OPENFLOW_10) == [
        "table=0,priority=1,in_port=1 actions=resubmit(,1)",
        "table=2,priority=0,dl_dst=00:00:00:00:00:00/01:00:00:00:00:00 actions=resubmit(,20)",
        "cookie=0x5,hard_timeout=300,table=20,priority=32768,dl_vlan=2,dl_dst=fa:16:3e:00:00:01 "
        "actions=strip_vlan,load:0x1a->NXM_NX_TUN_ID[],output:2",
    ]


def test_an_openflow_14_dump():
    assert _clean(OPENFLOW_14) == [
        "idle_timeout=5,importance=3,send_flow_rem,table=4,priority=1,tun_id=0x1a "
        "actions=push_vlan:0x8100,set_field:4098->vlan_vid,goto_table:9"
    ]


def test_tables_that_have_names_get_them():
    lines = list(clean(f"{OPENFLOW_10}table=77 actions=drop\n", "dump", TABLES))
    assert [line for line in lines if line.startswith("#")] == [
        "# Table 0, LOCAL_SWITCHING: From br-int, or from another host?",
        "# Table 2, PATCH_LV_TO_TUN: To one receiver, or to all?",
        "# Table 20, UCAST_TO_TUN: To one receiver: into the tunnel that leads to it.",
    ]
    assert lines[-1] == "table=77,priority=32768 actions=drop"


def test_flows_are_in_the_order_of_tables_and_falling_priority():
    lines = [
        "table=10, priority=1 actions=drop",
        "table=9, priority=2,arp actions=drop",
        "table=9, priority=10,ip actions=drop",
        "table=9, ip actions=drop",
        "priority=0 actions=NORMAL",
    ]
    assert _clean("\n".join(lines)) == [
        "table=0,priority=0 actions=NORMAL",
        "table=9,priority=32768,ip actions=drop",
        "table=9,priority=10,ip actions=drop",
        "table=9,priority=2,arp actions=drop",
        "table=10,priority=1 actions=drop",
    ]


def test_what_is_unknown_stays_as_it_is():
    line = (
        "cookie=0x0, duration=1s, table=3, n_packets=1, priority=7,nonsense=5,ip actions=wonder:3"
    )
    assert _clean(line) == ["table=3,priority=7,nonsense=5,ip actions=wonder:3"]


def test_what_is_clean_stays_as_it_is():
    once = list(clean(OPENFLOW_10 + OPENFLOW_14, "dump", TABLES))
    assert list(clean("\n".join(once), "dump", TABLES)) == once


def test_nothing_is_nothing():
    assert _clean("") == _clean("OFPST_FLOW reply (OF1.4) (xid=0x2):\n\n# mine\n") == []


@pytest.mark.parametrize(
    ("line", "column", "phrase"),
    [
        ("  ovs-ofctl: br-x is not a bridge or a socket", 3, "a line of a dump has actions="),
        ("table=ACL, priority=1 actions=drop", 1, "dump it with --no-names"),
        ("table=1, (priority=1 actions=drop", 10, "this is never closed"),
        ("table_id=254, duration=5s, priority=0 actions=drop", 1, "bridge/dump-flows prints this"),
        ("event=ADDED table=0 cookie=0 actions=drop", 1, "ovs-ofctl monitor prints this"),
        (" OFPT_FLOW_MOD (OF1.4) (xid=0x1): ADD table:1 actions=drop", 2, "'OFPT_FLOW_MOD' is no"),
        ("12: cookie=0x0, table=1, priority=3 actions=drop", 1, "'12:' is no part of a flow"),
        ("12:table=1, priority=3 actions=drop", 1, "'12:table' is no part"),
        ("dump:12: table=1, priority=3 actions=drop", 1, "'dump:12:' is no part"),
        ("+table=1, priority=3 actions=drop", 1, "'+table' is no part"),
    ],
)
def test_what_is_no_flow_is_reported_with_its_location(line: str, column: int, phrase: str):
    with pytest.raises(FileError) as raised:
        _clean(f"{OPENFLOW_14}{line}\n")
    (problem,) = raised.value.problems
    assert (problem.location.file, problem.location.line, problem.location.column) == (
        "dump",
        3,
        column,
    )
    assert phrase in problem.message
