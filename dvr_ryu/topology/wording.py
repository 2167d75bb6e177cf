"""Write the parts that messages share: suggestions and enumerations. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from functools import lru_cache

MANY = 8
"""From so many on, messages list only some of the known names."""

TOO_MANY = 500
"""Above this number, no nearest name is sought: thousands of wrong names would take minutes."""


def listed(names: Iterable[object]) -> str:
    """The names with commas; of many, the first few."""
    texts = [str(name) for name in names]
    return ", ".join(texts[:MANY]) + (", …" if len(texts) > MANY else "")


def suggestion(word: str, known: Iterable[str]) -> str:
    """The suggestion for an unknown name: the nearest known one, else a list of known ones."""
    texts = tuple(known)
    near = nearest(word, texts)
    if near:
        return f"did you mean '{near}'?"
    return f"there is {listed(texts)}" if texts else "there is none yet: declare it, or remove this"


@lru_cache(maxsize=1024)
def nearest(word: str, known: tuple[str, ...]) -> str | None:
    """The known name most similar to a misspelt one, if there is one and they are not too many."""
    if len(known) > TOO_MANY:
        return None
    return next(iter(get_close_matches(word, known, n=1)), None)
