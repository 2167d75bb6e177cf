"""Finds flows by the packets that they match, as a switch's classifier does.

Flows that match the same bits of the same fields have one shape. In each shape, the values of these
bits lead to a bucket of flows. So a flow is compared with each shape, of which a table has few, and
not with each flow.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import cache
from typing import Generic, TypeVar

from attrs import frozen

from dvr_ryu.pipeline.tools.lint.packets import Packets, is_matched

Bucket = TypeVar("Bucket")


@frozen(cache_hash=True)
class Shape:
    """The bits of fields that have known values, and the fields that a hole fills."""

    masks: frozenset[tuple[str, int]]
    open: frozenset[str]

    def values(self, packets: Packets) -> Hashable:
        """The values of these bits and fields, for packets that have them all."""
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
def _common_shape(one: Shape, other: Shape) -> Shape:
    """The shape that two shapes share: flows that differ in its values match no common packet.

    A hole in one flow counts as different from a number or another hole in the other. Only
    `Basis.desired` sees the values of a topology.
    """
    masks, others = dict(one.masks), dict(other.masks)
    common = {
        field: mask
        for field in masks.keys() & others.keys()
        if (mask := masks[field] & others[field])
    }
    holes = (
        field
        for field in one.open | other.open
        if is_matched(field, masks.get(field, 0), one.open)
        and is_matched(field, others.get(field, 0), other.open)
    )
    return Shape(frozenset(common.items()), frozenset(holes))


@cache
def _is_within(inner: Shape, outer: Shape) -> bool:
    """Whether the inner shape has all bits and fields of the outer one."""
    masks = dict(inner.masks)
    return outer.open <= inner.open and all(
        not mask & ~masks.get(field, 0) for field, mask in outer.masks
    )


class EnclosingIndex(Generic[Bucket]):
    """Buckets of flows, one for all flows that match exactly the same packets."""

    def __init__(self, make: Callable[[], Bucket]) -> None:
        self._make = make
        self._buckets: dict[Shape, dict[Hashable, Bucket]] = {}

    def bucket_of(self, packets: Packets) -> Bucket:
        """The bucket of the flows that match exactly these packets."""
        shape = shape_of(packets)
        buckets = self._buckets.setdefault(shape, {})
        key = shape.values(packets)
        if key not in buckets:
            buckets[key] = self._make()
        return buckets[key]

    def of(self, packets: Packets) -> Iterator[Bucket]:
        """The buckets of flows that match all of these packets, and perhaps more."""
        shape = shape_of(packets)
        for outer, buckets in self._buckets.items():
            if _is_within(shape, outer):
                found = buckets.get(outer.values(packets))
                if found is not None:
                    yield found


class OverlapIndex(Generic[Bucket]):
    """Buckets of flows by the packets that two flows may share. It must know all packets before."""

    def __init__(self, make: Callable[[], Bucket], packets: Iterable[Packets]) -> None:
        self._make = make
        self._shapes = {shape_of(each) for each in packets}
        self._buckets: dict[tuple[Shape, Shape], dict[Hashable, Bucket]] = {}

    def of(self, packets: Packets) -> Iterator[Bucket]:
        """The buckets of flows that may match some of these packets."""
        shape = shape_of(packets)
        for other in self._shapes:
            common = _common_shape(shape, other)
            found = self._buckets.get((other, common), {}).get(common.values(packets))
            if found is not None:
                yield found

    def buckets_of(self, packets: Packets) -> Iterator[Bucket]:
        """The buckets that a flow for these packets belongs to."""
        shape = shape_of(packets)
        for common in {_common_shape(other, shape) for other in self._shapes}:
            buckets = self._buckets.setdefault((shape, common), {})
            key = common.values(packets)
            if key not in buckets:
                buckets[key] = self._make()
            yield buckets[key]
