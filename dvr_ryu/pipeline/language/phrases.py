"""Cuts a line into its words, and finds the words for what is wrong with one. Knows neither fields
nor actions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches

from attrs import frozen

from dvr_ryu.pipeline.language.flow_file import Wrong

_SLIP = 0.75
"""How much of two words is alike if one is a slip of the other."""
_CLOSES = {"(": ")", "{": "}"}

Known = Mapping[str, object] | list[str]


def nearest(word: str, known: Known) -> str | None:
    """The known word that is most like this one, if any is."""
    return next(iter(get_close_matches(word, list(known), 1)), None)


def resembles(word: str, known: list[str]) -> str | None:
    """The known word that this one is most likely a slip of, whatever its case."""
    lowered = {each.lower(): each for each in known}
    near = get_close_matches(word.lower(), list(lowered), 1, _SLIP)
    return lowered[near[0]] if near else None


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


@frozen
class Setting:
    """One KEY=VALUE; `value` begins at `value_at`."""

    key: str
    value: str
    at: int
    value_at: int


def read_setting(word: str, at: int) -> Setting:
    """KEY=VALUE, KEY:VALUE or KEY(VALUE), or KEY alone, whose value is empty."""
    key = re.split(r"[:(=]", word, maxsplit=1)[0]
    rest = word[len(key) :]
    if rest.startswith("(") and rest.endswith(")"):
        rest = rest[:-1]
    return Setting(key, rest[1:], at, at + len(key) + 1)


def article(noun: str) -> str:
    """The noun with its article: a port, an IPv4 address."""
    return f"an {noun}" if noun.startswith("IP") else f"a {noun}"
