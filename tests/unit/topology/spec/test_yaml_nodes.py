"""YAML as people mean it: strict scalars, and a place for everything."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dvr_ryu.errors import FileError
from dvr_ryu.topology.loading import parse_topology
from dvr_ryu.topology.spec.yaml_nodes import Document


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("7", 7),
        ("-7", -7),
        ("0x1A", 26),
        ("007", "007"),
        ("0o7", "0o7"),
        ("1_000", "1_000"),
        ("1.10", "1.10"),
        ("1e3", "1e3"),
        ("12:30:45", "12:30:45"),
        ("2026-01-01", "2026-01-01"),
        ("9" * 5000, "9" * 5000),
        ("yes", "yes"),
        ("on", "on"),
        ("True", "True"),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("'7'", "7"),
        ('"true"', "true"),
        ("''", ""),
    ],
)
def test_a_scalar_is_what_it_looks_like(written, value):
    data = Document(f"key: {written}\n", "f").data
    assert data == {"key": value}
    assert type(data["key"]) is type(value)


def test_places():
    text = "one:\n  two: [a, {three: b}]\n"
    document = Document(text, "f")
    assert str(document.key(("one", "two"))) == "f:2:3"
    assert str(document.value(("one", "two"))) == "f:2:8"
    assert str(document.value(("one", "two", 1, "three"))) == "f:2:20"
    assert str(document.key(("one", "two", 1))) == "f:2:12"
    assert str(document.value(("one", "two", 1, "missing", "deeper"))) == "f:2:12"
    assert document.value(("one", "two")).source == "  two: [a, {three: b}]"


def test_an_alias_repeats_its_anchor():
    document = Document("a: &x {b: 1}\nc: *x\n", "f")
    assert document.data == {"a": {"b": 1}, "c": {"b": 1}}
    assert str(document.value(("c", "b"))) == "f:1:11"


MERGED = """
base: &base {a: 1, b: 2}
more: &more {<<: *base, b: 3, c: 4}
own: {b: 9, <<: *base}
two: {<<: [*more, *base]}
other: {<<: [*base, *more], d: 5}
here: {<<: {e: 6}}
"""


def test_merge_keys_are_as_pyyaml_has_them():
    """Own keys first, then earlier mappings; in whatever order they stand."""
    assert Document(MERGED, "f").data == yaml.safe_load(MERGED)


@given(st.data())
def test_any_merge_is_as_pyyaml_has_it(drawn):
    names = "abcdefgh"
    keys = st.dictionaries(st.sampled_from("xyzuvw"), st.integers(0, 9), max_size=3)
    lines = []
    for index, name in enumerate(names):
        own = [f"{key}: {value}" for key, value in drawn.draw(keys).items()]
        earlier = st.lists(st.sampled_from(names[: index or 1]), max_size=3, unique=True)
        merged = drawn.draw(earlier) if index else []
        if merged:
            aliases = ", ".join(f"*{each}" for each in merged)
            own.insert(drawn.draw(st.integers(0, len(own))), f"<<: [{aliases}]")
        lines.append(f"{name}: &{name} {{{', '.join(own)}}}\n")
    text = "".join(lines)
    assert Document(text, "f").data == yaml.safe_load(text)


def test_what_is_merged_has_its_place_where_it_is_written():
    document = Document(MERGED.lstrip("\n"), "f")
    assert str(document.value(("two", "a"))) == "f:1:17"
    assert str(document.key(("two", "c"))) == "f:2:31"
    assert str(document.value(("own", "b"))) == "f:3:10"


def _laughs(line: str, levels: int = 30) -> str:
    """Each level names the one before ten times."""
    lines = ["a0: &a0 {x: 1}"]
    for level in range(1, levels):
        ten = ", ".join([f"*a{level - 1}"] * 10)
        lines.append(f"a{level}: &a{level} " + line.replace("TEN", ten))
    return "\n".join(lines) + "\n"


BOMBS = {
    "lists": _laughs("[TEN]"),
    "a wide list": "a: &a [" + "1, " * 10_000 + "]\nb: [" + "*a, " * 10_000 + "]\n",
    "wide merges": "a: &a {"
    + "".join(f"k{n}: 1, " for n in range(2000))
    + "}\nb: {<<: ["
    + "*a, " * 2000
    + "]}\n",
    "a chain of merges": "a: {"
    + "c0: &c0 {x: 1}, "
    + "".join(f"c{n}: &c{n} {{<<: *c{n - 1}}}, " for n in range(1, 3000))
    + "<<: *c2999}\n",
    "networks": "hosts: {h: {address: 10.0.0.1}}\nnetworks: {a: &a {subnets: ["
    + "&s {cidr: 10.0.0.0/24, dhcp_ranges: [&r {start: 10.0.0.1, end: 10.0.0.2}"
    + ", *r" * 1000
    + "]}"
    + ", *s" * 1000
    + "]}, "
    + ", ".join(f"n{n}: *a" for n in range(1000))
    + "}\n",
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
@pytest.mark.timeout(20)
def test_a_short_text_is_not_more_than_memory_holds(text: str):
    with pytest.raises(FileError) as raised:
        parse_topology(text, "f")
    assert any(
        "write fewer aliases" in each.message
        or "'<<'" in each.message
        or "too deeply" in each.message
        for each in raised.value.problems
    ), str(raised.value)


def test_a_base_that_many_share_is_no_bomb():
    base = "{host: h, network: n, dhcp_options: {domain-name: example.org}}"
    others = "".join(f"  i{n}: {{<<: *base}}\n" for n in range(2000))
    text = (
        "hosts: {h: {address: 10.0.0.1}}\nnetworks: {n: {subnets: [{cidr: 10.1.0.0/16}]}}\n"
        f"instances:\n  first: &base {base}\n{others}"
    )
    assert len(parse_topology(text, "f").instances) == 2001


@pytest.mark.parametrize(
    ("merged", "location"),
    [("<<: {x: 1, x: 2}", "1:16"), ("<<: {? [x] : 1}", "1:12"), ("<<: {<<: {7: 1}}", "1:15")],
)
def test_a_mistake_in_what_is_merged_is_told(merged: str, location: str) -> None:
    with pytest.raises(FileError) as raised:
        parse_topology(f"a: {{{merged}}}", "f")
    assert location in {
        f"{each.location.line}:{each.location.column}" for each in raised.value.problems
    }


def test_a_mistake_that_aliases_repeat_is_told_once() -> None:
    document = Document("a: &a {x: 1, x: 2}\nb: {<<: *a}\nc: {<<: *a}\n", "f")
    assert [str(each.location) for each in document.problems] == ["f:1:14"]
