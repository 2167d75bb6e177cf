"""docs/topology.rst: every key that a file may have, and none that it may not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from attrs import NOTHING, fields
from voluptuous import Schema

from dvr_ryu.topology.spec.declaration import TopologySpec
from dvr_ryu.topology.spec.keys import KEYS, key
from dvr_ryu.topology.spec.reference import reference
from dvr_ryu.topology.spec.schema import Spec, key_of, schema
from dvr_ryu.topology.spec.yaml_nodes import Document

DOCS = Path(__file__).parents[4] / "docs" / "topology.rst"


def mappings(hint: Any) -> Iterator[type[Spec]]:
    """Every kind of mapping that a file may have, found without the reference's own walk."""
    if isinstance(hint, type) and issubclass(hint, Spec):
        yield hint
        for below in get_type_hints(hint, include_extras=True).values():
            yield from mappings(below)
    for argument in get_args(hint):
        yield from mappings(argument)


def test_it_is_up_to_date() -> None:
    assert DOCS.read_text(encoding="utf-8") == reference(), "type make docs"


ENTRY = re.compile(
    r"^``(?P<key>\w+)`` : (?P<type>.+) : (?P<default>required|default: \S.*)\n"
    r"    (?P<sentence>[A-Z`].+\.) Example: ``(?P<example>(?P=key): .+)``$",
    re.M,
)


@pytest.mark.parametrize("mapping", [*dict.fromkeys(mappings(TopologySpec))], ids=str)
def test_every_key_has_a_type_a_default_a_sentence_and_an_example(mapping: type[Spec]) -> None:
    sections = re.split(r"^(.+)\n-+\n", reference(), flags=re.M)[2::2]
    named = [[each["key"] for each in ENTRY.finditer(section)] for section in sections]
    assert [key_of(each) for each in fields(mapping)] in named


def test_every_line_belongs_to_an_entry() -> None:
    entries = len(re.findall(r"^``\w+`` :", reference(), re.M))
    assert entries == len(ENTRY.findall(reference())) > 60


@pytest.mark.parametrize("mapping", [*dict.fromkeys(mappings(TopologySpec))], ids=str)
def test_every_example_is_taken_and_is_not_the_default(mapping: type[Spec]) -> None:
    hints = get_type_hints(mapping, include_extras=True)
    for each in fields(mapping):
        name = key_of(each)
        text = f"{name}: {key(mapping, name).example}"
        value = Schema(schema(hints[each.name]))(Document(text, "example").data[name])
        assert value != each.default, text


def test_a_default_is_said_once() -> None:
    """In words only where the declaration's own says nothing: none, or an empty mapping."""
    for mapping in dict.fromkeys(mappings(TopologySpec)):
        for each in fields(mapping):
            default, documented = each.default, key(mapping, key_of(each)).default
            speaks = isinstance(default, bool | int | Spec) or (
                default and isinstance(default, str)
            )
            assert not (documented and (speaks or default is NOTHING)), (mapping, each.name)
            assert documented or default not in (None, ""), (mapping, each.name)


def test_nothing_is_said_of_what_is_no_key() -> None:
    for mapping, known in KEYS.items():
        assert known.keys() <= {key_of(each) for each in fields(mapping)}, mapping
