"""Cuts a line of a flow file into its tokens. Knows neither fields nor actions."""

from __future__ import annotations

import re

from attrs import frozen

from dvr_ryu.pipeline.language.flow_file import LineError

_CLOSES = {"(": ")", "{": "}"}


def split_tokens(text: str, at: int, separators: str) -> list[tuple[str, int]]:
    """The tokens of a text, each with its offset; the text begins at offset `at`. Separators within
    parentheses, braces or quotes do not separate tokens. Raises LineError for a bracket or quote
    without its counterpart.
    """
    tokens: list[tuple[str, int]] = []
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
                raise LineError(at + position, f"this '{character}' closes nothing")
        elif not opened and character in separators:
            token = text[start:position]
            if token.strip():
                tokens.append((token.strip(), at + start + len(token) - len(token.lstrip())))
            start = position + 1
    if opened:
        raise LineError(at + opened[-1], "this is never closed")
    return tokens


@frozen
class KeyValue:
    """One KEY=VALUE, with the offsets of the key and of the value."""

    key: str
    value: str
    at: int
    value_at: int


def read_key_value(token: str, at: int) -> KeyValue:
    """KEY=VALUE, KEY:VALUE or KEY(VALUE), or KEY alone, whose value is empty."""
    key = re.split(r"[:(=]", token, maxsplit=1)[0]
    rest = token[len(key) :]
    if rest.startswith("(") and rest.endswith(")"):
        rest = rest[:-1]
    return KeyValue(key, rest[1:], at, at + len(key) + 1)
