"""Flows found by the packets that they are for, as a switch's classifier finds them: flows that
know the same bits of the same fields are of one shape, and are found by the values of those bits.

So each flow is compared with each shape, of which a table has few, not with each flow.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import cache
from typing import Generic, TypeVar

from attrs import frozen

from dvr_ryu.pipeline.tools.lint.packets import Packets, says

Holder = TypeVar("Holder")


@frozen(cache_hash=True)
class Shape:
    """Which bits of which fields are known, and which fields are a hole's."""

    masks: frozenset[tuple[str, int]]
    open: frozenset[str]

    def values(self, packets: Packets) -> Hashable:
        """What these bits and fields are of packets that have them all."""
        known, open_ = packets.known, packets.open
        return (
            tuple(known[field].value & mask for field, mask in self.masks),
            tuple(open_.get(field) for field in self.open),
        )


def shape_of(packets: Packets) -> Shape:
    """The shape of packets."""
    masks = frozenset((field, bits.mask) for field, bits in packets.known.items())
    return Shape(masks, frozenset(packets.open))


@cache
def _both_say(one: Shape, other: Shape) -> Shape:
    """What two shapes have in common: packets that differ in it never meet."""
    masks, others = dict(one.masks), dict(other.masks)
    common = {
        field: mask
        for field in masks.keys() & others.keys()
        if (mask := masks[field] & others[field])
    }
    holes = (
        field
        for field in one.open | other.open
        if says(field, masks.get(field, 0), one.open)
        and says(field, others.get(field, 0), other.open)
    )
    return Shape(frozenset(common.items()), frozenset(holes))


@cache
def _is_within(inner: Shape, outer: Shape) -> bool:
    """Whether packets of the inner shape have all that the outer one knows."""
    masks = dict(inner.masks)
    return outer.open <= inner.open and all(
        not mask & ~masks.get(field, 0) for field, mask in outer.masks
    )


class Around(Generic[Holder]):
    """Holders of flows, one for all that are for exactly the same packets."""

    def __init__(self, make: Callable[[], Holder]) -> None:
        self._make = make
        self._holders: dict[Shape, dict[Hashable, Holder]] = {}

    def exactly(self, packets: Packets) -> Holder:
        """The holder of flows for these packets."""
        shape = shape_of(packets)
        holders = self._holders.setdefault(shape, {})
        key = shape.values(packets)
        if key not in holders:
            holders[key] = self._make()
        return holders[key]

    def of(self, packets: Packets) -> Iterator[Holder]:
        """The holders of flows for all of these packets, and perhaps more."""
        shape = shape_of(packets)
        for outer, holders in self._holders.items():
            if _is_within(shape, outer):
                found = holders.get(outer.values(packets))
                if found is not None:
                    yield found


class Meeting(Generic[Holder]):
    """Holders of flows that flows of some shape may meet; all shapes must be known before."""

    def __init__(self, make: Callable[[], Holder], packets: Iterable[Packets]) -> None:
        self._make = make
        self._shapes = {shape_of(each) for each in packets}
        self._holders: dict[tuple[Shape, Shape], dict[Hashable, Holder]] = {}

    def of(self, packets: Packets) -> Iterator[Holder]:
        """The holders of flows that may match some of these packets."""
        shape = shape_of(packets)
        for other in self._shapes:
            common = _both_say(shape, other)
            found = self._holders.get((other, common), {}).get(common.values(packets))
            if found is not None:
                yield found

    def holding(self, packets: Packets) -> Iterator[Holder]:
        """The holders that a flow for these packets belongs to."""
        shape = shape_of(packets)
        for common in {_both_say(other, shape) for other in self._shapes}:
            holders = self._holders.setdefault((shape, common), {})
            key = common.values(packets)
            if key not in holders:
                holders[key] = self._make()
            yield holders[key]
