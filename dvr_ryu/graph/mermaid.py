"""Writes a picture as a flowchart of Mermaid, which many pages with Markdown draw. Pure.

Names stand in quotes, with Mermaid's escapes. Mermaid's own ids are numbers: it refuses / in them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from dvr_ryu.errors import printable
from dvr_ryu.graph.colours import WAY_COLOUR, colour_of
from dvr_ryu.graph.geometry import steps_text, text_lines
from dvr_ryu.graph.picture import Box, Cable, CableKind, Picture

_DASHED = (CableKind.TUNNEL, CableKind.ROUTED)
_THICK = (CableKind.PATCH, CableKind.UNDERLAY)
_ESCAPED = '#;&<>"`|[](){}\\'
"""The characters that mean something in a label, or in the HTML that Mermaid makes of it."""


def mermaid(picture: Picture) -> str:
    """The text of a flowchart."""
    return "\n".join(_Chart(picture).lines()) + "\n"


class _Chart:
    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        elements = [group.id for group in picture.groups]
        for box in picture.every_box:
            elements += [box.id, *(item.id for item in box.items)]
        self._ids = {id: f"e{number}" for number, id in enumerate(elements)}

    def lines(self) -> Iterator[str]:
        if self._picture.caption:
            title = json.dumps(printable(self._picture.caption), ensure_ascii=False)
            yield from ("---", f"title: {title}", "---")
        yield f"flowchart {'TB' if self._picture.downwards else 'LR'}"
        for group in self._picture.groups:
            label = _label(f"{group.name} {group.detail}".strip())
            yield f"  subgraph {self._ids[group.id]}[{label}]"
            for box in group.boxes:
                yield from self._box(box, "    ")
            yield "  end"
        for box in self._picture.boxes:
            yield from self._box(box, "  ")
        for cable in self._picture.cables:
            yield f"  {self._ids[cable.start]} {_line(cable)} {self._ids[cable.end]}"
        yield from self._styles()

    def _box(self, box: Box, margin: str) -> Iterator[str]:
        if not box.items:
            label = _label(self._numbered(box.id, box.name), box.brief, *text_lines(box))
            yield f"{margin}{self._ids[box.id]}[{label}]"
            return
        # Mermaid leaves room for one line of a subgraph's title.
        yield f"{margin}subgraph {self._ids[box.id]}[{_label(f'{box.name} {box.brief}'.strip())}]"
        for item in box.items:
            label = _label(self._numbered(item.id, item.name), item.detail)
            yield f"{margin}  {self._ids[item.id]}[{label}]"
        yield f"{margin}end"

    def _numbered(self, id: str, name: str) -> str:
        """A name after its numbers on the way."""
        numbers = steps_text(self._picture.steps.get(id, ()))
        return f"{numbers}: {name}" if numbers else name

    # Colours --------------------------------------------------------------------------------------

    def _styles(self) -> Iterator[str]:
        """The colours of networks and of the way. They are strokes: these suit light and dark."""
        for key in self._picture.networks:
            items = [
                self._ids[item.id]
                for box in self._picture.every_box
                for item in box.items
                if item.network == key.name
            ]
            if items:
                colour = colour_of(self._picture, key.name)
                yield f"  classDef net{key.number} stroke:{colour},stroke-width:2px"
                yield f"  class {','.join(items)} net{key.number}"
        passed = [self._ids[id] for id in dict.fromkeys(self._picture.way) if id in self._ids]
        if passed:
            yield f"  classDef passed stroke:{WAY_COLOUR},stroke-width:3px"
            yield f"  class {','.join(passed)} passed"
        yield from self._link_styles()

    def _link_styles(self) -> Iterator[str]:
        by_style: dict[str, list[str]] = {}
        for number, cable in enumerate(self._picture.cables):
            style = f"stroke:{colour_of(self._picture, cable.network)}"
            if cable.id in self._picture.passed:
                style = f"stroke:{WAY_COLOUR},stroke-width:4px"
            by_style.setdefault(style, []).append(str(number))
        for style, numbers in by_style.items():
            yield f"  linkStyle {','.join(numbers)} {style}"


def _line(cable: Cable) -> str:
    if cable.directed:
        return "-->"
    if cable.kind in _DASHED:
        return "-.-"
    return "===" if cable.kind in _THICK else "---"


def _label(*parts: str) -> str:
    """A label in quotes, its parts below each other."""
    shown = "<br/>".join(_escaped(part) for part in parts if part)
    return f'"{shown or " "}"'


def _escaped(text: str) -> str:
    return "".join(f"#{ord(each)};" if each in _ESCAPED else each for each in printable(text))
