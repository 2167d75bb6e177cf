"""A flood of connections costs those who flood."""

from __future__ import annotations

from dvr_ryu.switch.guard.admission import Admission


def of_no_progress() -> Admission[str]:
    return Admission(lambda _: 0)


def test_too_many_of_one_address_cost_its_oldest() -> None:
    admission = of_no_progress()
    assert admission.enter("honest", "10.0.0.1", 3, 100) is None
    gone = [admission.enter(f"flood {at}", "10.0.0.9", 3, 100) for at in range(5)]
    assert gone == [None, None, None, "flood 0", "flood 1"]
    assert len(admission) == 4


def test_too_many_altogether_cost_the_address_that_has_most() -> None:
    admission = of_no_progress()
    admission.enter("honest", "10.0.0.1", 100, 4)
    gone = [admission.enter(f"flood {at}", "10.0.0.9", 100, 4) for at in range(5)]
    assert gone == [None, None, None, "flood 0", "flood 1"]
    assert admission.enter("new", "10.0.0.2", 100, 4) == "flood 2"


def test_one_that_has_come_further_stays_and_a_new_one_is_let_in() -> None:
    admission = Admission[str](lambda name: name.startswith("honest"))
    gone = [admission.enter(name, "10.0.0.1", 2, 9) for name in ("honest", "a", "b", "honest 2")]
    assert gone == [None, None, "a", "b"]
    assert admission.enter("new", "10.0.0.1", 2, 9) == "honest"


def test_one_that_has_left_makes_room() -> None:
    admission = of_no_progress()
    for each in ("a", "b"):
        admission.enter(each, "10.0.0.1", 2, 2)
    admission.leave("a", "10.0.0.1")
    admission.leave("a", "10.0.0.1")
    assert admission.enter("c", "10.0.0.1", 2, 2) is None
    assert len(admission) == 2
    assert [admission.least(), admission.least(), admission.least()] == ["b", "c", None]
