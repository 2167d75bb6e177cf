"""Errors for people: the location, the line, a caret, and an exit code."""

from __future__ import annotations

from dvr_ryu.errors import DvrError, FileError, HostError, Location, Problem, SwitchError

LINE = "\tpriority=1 x"


def test_a_problem_is_its_location_its_line_and_a_caret():
    problem = Problem(Location("flows/br-tun.flows", 3, 13, LINE), "unknown field 'x'")
    assert str(problem).split("\n") == [
        "flows/br-tun.flows:3:13: unknown field 'x'",
        "   priority=1 x",
        "              ^",
    ]


def test_a_warning_says_so():
    assert str(Problem(Location("f", 1, 1, ""), "odd", warning=True)).startswith(
        "f:1:1: warning: odd"
    )


def test_problems_are_in_the_order_of_the_file():
    locations = [("f", 10, 1), ("f", 9, 7), ("e", 99, 1), ("f", 9, 2)]
    error = FileError(Problem(Location(*location, ""), "wrong") for location in locations)
    assert [str(each.location) for each in error.problems] == ["e:99:1", "f:9:2", "f:9:7", "f:10:1"]
    assert str(error).count("wrong") == 4
    assert len(str(error).split("\n")) == 12


def test_the_exit_code_of_every_error_is_1():
    for error in (DvrError("x"), HostError("x"), SwitchError("x"), FileError([])):
        assert error.exit_code == 1
