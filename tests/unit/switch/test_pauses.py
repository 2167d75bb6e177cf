"""How long it is until a bridge's flows are looked at again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dvr_ryu.switch.pauses import LONGEST_PAUSE, LOOK_SECONDS, LOOK_SHARE, pause


def test_looks_take_their_share_of_the_time() -> None:
    assert pause(LOOK_SECONDS, 0.001, 2) == LOOK_SECONDS
    assert pause(LOOK_SECONDS, 0.1, 4) == 0.1 * 4 / LOOK_SHARE


def test_one_look_that_was_slow_does_not_put_off_the_next_for_minutes() -> None:
    assert pause(LOOK_SECONDS, 2.0, 6) == LONGEST_PAUSE


@given(st.floats(LOOK_SECONDS, LONGEST_PAUSE), st.floats(0, 1e6), st.integers(1, 10_000))
def test_a_pause_is_neither_short_nor_long(least: float, seconds: float, bridges: int) -> None:
    assert least <= pause(least, seconds, bridges) <= LONGEST_PAUSE
