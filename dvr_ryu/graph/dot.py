"""Writes a picture as DOT: groups are clusters, boxes are tables whose cells are items. Pure.

Graphviz lays the SVG out from this text; so the cells have the sizes of `geometry`.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from dvr_ryu.errors import printable
from dvr_ryu.graph.colours import INK, WAY_COLOUR, colour_of
from dvr_ryu.graph.geometry import (
    HEADING,
    ITEM,
    LINE,
    NAME_SIZE,
    PAD,
    ROW,
    Geometry,
    geometry,
    steps_text,
    text_lines,
)
from dvr_ryu.graph.picture import Box, Cable, CableKind, Group, Item, Picture

STYLES = {
    CableKind.TUNNEL: "dashed",
    CableKind.UNDERLAY: "bold",
    CableKind.INTERNAL: "solid",
    CableKind.PATCH: "bold",
    CableKind.ROUTED: "dashed",
}


def dot(picture: Picture) -> str:
    """The text of a graph for Graphviz's program dot."""
    return "\n".join(_lines(picture)) + "\n"


def _lines(picture: Picture) -> Iterator[str]:
    colours = f'color="{INK}", fontcolor="{INK}"'
    font = f'fontname="DejaVu Sans Mono,monospace", fontsize={NAME_SIZE}'
    yield "digraph dvr {"
    yield f"  graph [rankdir={'TB' if picture.downwards else 'LR'}, bgcolor=transparent,"
    yield f"         nodesep=0.12, ranksep={0.4 if picture.downwards else 0.5}, compound=true,"
    yield f"         tooltip={_quoted(picture.title)}, {colours}, {font}];"
    if picture.caption:
        yield f"  label={_quoted(picture.caption)}; labelloc=b; labeljust=l;"
    yield f"  node [shape=plain, {colours}, {font}];"
    yield f"  edge [dir=none, arrowhead=none, {colours}, {font}];"
    for number, group in enumerate(picture.groups):
        yield from _group(picture, group, number)
    for box in picture.boxes:
        yield f"  {_box(picture, box)}"
    sides = _Sides(picture)
    for cable in picture.cables:
        yield f"  {_cable(picture, cable, sides)}"
    yield "}"


def _group(picture: Picture, group: Group, number: int) -> Iterator[str]:
    id = _quoted(group.id)
    yield f"  subgraph cluster_{number} {{"
    label = f"{group.name}  {group.detail}".rstrip()
    yield f"    graph [id={id}, label={_quoted(label)}, labeljust=l, labelloc=t, margin=12,"
    yield f"           style=rounded, tooltip={_quoted(group.title)}];"
    for box in group.boxes:
        yield f"    {_box(picture, box)}"
    yield "  }"


def _box(picture: Picture, box: Box) -> str:
    id = _quoted(box.id)
    attributes = f"id={id}, class={box.kind.value}, tooltip={_quoted(box.title)}"
    return f"{id} [{attributes}, label=<{''.join(_table(picture, box))}>];"


# The table of a box -------------------------------------------------------------------------------


def _table(picture: Picture, box: Box) -> Iterator[str]:
    sizes = geometry(box, picture.steps)
    colour = WAY_COLOUR if box.id in picture.passed else INK
    yield '<TABLE BORDER="1" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0" STYLE="ROUNDED" '
    yield f'COLOR="{colour}">'
    numbers = steps_text(picture.steps.get(box.id, ()))
    detail = "  ".join(filter(None, [box.brief, numbers]))
    yield _row(_cell(box.name, sizes.width, HEADING, detail, columns=5, bold=True))
    for line in text_lines(box):
        yield _row(_cell("", sizes.width, LINE, line, columns=5))
    for row in range(max(len(box.left), len(box.right))):
        yield _row(_item_row(picture, box, sizes, row))
    if box.items or text_lines(box):
        yield _row(_cell("", sizes.width, PAD, columns=5))
    yield "</TABLE>"


def _item_row(picture: Picture, box: Box, sizes: Geometry, row: int) -> str:
    left, right = (each[row] if row < len(each) else None for each in (box.left, box.right))
    return "".join(
        [
            _cell("", PAD, ROW),
            _item(picture, left, sizes.left),
            _cell("", sizes.gap, ROW),
            _item(picture, right, sizes.right),
            _cell("", PAD, ROW),
        ]
    )


def _item(picture: Picture, item: Item | None, width: int) -> str:
    if item is None:
        return _cell("", width, ROW)
    passed = item.id in picture.passed
    colour = WAY_COLOUR if passed else colour_of(picture, item.network)
    numbers = steps_text(picture.steps.get(item.id, ()))
    detail = "  ".join(filter(None, [item.detail, numbers]))
    # The cell's own table leaves a margin between it and the next one.
    inner = (
        f'<TABLE BORDER="0" CELLBORDER="{2 if passed else 1}" CELLSPACING="0" CELLPADDING="0" '
        f'COLOR="{colour}"><TR>{_cell(item.name, width, ITEM, detail)}</TR></TABLE>'
    )
    port = escape(item.id, quote=True)
    return f'<TD PORT="{port}" FIXEDSIZE="TRUE" WIDTH="{width}" HEIGHT="{ROW}">{inner}</TD>'


def _cell(
    name: str, width: int, height: int, detail: str = "", columns: int = 1, bold: bool = False
) -> str:
    if not width:
        return ""
    span = f' COLSPAN="{columns}"' if columns > 1 else ""
    shown = _html(name)
    if bold and shown:
        shown = f"<B>{shown}</B>"
    if detail:
        small = _html(detail)
        shown += f'<FONT POINT-SIZE="{NAME_SIZE - 1}">{"  " if name else ""}{small}</FONT>'
    return f'<TD{span} FIXEDSIZE="TRUE" WIDTH="{width}" HEIGHT="{height}">{shown}</TD>'


def _html(text: str) -> str:
    """Text in a table. Graphviz refuses a text of brackets alone, if these are no references."""
    return escape(printable(text)).replace("]", "&#93;")


def _row(cells: str) -> str:
    return f"<TR>{cells}</TR>"


# Cables -------------------------------------------------------------------------------------------


class _Sides:
    """Says at which side of a box an item has its cables."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        self._right = {each.id for box in picture.every_box for each in box.right if box.left}
        self._left = {each.id for box in picture.every_box for each in box.left if box.right}

    def end(self, id: str, starts: bool) -> str:
        """An end of an edge in DOT: a node, and its port with the compass point of a side."""
        box = self._picture.box_of[id]
        if id == box.id:
            return _quoted(id)
        east = id in self._right or (starts and id not in self._left)
        return f"{_quoted(box.id)}:{_quoted(id)}:{'e' if east else 'w'}"


def _cable(picture: Picture, cable: Cable, sides: _Sides) -> str:
    passed = cable.id in picture.passed
    colour = WAY_COLOUR if passed else colour_of(picture, cable.network)
    attributes = [
        f"id={_quoted(cable.id)}",
        f"class={cable.kind.value}",
        f"tooltip={_quoted(cable.title)}",
        f'color="{colour}"',
        f"style={STYLES.get(cable.kind, 'solid')}",
    ]
    if passed:
        attributes.append("penwidth=3")
    if cable.directed:
        attributes.append("dir=forward, arrowhead=normal, arrowsize=0.7")
    ends = f"{sides.end(cable.start, True)} -> {sides.end(cable.end, False)}"
    return f"{ends} [{', '.join(attributes)}];"


def _quoted(text: str) -> str:
    """A string of DOT. Its backslashes would begin escapes."""
    lines = (printable(line).replace("\\", "\\\\").replace('"', '\\"') for line in text.split("\n"))
    return '"' + "\\n".join(lines) + '"'
