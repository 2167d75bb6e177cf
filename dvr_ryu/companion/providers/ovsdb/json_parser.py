"""Parse JSON for the ovs library with the standard library's parser, which is in C.

The library has its own in Python, character by character, with which a host of 400 ports took three
times as long to load. It has one in C, too, which needs a compiler and Open vSwitch's headers.
"""

from __future__ import annotations

import json
import re
from typing import Any

_MARK = re.compile(r'[^"{}]*(?:"[^"\\]*(?:\\.[^"\\]*)*"[^"{}]*)*([{}"])')
"""The next brace outside of strings, or the start of a string whose end may not have come yet."""


class Parser:
    """Reads one object, whose text comes in pieces."""

    def __init__(self, check_trailer: bool = False) -> None:
        """The library asks for a check of the trailer only where it parses a file."""
        self._text = ""
        self._seen = 0
        """The number of characters searched for braces."""
        self._depth = 0
        self._whole = False

    def feed(self, text: str) -> int:
        """Take the next piece; return the number of its characters that belong to the object."""
        before = len(self._text)
        self._text += text
        while mark := _MARK.match(self._text, self._seen):
            if mark[1] == '"':
                self._seen = mark.start(1)
                break
            self._depth += 1 if mark[1] == "{" else -1
            self._seen = mark.end()
            if self._depth == 0:
                self._whole = True
                self._text = self._text[: self._seen]
                return self._seen - before
        return len(text)

    def is_done(self) -> bool:
        """Whether the object is whole."""
        return self._whole

    def finish(self) -> Any:
        """Return the object, or a text with the reason why there is none."""
        try:
            return json.loads(self._text)
        except ValueError as error:
            return str(error)
