"""The differences between two inventories."""

from __future__ import annotations

from tests.lab.support.inventory import differences


def test_how_many_there_are_of_something_counts() -> None:
    one, two = ["udhcpc -i eth0"], ["udhcpc -i eth0", "udhcpc -i eth0"]
    assert differences({"processes": one}, {"processes": list(one)}) == []
    assert differences({"processes": one}, {"processes": two}) == ["processes: +udhcpc -i eth0"]
    assert differences({"processes": two}, {"processes": one}) == ["processes: -udhcpc -i eth0"]
    assert differences({}, {"processes": one}) == ["processes: +udhcpc -i eth0"]
