"""docs/topology.rst: every key that a file may have, and none that it may not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from attrs import fields

from dvr_ryu.topology.spec.declaration import TopologyWords
from dvr_ryu.topology.spec.reference import reference
from dvr_ryu.topology.spec.schema import Words
from dvr_ryu.topology.spec.sentences import SENTENCES

DOCS = Path(__file__).parents[4] / "docs" / "topology.rst"


def mappings(hint: Any) -> Iterator[type[Words]]:
    """Every kind of mapping that a file may have, found without the reference's own walk."""
    if isinstance(hint, type) and issubclass(hint, Words):
        yield hint
        for below in get_type_hints(hint, include_extras=True).values():
            yield from mappings(below)
    for argument in get_args(hint):
        yield from mappings(argument)


def test_it_is_up_to_date() -> None:
    assert DOCS.read_text(encoding="utf-8") == reference(), "type make docs"


@pytest.mark.parametrize("mapping", [*dict.fromkeys(mappings(TopologyWords))], ids=str)
def test_every_key_has_a_type_and_a_sentence(mapping: type[Words]) -> None:
    sections = re.split(r"^(.+)\n-+\n", reference(), flags=re.M)[2::2]
    named = [dict(re.findall(r"^``(\w+)``: (.+)\n    .+\.$", each, re.M)) for each in sections]
    assert [*(each.name for each in fields(mapping))] in [[*each] for each in named]
    assert all(kind for each in named for kind in each.values())


def test_nothing_is_said_of_what_is_no_key() -> None:
    for mapping, sentences in SENTENCES.items():
        assert sentences.keys() <= {each.name for each in fields(mapping)}, mapping
