"""Suggests the known name that a misspelt one probably meant. It defines no names itself."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

_SLIP = 0.75
"""The similarity of two names, from 0 to 1, from which one is a slip of the other."""

Known = Mapping[str, object] | list[str]


def nearest(word: str, known: Known) -> str | None:
    """The known name that is most similar to this one, or None."""
    return next(iter(get_close_matches(word, list(known), 1)), None)


def resembles(word: str, known: list[str]) -> str | None:
    """The known name of which this one is probably a slip, or None. Case does not matter."""
    lowered = {each.lower(): each for each in known}
    near = get_close_matches(word.lower(), list(lowered), 1, _SLIP)
    return lowered[near[0]] if near else None


def did_you_mean(word: str, known: Known) -> str:
    """'; did you mean …?' with the nearest known name, or the empty text."""
    near = nearest(word, known)
    return f"; did you mean {near}?" if near else ""


def article(noun: str) -> str:
    """The noun with its article: a port, an IPv4 address."""
    return f"an {noun}" if noun.startswith(("IP", "L4")) else f"a {noun}"
