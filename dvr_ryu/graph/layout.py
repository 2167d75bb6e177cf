"""Reads the layout that Graphviz found from its JSON: where boxes, groups and cables are. Pure.

Coordinates are in points, from the upper left corner of the picture.
"""

from __future__ import annotations

import json
from typing import Any

from attrs import frozen

from dvr_ryu.graph.geometry import Rectangle

Point = tuple[float, float]


@frozen
class Layout:
    """Where all is. `curves`: a cable's id → the points of its Bézier curve: a start, then three
    for each part.
    """

    width: float
    height: float
    groups: dict[str, Rectangle]
    boxes: dict[str, Rectangle]
    curves: dict[str, tuple[Point, ...]]


def read_layout(text: str) -> Layout:
    """Read the output of `dot -Tjson0`."""
    document = json.loads(text)
    left, low, right, high = _numbers(document["bb"])
    above = _FromAbove(left, high)
    objects = document.get("objects", [])
    return Layout(
        right - left,
        high - low,
        {each["id"]: above.rectangle(*_numbers(each["bb"])) for each in objects if "bb" in each},
        {each["id"]: _box(each, above) for each in objects if "pos" in each},
        {each["id"]: above.curve(each["pos"]) for each in document.get("edges", [])},
    )


class _FromAbove:
    """Graphviz counts from the lower left corner."""

    def __init__(self, left: float, high: float) -> None:
        self._left, self._high = left, high

    def point(self, x: float, y: float) -> Point:
        return round(x - self._left, 1), round(self._high - y, 1)

    def rectangle(self, left: float, low: float, right: float, high: float) -> Rectangle:
        x, y = self.point(left, high)
        return Rectangle(x, y, round(right - left, 1), round(high - low, 1))

    def curve(self, text: str) -> tuple[Point, ...]:
        """The points of "s,x,y e,x,y x,y x,y ...": an arrow's points replace the curve's ends."""
        points: list[Point] = []
        ends: dict[str, Point] = {}
        for part in text.replace(";", " ").split():
            *mark, x, y = part.split(",")
            point = self.point(float(x), float(y))
            if mark:
                ends[mark[0]] = point
            else:
                points.append(point)
        if "s" in ends:
            points[0] = ends["s"]
        if "e" in ends:
            points[-1] = ends["e"]
        return tuple(points)


def _box(node: dict[str, Any], above: _FromAbove) -> Rectangle:
    x, y = _numbers(node["pos"])
    width, height = 72 * float(node["width"]), 72 * float(node["height"])
    return above.rectangle(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(each) for each in text.split(","))
