"""The states of TCP connections, as conntrack follows them without looking at sequence numbers.
Pure.

A segment that its connection's state does not allow is invalid: NAT leaves it as it is.
"""

from __future__ import annotations

FIN, SYN, RST, ACK = 1, 2, 4, 16
SYN_ACK = SYN | ACK
NEW, CLOSED = "none", "close"
"""The states before the first segment and after a reset."""
IGNORED = "ignored"
"""The segment belongs to the connection, and changes nothing."""

_LETTERS = {
    "N": NEW,
    "S": "syn-sent",
    "R": "syn-recv",
    "E": "established",
    "F": "fin-wait",
    "C": "close-wait",
    "L": "last-ack",
    "T": "time-wait",
    "X": CLOSED,
    "2": "syn-sent2",
}
_STATES = tuple(_LETTERS.values())
_NEXT = {
    False: {
        "syn": "S S i i i i i S S 2",
        "syn-ack": "- - R - - - - - - R",
        "fin": "- - F F L L L T X -",
        "ack": "E - E E C C T T X -",
        "rst": "- X X X X X X X X X",
    },
    True: {
        "syn": "- 2 - - - - - S - 2",
        "syn-ack": "- R i i i i i i i R",
        "fin": "- - F F L L L T X -",
        "ack": "- i R E C C T T X i",
        "rst": "- X X X X X X X X X",
    },
}
"""Whether the segment is an answer → kind of segment → the next state after each of _STATES.
"-" is invalid, "i" is ignored."""


def next_state(state: str, flags: int, *, is_answer: bool) -> str | None:
    """The state of a connection after a segment; IGNORED; or None if the segment is invalid."""
    kind = _kind(flags)
    if kind is None:
        return None
    letter = _NEXT[is_answer][kind].split()[_STATES.index(state)]
    return IGNORED if letter == "i" else _LETTERS.get(letter)


def _kind(flags: int) -> str | None:
    if flags & RST:
        return "rst"
    if flags & SYN:
        return "syn-ack" if flags & ACK else "syn"
    if flags & FIN:
        return "fin"
    return "ack" if flags & ACK else None
