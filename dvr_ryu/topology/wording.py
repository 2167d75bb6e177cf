"""Words that messages share: suggestions and enumerations. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

MANY = 8
"""From so many on, the known names are not all said."""


def listed(names: Iterable[object]) -> str:
    """The names with commas; of many, the first few."""
    words = [str(name) for name in names]
    return ", ".join(words[:MANY]) + (", …" if len(words) > MANY else "")


def suggestion(word: object, known: Iterable[str]) -> str:
    """What to write instead of an unknown word: the nearest known one, else what there is."""
    words = list(known)
    near = get_close_matches(str(word), words, n=1)
    if near:
        return f"did you mean '{near[0]}'?"
    return f"there is {listed(words)}" if words else "there is none yet: declare it, or remove this"
