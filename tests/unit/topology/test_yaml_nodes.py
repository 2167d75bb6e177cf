"""YAML as people mean it: strict scalars, and a place for everything."""

from __future__ import annotations

import pytest

from dvr_ryu.topology.yaml_nodes import Document


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
