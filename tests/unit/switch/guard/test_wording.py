"""What a peer says of itself cannot forge a log."""

from __future__ import annotations

import pytest

from dvr_ryu.switch.guard.wording import MOST_SHOWN, shown


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("server-68/br-int", "server-68/br-int"),
        ("a\nserver-68/br-int in sync", r"a\nserver-68/br-int in sync"),
        ("\x1b[2Ja\r\x00", r"\x1b[2Ja\r\x00"),
        ("a\u202eb\u2028c", r"a\u202eb\u2028c"),
        ("straße", "straße"),
        ("x" * 300, "x" * MOST_SHOWN + "..."),
    ],
)
def test_what_does_not_print_is_escaped(text: str, line: str) -> None:
    assert shown(text) == line
