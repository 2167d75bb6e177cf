"""Writes a picture as a tree for terminals, with the characters for boxes. Pure.

Each host has its bridges and namespaces below it, each with its ports and devices; beside a port
or device stands what its cables lead to. On a way, numbers stand before what a packet passes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from attrs import frozen

from dvr_ryu.errors import printable
from dvr_ryu.graph.geometry import steps_text
from dvr_ryu.graph.picture import Box, CableKind, Item, Kind, Picture

_LINES = {CableKind.TUNNEL: "╌╌", CableKind.ROUTED: "╌╌", CableKind.GOTO: "→"}

Part = TypeVar("Part")


@frozen
class _Row:
    """One line: its branches, an id, and columns of text. Only ports and devices have columns."""

    branches: str
    id: str
    name: str
    detail: str = ""
    beyond: str = ""

    @property
    def has_columns(self) -> bool:
        """Whether there is text beside the name."""
        return bool(self.detail or self.beyond)


def text(picture: Picture) -> str:
    """The tree of a picture. Text has no colours, so the names of networks stand in it."""
    rows = [*_Tree(picture).rows()]
    numbers = {row.id: steps_text(picture.steps.get(row.id, ())) for row in rows}
    margin = max(map(len, numbers.values()), default=0)
    items = [row for row in rows if row.has_columns]
    first = max((len(row.branches + printable(row.name)) for row in items), default=0)
    second = max((len(printable(row.detail)) for row in items), default=0)
    lines = []
    for row in rows:
        number = f"{numbers[row.id]:>{margin}}  " if margin else ""
        name, detail, beyond = map(printable, (row.name, row.detail, row.beyond))
        columns = f"{row.branches + name:{first}}  {detail:{second}}  {beyond}"
        lines.append(f"{number}{columns if row.has_columns else row.branches + name}".rstrip())
    if picture.caption:
        lines += ["", printable(picture.caption)]
    return "\n".join(lines) + "\n"


class _Tree:
    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        self._names = dict(_names(picture))
        self._beyond: dict[str, dict[str, list[str]]] = {}
        for cable in picture.cables:
            line = _LINES.get(cable.kind, "──")
            self._add(cable.start, line, cable.end)
            if not cable.directed:
                self._add(cable.end, line, cable.start)

    def _add(self, one: str, line: str, other: str) -> None:
        """Note that a cable leads from one element to another."""
        name, group_of = self._names[other], self._picture.group_of
        group = group_of.get(other)
        if group is not None and group is not group_of.get(one):
            name = f"{name.partition(' of ')[0]} of {printable(group.name)}"
        self._beyond.setdefault(one, {}).setdefault(line, []).append(name)

    def rows(self) -> Iterator[_Row]:
        for group in self._picture.groups:
            yield _Row("", group.id, f"{group.name}  {group.detail}")
            for box, (stem, below) in _branches(group.boxes):
                yield from self._box(box, stem, below)
        for box in self._picture.boxes:
            yield from self._box(box, "", "")

    def _box(self, box: Box, stem: str, below: str) -> Iterator[_Row]:
        if box.kind is Kind.TABLE:
            yield _Row(stem, box.id, f"{box.name}  {box.sentence}")
            for line, (inner, _) in _branches([*box.lines, *self._to(box.id)]):
                yield _Row(below + inner, "", line)
            return
        beyond = () if box.items else self._to(box.id)
        shown = filter(None, [box.name, box.detail, *box.lines, *beyond])
        yield _Row(stem, box.id, "  ".join(shown))
        for item, (inner, _) in _branches(box.items):
            yield self._item(item, below + inner)

    def _item(self, item: Item, stem: str) -> _Row:
        detail = item.detail
        if item.kind is Kind.PORT and item.network is not None:
            detail += f"  {item.network}"
        return _Row(stem, item.id, item.name, detail, "  ".join(self._to(item.id)))

    def _to(self, id: str) -> list[str]:
        """What the cables of an element lead to."""
        lines = self._beyond.get(id, {})
        return [f"{line} {', '.join(names)}" for line, names in lines.items()]


def _names(picture: Picture) -> Iterator[tuple[str, str]]:
    """The id of an element → how another on the same host names it."""
    for box in picture.every_box:
        yield box.id, printable(box.name)
        for item in box.items:
            yield item.id, printable(f"{item.name} of {box.name}")


def _branches(siblings: Sequence[Part]) -> list[tuple[Part, tuple[str, str]]]:
    """Each of several siblings, with the branch to it, and what its own branches begin with."""
    last = len(siblings)
    return [
        (each, ("└── ", "    ") if number == last else ("├── ", "│   "))
        for number, each in enumerate(siblings, 1)
    ]
