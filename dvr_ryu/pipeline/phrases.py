"""Cuts a line into its words, and finds the words for what is wrong with one. Knows neither fields
nor actions.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from dvr_ryu.pipeline.source import Wrong

_CLOSES = {"(": ")", "{": "}"}

Known = Mapping[str, object] | list[str]


def nearest(word: str, known: Known) -> str | None:
    """The known word that is most like this one, if any is."""
    return next(iter(get_close_matches(word, list(known), 1)), None)


def did_you_mean(word: str, known: Known) -> str:
    """'; did you mean …?' for the nearest known word, or nothing."""
    near = nearest(word, known)
    return f"; did you mean {near}?" if near else ""


def split(text: str, at: int, separators: str) -> list[tuple[str, int]]:
    """The words of a text with where each starts; separators within parentheses, braces or quotes
    do not part.
    """
    words: list[tuple[str, int]] = []
    opened: list[int] = []
    start = 0
    for position, character in enumerate(text + separators[0]):
        if character == '"' and opened and text[opened[-1]] == '"':
            opened.pop()
        elif opened and text[opened[-1]] == '"':
            continue
        elif character in _CLOSES or character == '"':
            opened.append(position)
        elif character in _CLOSES.values():
            if not opened or _CLOSES[text[opened.pop()]] != character:
                raise Wrong(at + position, f"this '{character}' closes nothing")
        elif not opened and character in separators:
            word = text[start:position]
            if word.strip():
                words.append((word.strip(), at + start + len(word) - len(word.lstrip())))
            start = position + 1
    if opened:
        raise Wrong(at + opened[-1], "this is opened and never closed")
    return words


def article(noun: str) -> str:
    """The noun with its article: a port, an IPv4 address."""
    return f"an {noun}" if noun.startswith("IP") else f"a {noun}"
