"""Defines a picture as a value: groups of boxes, boxes of items, cables between them. Pure data.

Every element has an id that depends on its names alone, and a title with all that is known of it.
It has no coordinates and no format: Graphviz finds the former, the writers know the latter.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from functools import cached_property
from urllib.parse import quote

from attrs import frozen


class Kind(Enum):
    """The kinds of elements; the first part of an element's id."""

    HOST = "host"
    BRIDGE = "bridge"
    NAMESPACE = "namespace"
    PORT = "port"
    DEVICE = "device"
    UNDERLAY = "underlay"
    OUTSIDE = "outside"
    TABLE = "table"


class CableKind(Enum):
    """The kinds of cables."""

    VETH = "veth"
    INTERNAL = "internal"
    PATCH = "patch"
    TUNNEL = "tunnel"
    UNDERLAY = "underlay"
    ROUTED = "routed"
    GOTO = "goto"


def element_id(kind: Kind, *names: str) -> str:
    """An element's id: its kind and names, with /. It has no space and no character of markup."""
    return "/".join([kind.value, *(quote(name, safe="") for name in names)])


def cable_id(one: str, other: str) -> str:
    """The id of a cable between two elements, the same for both directions."""
    return "--".join(sorted((one, other)))


def goto_id(table: str, following: str) -> str:
    """The id of what leads only from one element to the other."""
    return f"{table}--{following}"


@frozen
class Item:
    """A part of a box at which cables end: a port of a bridge, a device of a namespace.

    `detail` is what is shown beside its name. `title` is for a tooltip, and may have several lines.
    """

    id: str
    kind: Kind
    name: str
    detail: str
    title: str
    network: str | None = None
    """The network that it is in, if it is in one."""


@frozen
class Box:
    """A bridge, a namespace, a table, or another thing as a whole.

    Of its items, `left` and `right` stand at those sides. A box may have text instead: a sentence,
    which is wrapped, and lines.
    """

    id: str
    kind: Kind
    name: str
    detail: str
    title: str
    left: tuple[Item, ...] = ()
    right: tuple[Item, ...] = ()
    sentence: str = ""
    lines: tuple[str, ...] = ()

    @property
    def brief(self) -> str:
        """The detail without most of the id that a namespace's name has."""
        return self.detail if len(self.detail) <= 20 else f"{self.detail[:16]}…"

    @property
    def items(self) -> tuple[Item, ...]:
        """All its items."""
        return (*self.left, *self.right)

    @property
    def ids(self) -> tuple[str, ...]:
        """Its own id and those of its items."""
        return (self.id, *(item.id for item in self.items))


@frozen
class Group:
    """A host, or another frame for boxes."""

    id: str
    kind: Kind
    name: str
    detail: str
    title: str
    boxes: tuple[Box, ...]


@frozen
class Cable:
    """A connection of two elements, items or boxes.

    A layout puts `start` left of `end`, or above it. `directed`: it leads only from `start` to
    `end`.
    """

    kind: CableKind
    start: str
    end: str
    title: str
    network: str | None = None
    directed: bool = False

    @property
    def id(self) -> str:
        """The id that follows from its ends, and from its direction if it has one."""
        return (goto_id if self.directed else cable_id)(self.start, self.end)


@frozen
class NetworkKey:
    """A network's entry in the key of colours. `number` chooses its colour, from 0."""

    name: str
    detail: str
    number: int


@frozen
class Picture:
    """A whole picture. `title` says what it shows. `downwards`: it is laid out from top to bottom,
    not from left to right.

    `way` has the ids of the elements that a packet passes, in order; elements may repeat.
    `caption` is a line below the picture: what became of the packet.
    """

    title: str
    groups: tuple[Group, ...]
    boxes: tuple[Box, ...]
    cables: tuple[Cable, ...]
    networks: tuple[NetworkKey, ...] = ()
    downwards: bool = False
    way: tuple[str, ...] = ()
    caption: str = ""

    @property
    def every_box(self) -> Iterator[Box]:
        """The boxes in groups, then the others."""
        for group in self.groups:
            yield from group.boxes
        yield from self.boxes

    @cached_property
    def box_of(self) -> dict[str, Box]:
        """The id of a box or of an item → the box."""
        return {id: box for box in self.every_box for id in box.ids}

    @cached_property
    def group_of(self) -> dict[str, Group]:
        """The id of a box or of an item → the group, of those that are in one."""
        return {id: group for group in self.groups for box in group.boxes for id in box.ids}

    @cached_property
    def passed(self) -> frozenset[str]:
        """The ids of the elements that the way passes."""
        return frozenset(self.way)

    @cached_property
    def steps(self) -> dict[str, tuple[int, ...]]:
        """The id of an item, or of a box without items → its numbers on the way, from 1."""
        found: dict[str, list[int]] = {}
        number = 0
        for id in self.way:
            box = self.box_of.get(id)
            if box is not None and not (id == box.id and box.items):
                number += 1
                found.setdefault(id, []).append(number)
        return {id: tuple(numbers) for id, numbers in found.items()}
