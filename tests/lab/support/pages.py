"""Reads from a page of docs/ the commands that a reader types in a lab, and their output."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

DOCS = Path(__file__).parents[3] / "docs"
FLOWS_OF = "dvr lab exec {} -- ovs-ofctl --no-stats dump-flows br-tun"
"""The command that shows a flow, as the page says; a step's title may name another host."""


@frozen
class Shown:
    """A command, and the lines that its output must have."""

    command: str
    lines: tuple[str, ...]


def typed(page: str) -> Iterator[Shown]:
    """Each command after a `$`, with the following lines of its block."""
    for block in re.findall(r"((?:^    .*\n)+)", _text(page), re.MULTILINE):
        for part in re.split(r"^    \$ ", block, flags=re.MULTILINE)[1:]:
            command, *lines = [line.strip() for line in part.splitlines()]
            yield Shown(command, tuple(lines))


def steps(page: str) -> Iterator[Shown]:
    """Each `shown`, with the `look` before it; without a `look` it is a flow of br-tun."""
    pattern = re.compile(
        r"^\*\*(?:On (\S+): )?|^    look +(.+)\n|^    shown +((?:.*\n      +)*.*)\n", re.M
    )
    host, look = "server-233", ""
    for title_host, command, lines in pattern.findall(_text(page)):
        if lines:
            yield Shown(look or FLOWS_OF.format(host), tuple(map(str.strip, lines.split("\n"))))
            look = ""
        elif command:
            look = command
        else:
            host = title_host or "server-233"


def variables(page: str) -> dict[str, str]:
    """Name → value of the shell variables that the page sets."""
    return dict(re.findall(r'^    (\w+)="(.+)"$', _text(page), re.MULTILINE))


def _text(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")
