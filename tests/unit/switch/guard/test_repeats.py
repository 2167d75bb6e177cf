"""Lines of a log that are alike are counted; so are those of which there are too many kinds."""

from __future__ import annotations

from dvr_ryu.switch.guard.repeats import (
    MOST_KINDS,
    MOST_PEERS,
    OTHERS,
    PRINTED,
    SECONDS,
    Repeats,
)


def printed(repeats: Repeats, peer: str, lines: list[str], now: float = 0.0) -> int:
    return sum(repeats.first(peer, line.partition(" ")[2], line, now) for line in lines)


def test_the_first_are_printed_and_the_others_counted() -> None:
    repeats = Repeats()
    lines = [f"10.0.0.9:{port}: a message of length 0" for port in range(1234 + PRINTED)]
    assert printed(repeats, "10.0.0.9", lines) == PRINTED
    assert list(repeats.due(SECONDS - 1)) == []
    assert list(repeats.due(SECONDS)) == [f"{lines[-1]} (1 234 more like this in the last minute)"]
    assert list(repeats.due(2 * SECONDS)) == []
    assert printed(repeats, "10.0.0.9", lines) == PRINTED


def test_a_line_that_was_said_once_is_not_counted() -> None:
    repeats = Repeats()
    assert repeats.first("10.0.0.9", "a", "a", 0)
    assert list(repeats.due(SECONDS)) == []


def test_other_lines_and_other_peers_are_printed_meanwhile() -> None:
    repeats = Repeats()
    printed(repeats, "10.0.0.9", ["so: the same"] * 100)
    assert repeats.first("10.0.0.9", "another", "another", 0)
    assert repeats.first("10.0.0.8", "the same", "the same", 0)


def test_one_peer_with_ever_new_lines_is_bounded() -> None:
    repeats = Repeats()
    lines = [f"a {'x' * number}" for number in range(1, 1001)]
    assert printed(repeats, "10.0.0.9", lines) == MOST_KINDS + PRINTED
    assert len(list(repeats.due(SECONDS))) == 1


def test_ever_new_peers_are_bounded() -> None:
    repeats = Repeats()
    count = sum(repeats.first(f"peer {number}", "so", "the same", 0) for number in range(5000))
    assert count == MOST_PEERS + PRINTED
    (line,) = repeats.due(SECONDS)
    assert line.startswith(f"{OTHERS}: the same (")
