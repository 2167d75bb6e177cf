"""A figure's ratio, its goal and its text."""

from __future__ import annotations

from bench.figures import Figure, Goal, alternate


def test_a_goal_of_the_ratio() -> None:
    figure = Figure("fill", "ms", 130, 100, "raw bytes", Goal(1.3))
    assert (figure.ratio, figure.met, figure.goal_text()) == (1.3, True, "ratio ≤ 1.3")
    assert Figure("fill", "ms", 131, 100, "raw bytes", Goal(1.3)).met is False


def test_a_goal_of_ours_alone() -> None:
    figure = Figure("memory", "MiB", 251, goal=Goal(250, absolute=True))
    assert (figure.ratio, figure.met, figure.goal_text()) == (None, False, "≤ 250 MiB")
    assert Figure("flow-mods", "", 0, goal=Goal(0, absolute=True)).met is True


def test_no_goal_is_neither_met_nor_missed() -> None:
    figure = Figure("imports", "ms", 300)
    assert (figure.met, figure.goal_text()) == (None, "")


def test_a_ratio_that_cannot_be_taken_meets_no_goal() -> None:
    assert Figure("fill", "ms", 1, 0, "nobody", Goal(1.3)).met is False


def test_a_figure_as_json() -> None:
    assert Figure("fill", "ms", 3, 2, "raw", Goal(1)).as_json() == {
        "name": "fill",
        "ours": 3,
        "peer": 2,
        "peer_name": "raw",
        "unit": "ms",
        "ratio": 1.5,
        "goal": "ratio ≤ 1",
        "met": False,
    }


def test_measures_take_turns_and_give_medians() -> None:
    order: list[str] = []
    values = {"ours": iter([1.0, 9.0, 2.0]), "peer": iter([5.0, 4.0, 6.0])}

    def measure(name: str) -> float:
        order.append(name)
        return next(values[name])

    assert alternate(3, lambda: measure("ours"), lambda: measure("peer")) == [2, 5]
    assert order == ["ours", "peer"] * 3
