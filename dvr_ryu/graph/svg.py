"""Writes a picture as SVG, with the layout that Graphviz found. Pure.

Every element has its id, and a title that a browser shows under the pointer. The colours follow
the reader's choice of light or dark.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from itertools import pairwise

from dvr_ryu.errors import printable
from dvr_ryu.graph.geometry import (
    HEADING,
    LINE,
    PAD,
    Rectangle,
    detail_width,
    geometry,
    name_width,
    steps_text,
    text_lines,
)
from dvr_ryu.graph.layout import Layout, Point
from dvr_ryu.graph.picture import Box, Cable, Group, Item, Picture
from dvr_ryu.graph.style import CLASS, COLOURS, style

MARGIN = 12
KEY_ROW = 20


def svg(picture: Picture, layout: Layout) -> str:
    """The text of an SVG document, which may also stand in a page of HTML as it is."""
    return _Drawing(picture, layout).document()


class _Drawing:
    def __init__(self, picture: Picture, layout: Layout) -> None:
        self._picture, self._layout = picture, layout
        self._numbers = {key.name: key.number for key in picture.networks}
        self._rectangles = dict(layout.boxes)
        for box in picture.every_box:
            frame = layout.boxes[box.id]
            inner = geometry(box, picture.steps).items
            # The border of a table of Graphviz is one point wide.
            moved = {id: each.moved(frame.x + 1, frame.y + 1) for id, each in inner.items()}
            self._rectangles |= moved

    def document(self) -> str:
        key, key_height = self._key()
        width = self._layout.width + 2 * MARGIN
        height = self._layout.height + 2 * MARGIN + key_height
        classes = f"{CLASS} traced" if self._picture.way else CLASS
        title = _text(self._picture.title)
        lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="{classes}" role="img" '
            f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}">',
            f"<title>{title}</title>",
            f"<style>\n{style()}</style>",
            '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" '
            'markerHeight="8" markerUnits="userSpaceOnUse" orient="auto">'
            '<path class="arrow" d="M0 0L8 4L0 8z"/></marker></defs>',
            '<rect class="paper" width="100%" height="100%"/>',
            f'<g transform="translate({MARGIN} {MARGIN})">',
            *(line for group in self._picture.groups for line in self._group(group)),
            *(line for box in self._picture.boxes for line in self._box(box)),
            *(self._cable(cable) for cable in self._picture.cables),
            *self._within(),
            *self._caption(),
            "</g>",
            *key,
            "</svg>",
        ]
        return "\n".join(lines) + "\n"

    # Groups, boxes, items -------------------------------------------------------------------------

    def _opened(self, id: str, classes: Iterable[str], title: str) -> str:
        passed = ["passed"] if id in self._picture.passed else []
        names = " ".join([*classes, *passed])
        return f'<g id="{_text(id)}" class="{names}"><title>{_text(title)}</title>'

    def _group(self, group: Group) -> Iterator[str]:
        frame = self._layout.groups[group.id]
        yield self._opened(group.id, [group.kind.value], group.title)
        yield _rectangle(frame, "frame", 8)
        yield _label(frame.x + PAD, frame.y + 15, group.name, group.detail)
        for box in group.boxes:
            yield from self._box(box)
        yield "</g>"

    def _box(self, box: Box) -> Iterator[str]:
        frame = self._layout.boxes[box.id]
        yield self._opened(box.id, ["box", box.kind.value], box.title)
        yield _rectangle(frame, "frame", 6)
        yield _label(frame.x + PAD + 1, frame.y + 15, box.name, box.brief)
        yield from self._badge(box.id, frame.right, frame.y + HEADING / 2)
        for row, line in enumerate(text_lines(box)):
            y = frame.y + HEADING + LINE * row + 10
            yield f'<text x="{frame.x + PAD + 1:g}" y="{y:g}" class="detail">{_text(line)}</text>'
        for item in box.items:
            yield from self._item(item)
        yield "</g>"

    def _item(self, item: Item) -> Iterator[str]:
        frame = self._rectangles[item.id]
        yield self._opened(item.id, ["item", item.kind.value, *self._network(item)], item.title)
        yield _rectangle(frame, "", 3)
        yield _label(frame.x + PAD, frame.y + 13, item.name, item.detail, "")
        yield from self._badge(item.id, frame.right, frame.middle)
        yield "</g>"

    def _badge(self, id: str, right: float, y: float) -> Iterator[str]:
        """The numbers of an element on the way, at its right side."""
        if id in self._picture.steps:
            numbers = steps_text(self._picture.steps[id])
            width = detail_width(numbers) + 6
            x = right - width - 3
            frame = Rectangle(x, y - 7, width, 14)
            text = f'<text x="{x + width / 2:g}" y="{y + 3.5:g}">{numbers}</text>'
            yield f'<g class="badge">{_rectangle(frame, "", 7)}{text}</g>'

    def _network(self, element: Item | Cable) -> list[str]:
        if element.network is None:
            return []
        return [_network_class(self._numbers[element.network])]

    # Cables ---------------------------------------------------------------------------------------

    def _cable(self, cable: Cable) -> str:
        start, *others = self._curve(cable)
        path = f"M{_at(start)}C" + " ".join(map(_at, others))
        marker = ' marker-end="url(#arrow)"' if cable.directed else ""
        classes = ["cable", cable.kind.value, *self._network(cable)]
        opened = self._opened(cable.id, classes, cable.title)
        # A wide path that is not seen: so that the pointer finds the cable.
        touch = f'<path class="touch" d="{path}"/>'
        return f'{opened}{touch}<path class="line" d="{path}"{marker}/></g>'

    def _curve(self, cable: Cable) -> list[Point]:
        """The points of a cable. Graphviz leads some around their own host: these stay in it."""
        points = self._layout.curves[cable.id]
        start, end = (self._picture.group_of.get(id) for id in (cable.start, cable.end))
        if start is None or start is not end:
            return [*points]
        frame = self._layout.groups[start.id]
        low, high = frame.y + PAD, frame.bottom - PAD
        return [(x, min(max(y, low), high)) for x, y in points]

    def _within(self) -> Iterator[str]:
        """The parts of the way inside boxes, from one item to another of the same box."""
        box_of = self._picture.box_of
        ids = [id for id in self._picture.way if id in box_of and id != box_of[id].id]
        for one, other in pairwise(ids):
            if box_of[one] is box_of[other] and one != other:
                yield f'<path class="within" d="{self._inner_way(box_of[one], one, other)}"/>'

    def _inner_way(self, box: Box, one: str, other: str) -> str:
        lefts = {item.id for item in box.left}
        points: list[Point] = []
        for id, last in ((one, False), (other, True)):
            frame = self._rectangles[id]
            x, outwards = (frame.right, 12) if id in lefts else (frame.x, -12)
            both = [(x, frame.middle), (x + outwards, frame.middle)]
            points += reversed(both) if last else both
        return f"M{_at(points[0])}C{' '.join(map(_at, points[1:]))}"

    def _caption(self) -> Iterator[str]:
        """The line below the picture, for which Graphviz has left room."""
        if self._picture.caption:
            x, y = PAD, self._layout.height - PAD
            yield f'<text x="{x}" y="{y:g}" class="caption">{_text(self._picture.caption)}</text>'

    # The key of colours ---------------------------------------------------------------------------

    def _key(self) -> tuple[list[str], int]:
        """The key, in as many rows as it needs, and its height."""
        lines: list[str] = []
        x, height, top = float(MARGIN), 0, self._layout.height + 2 * MARGIN
        for key in self._picture.networks:
            needs = 14 + _label_width(key.name, key.detail) + 24
            if not lines or (x > MARGIN and x + needs > self._layout.width):
                x, height = float(MARGIN), height + KEY_ROW
            y = top + height - KEY_ROW
            lines += [
                f'<g class="{_network_class(key.number)}">',
                _rectangle(Rectangle(x, y, 10, 10), "key", 2),
                _label(x + 16, y + 9, key.name, key.detail),
                "</g>",
            ]
            x += needs
        return lines, height


def _network_class(number: int) -> str:
    return f"net-{number % COLOURS}"


def _rectangle(frame: Rectangle, name: str, radius: int) -> str:
    classes = f' class="{name}"' if name else ""
    size = f'width="{frame.width:g}" height="{frame.height:g}"'
    return f'<rect{classes} x="{frame.x:g}" y="{frame.y:g}" {size} rx="{radius}"/>'


def _label(x: float, y: float, name: str, detail: str, name_class: str = "heading") -> str:
    """A name, and a detail to its right."""
    classes = f' class="{name_class}"' if name_class else ""
    shown = f'<text x="{x:g}" y="{y:g}"{classes}>{_text(name)}</text>'
    if detail:
        beside = x + name_width(name) + (PAD if name else 0)
        shown += f'<text x="{beside:g}" y="{y:g}" class="detail">{_text(detail)}</text>'
    return shown


def _label_width(name: str, detail: str) -> int:
    return name_width(name) + PAD + detail_width(detail)


def _at(point: Point) -> str:
    return f"{point[0]:g} {point[1]:g}"


def _text(text: str) -> str:
    """Text for XML. Control characters, which XML cannot have, are shown as escapes."""
    return escape("\n".join(printable(line) for line in text.split("\n")), quote=True)
