"""The parser of JSON for the ovs library: objects that follow one another, in pieces."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dvr_ryu.companion.providers.ovsdb.json_parser import Parser

TEXTS = st.text(st.sampled_from('a"\\{}[]:, é\n\U0001f600'))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=10,
)
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=3)


def parsed(pieces: list[str]) -> list[Any]:
    """The objects of a text, read as ovs.jsonrpc reads it."""
    found, parser = [], Parser()
    for piece in pieces:
        while piece:
            piece = piece[parser.feed(piece) :]
            if parser.is_done():
                found.append(parser.finish())
                parser = Parser()
    return found


@given(st.lists(OBJECTS, max_size=4), st.booleans(), st.data())
def test_objects_come_out_as_they_were_written(
    objects: list[dict[str, Any]], escaped: bool, data: st.DataObject
) -> None:
    text = "".join(json.dumps(each, ensure_ascii=escaped) for each in objects)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert parsed(pieces) == objects


def test_what_is_no_json_is_told_of() -> None:
    (problem,) = parsed(['{"a": nonsense}'])
    assert "Expecting value" in problem
