"""Draws a picture in the format that a user asks for. Only an SVG needs Graphviz."""

from __future__ import annotations

from collections.abc import Callable

from dvr_ryu.graph.dot import dot
from dvr_ryu.graph.graphviz import laid_out
from dvr_ryu.graph.mermaid import mermaid
from dvr_ryu.graph.picture import Picture
from dvr_ryu.graph.svg import svg
from dvr_ryu.graph.text import text


def draw(picture: Picture, format: str) -> str:
    """The text of a picture in one of FORMATS. Raises HostError if it needs a missing program."""
    return FORMATS[format](picture)


def _svg(picture: Picture) -> str:
    return svg(picture, laid_out(dot(picture)))


FORMATS: dict[str, Callable[[Picture], str]] = {
    "svg": _svg,
    "dot": dot,
    "mermaid": mermaid,
    "text": text,
}
"""The formats and their writers."""
