"""The brake: a file that takes out half of the hosts in force, or more, has to name them."""

from __future__ import annotations

import pytest

from dvr_ryu.errors import FileError
from dvr_ryu.topology.loading import Declaration, parse_topology


def file_of(names: str, removed: str = "") -> str:
    hosts = "".join(f"  {name}: {{address: 10.0.0.{ord(name)}}}\n" for name in names)
    return f"hosts:\n{hosts}" + (f"removed_hosts: [{', '.join(removed)}]\n" if removed else "")


def edit(before: str, after: str, removed: str = "") -> str:
    """What is said of an edit; nothing if it is taken."""
    try:
        Declaration(file_of(after, removed), "t.yaml", Declaration(file_of(before), "t.yaml"))
    except FileError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("before", "after", "removed"),
    [
        ("abc", "ab", ""),
        ("abcde", "abc", ""),
        ("ab", "abcdef", ""),
        ("ab", "a", "b"),
        ("abcd", "a", "bcd"),
        ("abcd", "x", "abcd"),
        ("abcd", "ab", "cdzz"),
        ("abc", "abx", ""),
    ],
)
def test_few_may_go_and_those_that_are_named(before: str, after: str, removed: str) -> None:
    assert edit(before, after, removed) == ""


def test_half_of_them_may_not() -> None:
    message = edit("abcd", "ab")
    location, *_ = message.split("\n")
    assert location == (
        "t.yaml:1:1: 2 of the 4 hosts in force are not here: c, d; put them back, "
        "or confirm that they shall go: removed_hosts: [c, d]"
    )
    assert edit("a", "b").startswith("t.yaml:1:1: 1 of the 1 hosts in force")


def test_all_of_them_must_be_named() -> None:
    message = edit("abcd", "a", "bc")
    assert message.startswith("t.yaml:3:1: 3 of the 4 hosts in force are not here: b, c, d; ")


def test_who_is_named_and_there_is_a_mistake_even_at_first() -> None:
    with pytest.raises(FileError, match="'b' is a host of this file"):
        parse_topology(file_of("ab", "b"), "t.yaml")
    parse_topology(file_of("ab", "c"), "t.yaml")


def test_a_host_that_cannot_be_read_is_not_gone() -> None:
    text = file_of("ab").replace("10.0.0.97", "ten")
    with pytest.raises(FileError) as raised:
        Declaration(text, "t.yaml", Declaration(file_of("ab"), "t.yaml"))
    assert len(raised.value.problems) == 1


def test_what_it_says_can_be_pasted() -> None:
    message = edit("abcd", "a").partition("shall go: ")[2].split("\n")[0]
    text = file_of("a") + message + "\n"
    Declaration(text, "t.yaml", Declaration(file_of("abcd"), "t.yaml"))


def test_confirming_changes_nothing_else() -> None:
    assert parse_topology(file_of("ab", "c"), "t.yaml") == parse_topology(file_of("ab"), "t.yaml")


def test_what_it_says_can_be_pasted_where_a_name_looks_like_no_text() -> None:
    names = ["h1", '"7"', '"0x1"', '"true"', '"null"', "1.5"]
    hosts = [f"{name}: {{address: 10.0.0.{number}}}" for number, name in enumerate(names, 1)]
    before = Declaration(f"hosts: {{{', '.join(hosts)}}}", "t.yaml")
    with pytest.raises(FileError) as raised:
        Declaration(f"hosts: {{{hosts[0]}}}", "t.yaml", before)
    confirmed = str(raised.value).partition("shall go: ")[2].split("\n")[0]
    Declaration(f"hosts: {{{hosts[0]}}}\n{confirmed}\n", "t.yaml", before)
