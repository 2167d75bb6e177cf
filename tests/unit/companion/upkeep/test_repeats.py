"""Repetitions: their number, their times, and their end."""

from __future__ import annotations

from dvr_ryu.companion.upkeep.repeats import REPEATS, Repeats


def test_each_group_is_due_a_few_times_and_then_over() -> None:
    repeats: Repeats[str] = Repeats(2.5)
    repeats.add(["a", "b"], 100)
    assert [*repeats.due(102)] == []
    found = [group for time in range(102, 120) for group in repeats.due(time)]
    assert found == [["a", "b"]] * REPEATS
    assert not repeats


def test_what_was_not_asked_for_in_time_is_due_all_the_same() -> None:
    repeats: Repeats[str] = Repeats(1)
    repeats.add(["a"], 0)
    repeats.add(["b"], 0)
    assert sorted(repeats.due(50)) == [["a"]] * REPEATS + [["b"]] * REPEATS


def test_nothing_is_repeated_of_nothing() -> None:
    repeats: Repeats[str] = Repeats(1)
    repeats.add([], 0)
    assert not repeats


def test_what_does_not_remain_is_forgotten() -> None:
    repeats: Repeats[str] = Repeats(1)
    repeats.add(["a", "b"], 0)
    repeats.limit({"b"}.__contains__)
    assert [*repeats.due(50)] == [["b"]] * REPEATS
