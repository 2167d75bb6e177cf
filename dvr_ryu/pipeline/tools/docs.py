"""Makes the documentation of pipelines, as RST: how to read a flow file, the relations, the tables
with their flows, and a picture of the graph of tables.

Pure. All its content about pipelines comes from them, from their files' text, from `relations` and
from `fields`, so the documentation cannot drift from them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from textwrap import dedent, fill, indent
from typing import Any

from dvr_ryu.pipeline.language.fields import ALIASES, FIELDS, SHORTHANDS, shorthand, spelled_out
from dvr_ryu.pipeline.language.flow import Flow
from dvr_ryu.pipeline.language.flow_file import logical_lines
from dvr_ryu.pipeline.language.pipeline import Pipeline
from dvr_ryu.pipeline.language.refusals import REFUSALS
from dvr_ryu.pipeline.tools.graph import ends, next_tables
from dvr_ryu.pipeline.tools.guide import GUIDE, HEADER
from dvr_ryu.topology.bridges import BRIDGES, BridgeDefinition, Plug, patch_ports
from dvr_ryu.topology.relations import RELATIONS, ThisHost, fields_of

WIDTH = 100


def document(pipelines: Iterable[Pipeline], texts: Mapping[str, str]) -> str:
    """The whole document. `texts`: a pipeline's file → the file's text."""
    parts = [
        HEADER,
        GUIDE,
        *_bridges(),
        *_refusals(),
        *_relations(),
        *_fields(),
        *(part for each in pipelines for part in _pipeline(each, texts[each.file])),
    ]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _bridges() -> Iterator[str]:
    yield _title("Bridges", "-")
    yield _table(
        ("bridge", "flow file", "what it is for", "its ports"),
        [
            (each.name, f"``{each.flow_file}``", each.sentence, _ports(each))
            for each in BRIDGES.values()
        ],
    )


def _ports(bridge: BridgeDefinition) -> str:
    patches = [f"``{here.name}`` (a patch)" for here, _ in patch_ports(bridge.name)]
    return ", ".join([*patches, *(plug.value for plug in Plug if plug in bridge.plugs)])


def _refusals() -> Iterator[str]:
    yield _title("What is refused though Open vSwitch takes it", "-")
    for each in REFUSALS:
        yield _paragraph(f"- {each.feature}. {each.reason}").replace("\n", "\n  ")


# Relations and fields -----------------------------------------------------------------------------


def _relations() -> Iterator[str]:
    yield _title("Relations", "-")
    yield _paragraph(
        "A block that begins with ``each RELATION:`` is repeated for every row that the relation "
        "has on a host. Its holes name the row's fields. ``host`` needs no ``each``: there is one, "
        "and every flow may name it."
    )
    row_types: dict[str, type[Any]] = {"host": ThisHost, **RELATIONS}
    for name, row_type in row_types.items():
        yield _title(name, "~")
        yield _paragraph(_first_paragraph(row_type))
        yield _table(
            ("hole", "kind", "what it is"),
            [
                (f"``{{{name}.{field}}}``", doc.kind.value, doc.sentence)
                for field, doc in fields_of(row_type).items()
            ],
        )


def _fields() -> Iterator[str]:
    yield _title("Fields", "-")
    yield _paragraph(
        "What a flow may match, set, move or learn. A hole of the kind named here may stand for "
        "the value. Where only some packets have a field, a match on it must match those packets "
        "as well: the last column says how."
    )
    yield _table(
        ("field", "also called", "hole", "mask", "only with"),
        [
            (
                f"``{field.name}``",
                ", ".join(f"``{alias}``" for alias, of in ALIASES.items() if of == field.name),
                field.kind.value if field.kind else "",
                "yes" if field.maskable else "",
                " or ".join(f"``{shorthand(pairs)}``" for pairs in field.requires),
            )
            for field in FIELDS.values()
            if not field.variable
        ]
        + [_OPTIONS],
    )
    yield _table(
        ("short for", "means"),
        [
            (f"``{word}``", f"``{spelled_out(pairs)}``" if pairs else "every packet")
            for word, pairs in SHORTHANDS.items()
        ],
    )


_OPTIONS = (
    "``tun_metadata0`` to ``tun_metadata63``", "``NXM_NX_TUN_METADATA0`` …", "", "yes", ""
)  # fmt: skip


# A pipeline ---------------------------------------------------------------------------------------


def _pipeline(pipeline: Pipeline, text: str) -> Iterator[str]:
    lines = {line.location(0).line: line for line in logical_lines(text, pipeline.file)}
    yield _title(pipeline.bridge, "-")
    yield _paragraph(
        "Which table leads where. After the colon: what a packet can meet there besides a table."
    )
    yield "::\n\n" + indent(picture(pipeline), "    ")
    for table in pipeline.tables:
        yield _title(f"{pipeline.bridge}, table {table.number}: {table.name}", "~")
        yield _paragraph(_prose(table.sentence))
        for block in table.blocks:
            margin = ""
            if block.relation is not None:
                yield f"For each {block.relation}_:"
                margin = "    "
            for flow in block.flows:
                assert flow.location
                pieces = lines[flow.location.line].pieces
                yield indent(_flow(flow, [piece.source for piece in pieces]), margin)


def _flow(flow: Flow, source: Sequence[str]) -> str:
    code = indent(dedent("\n".join(source)), "    ")
    is_miss = flow.priority == 0 and not flow.match
    text = f"{_prose(flow.sentence)} ".lstrip() or ("What no other flow takes" if is_miss else "")
    return f"{_paragraph(f'{text}::')}\n\n{code}"


# The picture --------------------------------------------------------------------------------------


def picture(pipeline: Pipeline) -> str:
    """The tables as a tree: each table's next tables stand below it. A table that is reached twice
    has its next tables drawn once, and "(see above)" the second time.
    """
    tables = {table.number: table for table in pipeline.tables}
    reached = {number for table in pipeline.tables for number in next_tables(table)}
    drawn: set[int] = set()
    rows: list[tuple[str, str]] = []

    def draw(number: int, stem: str, below: str) -> None:
        table, following = tables[number], next_tables(tables[number])
        repeated = number in drawn
        drawn.add(number)
        seen = repeated and following
        rows.append((
            f"{stem}{number} {table.name}", "(see above)" if seen else ", ".join(ends(table))
        ))  # fmt: skip
        if repeated:
            return
        for position, each in enumerate(following, 1):
            last = position == len(following)
            draw(each, f"{below}{'`' if last else '|'}-- ", f"{below}{' ' if last else '|'}   ")

    for table in pipeline.tables:
        if table.number == pipeline.tables[0].number or table.number not in reached:
            draw(table.number, "", "")
    wide = max(len(tree) for tree, _ in rows)
    return "\n".join(f"{tree:{wide}} : {beyond}" if beyond else tree for tree, beyond in rows)


# RST ----------------------------------------------------------------------------------------------


def _title(text: str, line: str) -> str:
    return f"{text}\n{line * len(text)}"


def _paragraph(text: str) -> str:
    return fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def _prose(sentence: str) -> str:
    """A sentence of a flow file as RST: holes become literals, markup characters are escaped."""
    plain = re.sub(r"[\\`*|]|_(?=\W|$)", r"\\\g<0>", sentence)
    return re.sub(r"\{[^{}]*\}", r"``\g<0>``", plain)


def _first_paragraph(documented: type[Any]) -> str:
    return " ".join((documented.__doc__ or "").partition("\n\n")[0].split())


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    wide = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    rule = "  ".join("=" * each for each in wide)
    lines = ["  ".join(map(str.ljust, row, wide)).rstrip() for row in (head, *rows)]
    return "\n".join([rule, lines[0], rule, *lines[1:], rule])
