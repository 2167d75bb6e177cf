"""The difference of two mappings, and an order for it, compared with their definitions."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvr_ryu.reconcile import CycleError, order, subtract, subtract_in_parts, together

mappings = st.dictionaries(st.integers(0, 9), st.integers(0, 3))


@given(should=mappings, is_=mappings)
def test_applying_the_difference_gives_the_desired_mapping(
    should: Mapping[int, int], is_: Mapping[int, int]
) -> None:
    difference = subtract(should, is_)
    result = {key: value for key, value in is_.items() if key not in difference.removed}
    result |= {key: both.new for key, both in difference.changed.items()}
    result |= difference.added
    assert result == should


@given(should=mappings, is_=mappings)
def test_the_difference_is_the_least(should: Mapping[int, int], is_: Mapping[int, int]) -> None:
    difference = subtract(should, is_)
    assert not set(difference.added) & set(is_)
    assert not set(difference.removed) & set(should)
    assert all(both.old == is_[key] != both.new for key, both in difference.changed.items())
    unlike = {key for key in {*should, *is_} if should.get(key) != is_.get(key)}
    assert len(difference) == len(unlike)
    assert bool(difference) == (should != is_)


@given(should=mappings, is_=mappings, parts=st.booleans())
def test_values_that_are_alike_are_not_changed(
    should: Mapping[int, int], is_: Mapping[int, int], parts: bool
) -> None:
    def alike(one: int, other: int) -> bool:
        return one % 2 == other % 2

    each = [{key: value} for key, value in should.items()]
    difference = (
        together(subtract_in_parts(each, is_, alike)) if parts else subtract(should, is_, alike)
    )
    assert set(difference.changed) == {
        key for key in should.keys() & is_.keys() if not alike(is_[key], should[key])
    }
    assert set(difference.added) == should.keys() - is_
    assert set(difference.removed) == is_.keys() - should


@given(mappings)
def test_equal_mappings_need_no_change(same: Mapping[int, int]) -> None:
    assert not subtract(same, dict(same))


@st.composite
def graphs(draw: st.DrawFn) -> dict[int, list[int]]:
    """Numbers that need smaller numbers, in any order; some of the needed numbers are missing."""
    keys = draw(st.permutations(range(draw(st.integers(0, 12)))))
    return {key: draw(st.lists(st.integers(-3, key - 1), max_size=4)) for key in keys}


@given(graphs())
def test_everything_comes_once_and_after_its_requirements(needs: dict[int, list[int]]) -> None:
    steps = order(needs, needs.__getitem__)
    assert sorted(key for step in steps for key in step) == sorted(needs)
    at = {key: number for number, step in enumerate(steps) for key in step}
    assert all(at[need] < at[key] for key in needs for need in needs[key] if need in needs)


@given(graphs())
def test_nothing_waits_without_need(needs: dict[int, list[int]]) -> None:
    steps = order(needs, needs.__getitem__)
    for before, step in pairwise(steps):
        assert all(set(needs[key]) & set(before) for key in step)


def test_a_step_keeps_the_order_it_was_given() -> None:
    assert order("cab", lambda _: ()) == [["c", "a", "b"]]
    assert order("dcab", lambda key: "d" if key in "ab" else ()) == [["d", "c"], ["a", "b"]]


def test_things_that_need_one_another_are_a_mistake() -> None:
    needs = {"a": "b", "b": "a", "c": ""}
    with pytest.raises(CycleError, match=r"\['a', 'b'\]"):
        order(needs, needs.__getitem__)
