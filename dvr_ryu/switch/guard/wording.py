"""Text that a peer chose, made fit for a log: on one line, of bounded length. Pure."""

from __future__ import annotations

MOST_SHOWN = 80
"""Characters."""


def shown(text: str) -> str:
    """The text with escapes for all that does not print, cut where it is long."""
    cut = text[:MOST_SHOWN]
    printed = "".join(each if each.isprintable() else _escape(each) for each in cut)
    return f"{printed}..." if cut != text else printed


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
