"""Words that messages share: suggestions and enumerations. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from functools import lru_cache

MANY = 8
"""From so many on, the known names are not all said."""

TOO_MANY = 500
"""Among more, the nearest is not looked for: thousands of wrong names would take minutes."""


def listed(names: Iterable[object]) -> str:
    """The names with commas; of many, the first few."""
    texts = [str(name) for name in names]
    return ", ".join(texts[:MANY]) + (", …" if len(texts) > MANY else "")


def suggestion(word: str, known: Iterable[str]) -> str:
    """What to write instead of an unknown word: the nearest known one, else what there is."""
    texts = tuple(known)
    near = nearest(word, texts)
    if near:
        return f"did you mean '{near}'?"
    return f"there is {listed(texts)}" if texts else "there is none yet: declare it, or remove this"


@lru_cache(maxsize=1024)
def nearest(word: str, known: tuple[str, ...]) -> str | None:
    """The known word that is most like a misspelt one, if any is and they are not too many."""
    if len(known) > TOO_MANY:
        return None
    return next(iter(get_close_matches(word, known, n=1)), None)
