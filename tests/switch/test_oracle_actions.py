"""Every action, in many spellings: a switch that has it from us has what it has from ovs-ofctl.

The lines are in action_lines/: what is taken, and mistakes. Combinations of
those that are taken are made up at random.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dvr_ryu.pipeline.refusals import REFUSALS
from tests.switch.oracle import BRIDGE, Oracle
from tests.switch.ovs import Ovs

FOLDER = Path(__file__).with_name("action_lines")


def _lines(name: str) -> list[str]:
    lines = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return _told_apart(line for line in lines if not line.startswith("#"))


def _told_apart(lines: Iterator[str] | list[str]) -> list[str]:
    """The lines as flows of one table, each with a priority of its own: one does not replace
    another.
    """
    return [f"table=1,priority={at},{line}" for at, line in enumerate(lines, 1)]


@pytest.fixture(scope="module", params=["OpenFlow13", "OpenFlow14"])
def oracle(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Oracle]:
    ovs = Ovs(tmp_path_factory.mktemp("ovs"))
    try:
        ovs.start()
        judge = Oracle(ovs, request.param)
        for group in (3, 4):
            words = "add-group", BRIDGE, f"group_id={group},type=all,bucket=output:1"
            ovs.run("ovs-ofctl", "-O", request.param, *words)
        for meter in (3, 5):
            words = "add-meter", BRIDGE, f"meter={meter},kbps,band=type=drop,rate=100"
            ovs.run("ovs-ofctl", "-O", request.param, *words)
        yield judge
    finally:
        ovs.stop()


def test_every_action_is_to_a_switch_what_it_is_from_ovs_ofctl(oracle: Oracle):
    lines = _lines("taken")
    report = oracle.judge(lines)
    print(report)
    assert sorted(report.agree) == sorted(lines), report
    assert len(lines) > 300


def test_what_only_we_refuse_is_a_short_list(oracle: Oracle):
    assert len(REFUSALS) <= 10
    lines = _told_apart([line for each in REFUSALS for line in each.lines])
    report = oracle.judge(lines)
    assert sorted(report.refused) == sorted(lines), report


def test_mistakes_are_refused_by_both(oracle: Oracle):
    lines = _lines("mistakes")
    report = oracle.judge(lines)
    assert sorted(report.both_refuse) == sorted(lines), report


_ALONE = ("conjunction", "drop", "encap", "mpls", "in_port[", "vlan", " ")
_INSTRUCTIONS = ("goto_table", "write_", "meter:", "clear_actions")
COMBINABLE = [
    actions
    for match, actions in (line.split("actions=", 1) for line in _lines("taken"))
    if match.count(",") == 2 and match.endswith(",")
    if not any(word in actions.lower() for word in _ALONE + _INSTRUCTIONS)
]
"""Actions of every packet that can stand among any others."""

ENDS = ["", ",clear_actions", ",write_actions(1,dec_ttl)", ",write_metadata:1/3", ",goto_table:9"]


def _flow(words: list[str], nested: str, end: str) -> str:
    return f"actions={','.join(words)},clone({nested}){end}"


_SOME = st.sampled_from(COMBINABLE)


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.builds(_flow, st.lists(_SOME, min_size=1, max_size=6), _SOME, st.sampled_from(ENDS)),
        min_size=60,
        max_size=60,
    )
)
def test_combinations_are_to_a_switch_what_they_are_from_ovs_ofctl(
    oracle: Oracle, flows: list[str]
):
    lines = _told_apart(flows)
    report = oracle.judge(lines)
    assert sorted(report.agree) == sorted(lines), report


def test_there_is_something_to_combine():
    assert len(COMBINABLE) > 100
