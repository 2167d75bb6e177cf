"""Makes a peer's text fit for a log: one line, of bounded length. Pure."""

from __future__ import annotations

MOST_SHOWN = 80
"""The most characters that are shown."""


def shown(text: str) -> str:
    """The text with escapes for unprintable characters, cut if it is long."""
    cut = text[:MOST_SHOWN]
    printed = "".join(each if each.isprintable() else _escape(each) for each in cut)
    return f"{printed}..." if cut != text else printed


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
