"""The difference of an edit is that of diff, and is made in bounded time and size."""

from __future__ import annotations

import difflib

from hypothesis import given
from hypothesis import strategies as st

from dvr_ryu.web import edits
from dvr_ryu.web.edits import MOST_EDITS, MOST_LINES, Edits, applied, difference, refused

texts = st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=30).map("\n".join)


@given(texts, texts)
def test_it_turns_the_old_text_into_the_new_one(before: str, after: str) -> None:
    """Each heading has the lines at which its part begins, and the parts are all that differs."""
    old, new = before.splitlines(), after.splitlines()
    lines = list(difference(before, after))
    made, at = list[str](), 0
    for line in lines:
        if line.startswith("@@"):
            _, span, _, _ = line.split(" ")
            start, _, count = span[1:].partition(",")
            first = int(start) - (count != "0")
            made += old[at:first]
            at = first
        else:
            at += line[0] in " -"
            made += [line[1:]] if line[0] in " +" else []
    assert made + old[at:] == new


def test_it_is_what_diff_prints() -> None:
    before = "\n".join(f"line {number}" for number in range(100))
    after = before.replace("line 50\n", "line fifty\n").replace("line 70\n", "")
    expected = list(difflib.unified_diff(before.splitlines(), after.splitlines(), n=3, lineterm=""))
    assert list(difference(before, after)) == expected[2:]


def test_only_changed_files_are_in_an_edit() -> None:
    edit = applied({"a": "1", "b": "2", "c": "3"}, {"a": "1", "b": "x", "d": "4"}, 5.0)
    assert edit.files == {
        "b": ("@@ -1 +1 @@", "-2", "+x"),
        "c": ("@@ -1 +0,0 @@", "-3"),
        "d": ("@@ -0,0 +1 @@", "+4"),
    }
    assert not edit.error


def test_edits_are_in_the_order_of_their_times() -> None:
    """An applied edit is compared a second later, and another may be refused meanwhile."""
    several = Edits()
    for at in (3.0, 1.0, 2.0):
        several.add(applied({"a": "1"}, {"a": "2"}, at))
    assert [edit.time for edit in several] == [1.0, 2.0, 3.0]


def test_many_lines_are_counted() -> None:
    *shown, last = difference("", "\n".join("x" * (MOST_LINES + 50)))
    assert len(shown) == MOST_LINES
    assert last == "and 51 more lines"  # the heading is a line, too


def test_a_huge_edit_is_not_compared_line_by_line() -> None:
    before, after = ("\n".join(f"{sign}{number % 7}" for number in range(200_000)) for sign in "ab")
    assert list(difference(before, after)) == ["@@ line 1: 200000 lines become 200000 @@"]


def test_the_number_of_edits_is_bounded() -> None:
    kept = Edits()
    for number in range(MOST_EDITS + 5):
        kept.add(refused(str(number)))
    assert [edit.error for edit in kept] == [str(number) for number in range(5, MOST_EDITS + 5)]
    assert edits.MOST_COMPARED > MOST_LINES
