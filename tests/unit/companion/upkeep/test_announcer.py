"""The announcements that the companion repeats, and those that it stops."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from dvr_ryu.companion.change import change
from dvr_ryu.companion.providers.kernel.announce import AnnouncedAddress
from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.companion.resources.routing.neighbour import ProxyNeighbour
from dvr_ryu.companion.upkeep import announcer
from dvr_ryu.companion.upkeep.announcer import Announcer
from dvr_ryu.companion.upkeep.repeats import REPEATS

ONE, TWO = (ProxyNeighbour("fip-1", "fg-1", f"2.2.2.{number}") for number in (1, 2))


@pytest.fixture
def announced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that are announced, in order."""
    found: list[str] = []

    def note(addresses: Iterable[AnnouncedAddress]) -> None:
        found.extend(ip for _, _, ip in addresses)

    monkeypatch.setattr(announcer, "announce", note)
    return found


def test_an_address_that_has_gone_is_not_announced_again(announced: list[str]) -> None:
    ours, held = Announcer(0), tuple[Resource, ...]()
    for holding in ((ONE, TWO), (ONE,)):
        ours.follow(change(holding, held), holding)
        held = holding
    assert announced == ["2.2.2.1"] * REPEATS


def test_what_is_only_retained_is_not_introduced(announced: list[str]) -> None:
    ours = Announcer(0)
    ours.introduce((ONE, TWO), (TWO,))
    assert announced == ["2.2.2.2"] and ours.introduced
    ours.follow(change((ONE, TWO), (ONE, TWO)), (ONE, TWO))
    assert announced == ["2.2.2.2"] * (1 + REPEATS)
