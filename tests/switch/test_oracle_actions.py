"""Every action in many spellings: a switch has the same flow from us as from ovs-ofctl.

The lines are in action_lines/: accepted ones, and mistakes. The test also combines accepted ones at
random.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dvr_ryu.pipeline.language.refusals import REFUSALS
from tests.switch.support.oracle import BRIDGE, Oracle
from tests.switch.support.ovs import Ovs

FOLDER = Path(__file__).with_name("action_lines")


def _lines(name: str) -> list[str]:
    lines = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return _with_priorities(line for line in lines if not line.startswith("#"))


def _with_priorities(lines: Iterator[str] | list[str]) -> list[str]:
    """The lines as flows of one table, each with a priority of its own, so that none replaces
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
            arguments = "add-group", BRIDGE, f"group_id={group},type=all,bucket=output:1"
            ovs.run("ovs-ofctl", "-O", request.param, *arguments)
        for meter in (3, 5):
            arguments = "add-meter", BRIDGE, f"meter={meter},kbps,band=type=drop,rate=100"
            ovs.run("ovs-ofctl", "-O", request.param, *arguments)
        yield judge
    finally:
        ovs.stop()


@pytest.mark.parametrize(("name", "least"), [("accepted", 300), ("options", 80)])
def test_a_switch_has_the_same_actions_as_from_ovs_ofctl(oracle: Oracle, name: str, least: int):
    lines = _lines(name)
    report = oracle.judge(lines)
    print(report)
    assert sorted(report.agree) == sorted(lines), report
    assert len(lines) > least


def test_few_actions_are_refused_only_by_us(oracle: Oracle):
    assert len(REFUSALS) <= 10
    lines = _with_priorities([line for each in REFUSALS for line in each.lines])
    report = oracle.judge(lines)
    assert sorted(report.refused) == sorted(lines), report


WHOLE_OPTIONS = (
    "load:5->tun_metadata0[0..31]",
    "load:0x12345678->tun_metadata1[0..31]",
    "load:0->tun_metadata1[0..63]",
    "load:0xffffffff00000001->tun_metadata1[0..95]",
    "set_field:0x10001/0xffffffff->tun_metadata1",
)
"""Bits that may be all bits of an option: ovs-ofctl writes them in one step, we in two."""


@pytest.mark.parametrize("action", WHOLE_OPTIONS)
def test_a_whole_option_is_written_like_by_ovs_ofctl(oracle: Oracle, action: str):
    before = (
        "set_field:0x11223344->tun_metadata0,set_field:0x112233445566778899aabbcc->tun_metadata1"
    )
    after = "move:tun_metadata0[0..31]->reg0[],move:tun_metadata1[0..95]->xxreg1[0..95]"
    ours, theirs = oracle.effects(f"actions={before},{action},{after}", "in_port=1")
    assert "reg0=" in ours
    assert ours == theirs
    report = oracle.judge([f"actions={action}"])
    assert not report.unsettled, report


def test_mistakes_are_refused_by_both(oracle: Oracle):
    lines = _lines("mistakes")
    report = oracle.judge(lines)
    assert sorted(report.both_refuse) == sorted(lines), report


_ALONE = ("conjunction", "drop", "encap", "decap", "mpls", "in_port[", "vlan", " ")
_INSTRUCTIONS = ("goto_table", "write_", "meter:", "clear_actions")
COMBINABLE = [
    actions
    for match, actions in (re.split("actions?=", line, maxsplit=1) for line in _lines("accepted"))
    if match.count(",") == 2 and match.endswith(",")
    if not any(word in actions.lower() for word in _ALONE + _INSTRUCTIONS)
]
"""Actions that fit every packet and can stand among any others."""

ENDS = ["", ",clear_actions", ",write_actions(1,dec_ttl)", ",write_metadata:1/3", ",goto_table:9"]


def _flow(actions: list[str], nested: str, end: str) -> str:
    return f"actions={','.join(actions)},clone({nested}){end}"


_SOME = st.sampled_from(COMBINABLE)


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.builds(_flow, st.lists(_SOME, min_size=1, max_size=6), _SOME, st.sampled_from(ENDS)),
        min_size=60,
        max_size=60,
    )
)
def test_a_switch_has_the_same_combinations_as_from_ovs_ofctl(oracle: Oracle, flows: list[str]):
    lines = _with_priorities(flows)
    report = oracle.judge(lines)
    assert sorted(report.agree) == sorted(lines), report


WIDTHS = {
    **{f"reg{at}": 32 for at in range(16)},
    **{f"xreg{at}": 64 for at in range(8)},
    **{f"xxreg{at}": 128 for at in range(4)},
    "metadata": 64, "tun_id": 64, "pkt_mark": 32, "tun_dst": 32, "tun_ipv6_src": 128,
    "tun_gbp_id": 16, "tun_erspan_idx": 20, "eth_src": 48,
}  # fmt: skip
"""Fields of every packet, and their numbers of bits."""
TRACKED = {"ct_mark": 32, "ct_label": 128}


def some_bits(dice: random.Random, widths: dict[str, int], width: int = 0) -> tuple[str, int]:
    """Random bits of one of the fields, `width` of them if given, and their number."""
    name = dice.choice([name for name, bits in widths.items() if bits >= width])
    first = dice.randint(0, widths[name] - (width or 1))
    last = first + width - 1 if width else dice.randint(first, widths[name] - 1)
    if not width and dice.random() < 0.2:
        return dice.choice([f"{name}[]", name]), widths[name]
    template = "{}[{}]" if first == last else "{}[{}..{}]"
    return template.format(name, first, last), last - first + 1


def written(dice: random.Random, widths: dict[str, int]) -> str:
    """A random action that writes some of the fields."""
    target, width = some_bits(dice, widths)
    kind = dice.choice(["load", "move", "set_field"])
    if kind == "load":
        return f"load:{dice.getrandbits(width):#x}->{target}"
    if kind == "move":
        return f"move:{some_bits(dice, WIDTHS, width)[0]}->{target}"
    hexadecimal = [name for name in widths if not re.search("_dst|_src|gbp", name)]
    name = dice.choice(hexadecimal)
    mask = dice.getrandbits(widths[name])
    return f"set_field:{dice.getrandbits(widths[name]) & mask:#x}/{mask:#x}->{name}"


def read(dice: random.Random) -> str:
    """A random action that reads some bits, or writes its result to one."""
    source, width = some_bits(dice, WIDTHS)
    short = {name: bits for name, bits in WIDTHS.items() if "erspan" not in name}
    there, size = some_bits(dice, short)
    return dice.choice(
        [
            f"push:{source},pop:{some_bits(dice, WIDTHS, width)[0]}",
            f"check_pkt_larger({dice.randint(0, 65535)})->{some_bits(dice, WIDTHS, 1)[0]}",
            f"learn(table=2,result_dst={some_bits(dice, WIDTHS, 1)[0]},limit={dice.randint(0, 9)},"
            f"{there}={some_bits(dice, short, size)[0]},load:{dice.getrandbits(size):#x}->{there})",
            f"learn(table=2,load:{some_bits(dice, short, size)[0]}->{there},output:{there})",
            f"output:{source}",
        ]
    )


def made_up(count: int, seed: int) -> list[str]:
    dice = random.Random(seed)
    lines = []
    for _ in range(count):
        actions = [
            dice.choice([lambda: written(dice, WIDTHS), lambda: read(dice)])() for _ in "123"
        ]
        inside = ",".join(written(dice, TRACKED) for _ in "12")
        lines.append(f"ip actions={','.join(actions)},ct(commit,exec({inside}))")
    return lines


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32 - 1))
def test_a_switch_has_the_same_bits_as_from_ovs_ofctl(oracle: Oracle, seed: int):
    lines = _with_priorities(made_up(100, seed))
    report = oracle.judge(lines)
    assert sorted(report.agree) == sorted(lines), report


def test_there_is_something_to_combine():
    assert len(COMBINABLE) > 100
