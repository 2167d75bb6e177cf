"""What a test knows of a picture beside its writers: all ids, and pictures with any names."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import strategies as st

from dvr_ryu.graph.picture import (
    Box,
    Cable,
    CableKind,
    Group,
    Item,
    Kind,
    NetworkKey,
    Picture,
    element_id,
)

NAMES = st.text(max_size=12) | st.sampled_from(
    [
        '"',
        "\\",
        "</TABLE>",
        "&lt;",
        "a\nb",
        "]]>",
        "]",
        "--",
        "\x00",
        "<b>",
        "{x|y}",
        "end",
        "#35;",
        "🙂",
    ]
)

KINDS = st.sampled_from(CableKind)


def all_ids(picture: Picture) -> Iterator[str]:
    """The id of each group, box, item and cable."""
    yield from (group.id for group in picture.groups)
    for box in picture.every_box:
        yield from box.ids
    yield from (cable.id for cable in picture.cables)


@st.composite
def pictures_with_any_names(draw: st.DrawFn) -> Picture:
    """Two hosts, each with two boxes that have items, a box outside, and cables between all."""
    boxes = [draw(_boxes(number)) for number in range(5)]
    groups = tuple(
        Group(
            element_id(Kind.HOST, f"{number} {draw(NAMES)}"),
            Kind.HOST, draw(NAMES), draw(NAMES), draw(NAMES), tuple(boxes[2 * number:][:2]),
        )
        for number in range(2)
    )  # fmt: skip
    ends = [box.items[0].id if box.items else box.id for box in boxes]
    pairs = [(one, other) for one in ends for other in ends if one < other]
    cables = tuple(
        Cable(draw(KINDS), one, other, draw(NAMES), directed=draw(st.booleans()))
        for one, other in draw(st.lists(st.sampled_from(pairs), unique=True))
    )  # fmt: skip
    networks = (NetworkKey(draw(NAMES), draw(NAMES), draw(st.integers(0, 20))),)
    ids = [id for box in boxes for id in box.ids] + [cable.id for cable in cables]
    way = tuple(draw(st.lists(st.sampled_from(ids), max_size=9)))
    downwards = draw(st.booleans())
    title = draw(NAMES)
    caption = draw(NAMES)
    return Picture(title, groups, tuple(boxes[4:]), cables, networks, downwards, way, caption)


@st.composite
def _boxes(draw: st.DrawFn, number: int) -> Box:
    def items(side: str) -> tuple[Item, ...]:
        return tuple(
            Item(
                element_id(Kind.PORT, str(number), f"{side}{at} {draw(NAMES)}"),
                Kind.PORT, draw(NAMES), draw(NAMES), draw(NAMES),
            )
            for at in range(draw(st.integers(0, 3)))
        )  # fmt: skip

    id = element_id(Kind.BRIDGE, str(number), draw(NAMES))
    lines = tuple(draw(st.lists(NAMES, max_size=2)))
    texts = [draw(NAMES) for _ in range(4)]
    return Box(
        id, Kind.BRIDGE, texts[0], texts[1], texts[2], items("l"), items("r"), texts[3], lines
    )
