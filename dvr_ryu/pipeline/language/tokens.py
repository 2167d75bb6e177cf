"""Cuts a line of a flow file into its tokens. Knows neither fields nor actions."""

from __future__ import annotations

import re

from attrs import frozen

from dvr_ryu.pipeline.language.flow_file import Wrong

_CLOSES = {"(": ")", "{": "}"}


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
