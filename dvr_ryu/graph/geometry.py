"""Computes the sizes of boxes, and where their items are in them, in points. Pure.

Text is monospaced, so its width is the same on every machine. The table of a box in DOT has these
sizes, too: so the positions that Graphviz finds for boxes and cables fit the boxes of the SVG.
"""

from __future__ import annotations

from textwrap import wrap

from attrs import field, frozen

from dvr_ryu.graph.picture import Box, Item

NAME_SIZE = 11
"""The size of the font of names, in points; details have one point less."""
HEADING = 22
LINE = 15
ROW = 22
"""The heights of a box's heading, of a line of text, and of an item with its margin below."""
ITEM = 19
PAD = 8
COLUMN_GAP = 36
"""Between the two columns of items: a packet's way through the box is drawn there."""
SENTENCE_WIDTH = 44
"""The longest line of a sentence, in characters."""


@frozen
class Rectangle:
    """A rectangle: its upper left corner, from the upper left corner of what it is in."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """The right side."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """The lower side."""
        return self.y + self.height

    @property
    def middle(self) -> float:
        """Half the height."""
        return self.y + self.height / 2

    def moved(self, x: float, y: float) -> Rectangle:
        """This rectangle, if what it is in is at x, y."""
        return Rectangle(self.x + x, self.y + y, self.width, self.height)


@frozen
class Geometry:
    """A box's size, the widths of its columns, and its items' rectangles by their ids."""

    width: int
    height: int
    left: int
    gap: int
    right: int
    items: dict[str, Rectangle] = field(eq=False)


def name_width(text: str) -> int:
    """The width of a name."""
    return _width(text, NAME_SIZE)


def detail_width(text: str) -> int:
    """The width of a detail or a line."""
    return _width(text, NAME_SIZE - 1)


def _width(text: str, size: int) -> int:
    # Monospaced fonts are 0.6 as wide as high; characters of East Asia twice as wide.
    return round(sum(2 if ord(each) > 0x2E7F else 1 for each in text) * size * 0.605 + 0.5)


def steps_text(steps: tuple[int, ...]) -> str:
    """The numbers of an element on the way."""
    return " ".join(map(str, steps))


def text_lines(box: Box) -> list[str]:
    """The lines of a box: its sentence in lines that are not too long, then its own."""
    return [*wrap(box.sentence, SENTENCE_WIDTH), *box.lines]


def geometry(box: Box, steps: dict[str, tuple[int, ...]]) -> Geometry:
    """The sizes of a box; `steps` are the numbers of its elements on the way."""
    left, right = (
        max((_item_width(each, steps) for each in column), default=0)
        for column in (box.left, box.right)
    )
    gap = COLUMN_GAP if left and right else 0
    own = steps_text(steps.get(box.id, ()))
    heading = name_width(f"{box.name}  {box.brief}  {own}") + 2 * PAD
    lines = text_lines(box)
    longest = max((detail_width(line) for line in lines), default=0) + 2 * PAD
    width = max(left + gap + right + 2 * PAD, heading, longest)
    spare = width - (left + gap + right + 2 * PAD)
    if gap:
        gap += spare
    elif left:
        left += spare
    else:
        right += spare
    rows = max(len(box.left), len(box.right))
    top = HEADING + LINE * len(lines)
    height = top + ROW * rows + (PAD if rows or lines else 0)
    rectangles = {
        each.id: Rectangle(x, top + ROW * row + 1, column_width, ITEM)
        for column, x, column_width in (
            (box.left, PAD, left),
            (box.right, PAD + left + gap, right),
        )
        for row, each in enumerate(column)
    }
    return Geometry(width, height, left, gap, right, rectangles)


def _item_width(item: Item, steps: dict[str, tuple[int, ...]]) -> int:
    numbers = steps_text(steps.get(item.id, ()))
    parts = name_width(item.name), detail_width(item.detail), detail_width(numbers)
    return sum(each + PAD for each in parts if each) + PAD
