"""All that pictures colour is legible, in light and in dark: by WCAG's contrast."""

from __future__ import annotations

import re

import pytest

from dvr_ryu.graph.colours import INK, WAY_COLOUR, colour_of
from dvr_ryu.graph.picture import NetworkKey, Picture
from dvr_ryu.graph.style import CLASS, COLOURS, DARK, LIGHT, style

TEXT, LINE = 4.5, 3.0
"""The least contrast of text, and of what is no text, by WCAG 2 (AA)."""


def colours(variables: str) -> dict[str, tuple[float, ...]]:
    """Variable → red, green and blue, from 0 to 1."""
    found = re.findall(r"--([\w-]+): #(..)(..)(..);", variables)
    return {name: tuple(int(each, 16) / 255 for each in rgb) for name, *rgb in found}


def luminance(colour: tuple[float, ...]) -> float:
    linear = [((each + 0.055) / 1.055) ** 2.4 if each > 0.04 else each / 12.92 for each in colour]
    return sum(part * each for part, each in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def tinted(paper: tuple[float, ...], colour: tuple[float, ...], part: float) -> tuple[float, ...]:
    return tuple(p + part * (c - p) for p, c in zip(paper, colour, strict=True))


@pytest.mark.parametrize("variables", [LIGHT, DARK], ids=["light", "dark"])
def test_all_is_legible(variables: str) -> None:
    of = colours(variables)
    networks = [of[f"net-{number}"] for number in range(COLOURS)]
    papers = [of["paper"], of["host"], of["box"]]
    papers += [tinted(of["box"], each, 0.1) for each in networks]
    papers += [tinted(of["box"], of["way"], 0.15)]
    for paper in papers:
        assert contrast(of["ink"], paper) >= TEXT
        assert contrast(of["pale"], paper) >= TEXT
    for paper in (of["paper"], of["host"], of["box"]):
        assert contrast(of["line"], paper) >= LINE
        assert contrast(of["way"], paper) >= LINE
        assert all(contrast(each, paper) >= LINE for each in networks)
    assert contrast(of["way-ink"], of["way"]) >= TEXT


def test_colours_without_themes_are_legible_on_white_and_on_black() -> None:
    """DOT and Mermaid have one colour each for both."""
    networks = tuple(NetworkKey(str(number), "", number) for number in range(COLOURS))
    picture = Picture("", (), (), (), networks)
    of_networks = [colour_of(picture, each.name) for each in networks]
    assert len({*of_networks}) == COLOURS
    ground = colours("--white: #ffffff; --black: #000000;").values()
    for least, some in ((TEXT, [INK]), (LINE, [WAY_COLOUR, *of_networks])):
        for colour in colours(" ".join(f"--{each[1:]}: {each};" for each in some)).values():
            assert all(contrast(colour, each) >= least for each in ground)


def test_both_themes_have_the_same_variables() -> None:
    assert colours(LIGHT).keys() == colours(DARK).keys()
    used = set(re.findall(r"var\(--([\w-]+)\)", style()))
    assert used == colours(LIGHT).keys()


def test_rules_hold_only_in_the_picture() -> None:
    for line in style().splitlines():
        selectors = line.partition(" {")[0]
        if not selectors.startswith("@media"):
            assert all(each.startswith(f".{CLASS}") for each in selectors.split(", "))
