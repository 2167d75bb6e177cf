"""Reads the commands of a document: where to type each of them, and what it should print. Pure.

In the document's literal blocks a prompt begins a command: ``desk$``, ``server-1#``, or
``server-*#`` for each server. A here-document belongs to its command. The other lines are output:
``...`` in it stands for anything.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence

from attrs import frozen

_PROMPT = re.compile(r"\s+(desk\$|server-(?:\d|\*)#) (?P<command>.*)")
_HERE = re.compile(r"<<'(\w+)'$")
_UNDERLINE = re.compile(r"([=-])\1{2,}$")


@frozen
class Command:
    """A command under a title. `where` is ``desk``, a server's name, or ``server-*``."""

    title: str
    where: str
    text: str
    output: str
    line: int

    def printed(self, output: str) -> bool:
        """Whether an output is the one that the document shows; spaces do not matter."""
        seen = " ".join(output.split())
        first, *rest = (" ".join(part.split()) for part in self.output.split("..."))
        if not rest:
            return seen == first
        if not (seen.startswith(first) and seen.endswith(rest[-1])):
            return False
        at = len(first)
        for part in rest:
            found = seen.find(part, at)
            if found < 0:
                return False
            at = found + len(part)
        return True


def commands(document: str) -> Iterator[Command]:
    """Yield the commands of a document in its order."""
    lines, title, number = document.splitlines(), "", 0
    while number < len(lines):
        if number and _UNDERLINE.match(lines[number]) and lines[number - 1]:
            title = lines[number - 1]
        found = _PROMPT.match(lines[number])
        begin = number = number + 1
        if found is None:
            continue
        text = [found["command"]]
        if here := _HERE.search(text[0]):
            while text[-1] != here[1]:
                text.append(lines[number].strip())
                number += 1
        output = _output(lines[number:])
        number += len(output)
        shown = "\n".join(output) or "..."
        yield Command(title, found[1].rstrip("#$"), "\n".join(text), shown, begin)


def _output(lines: Sequence[str]) -> list[str]:
    """The lines until the next prompt or the block's end."""
    shown: list[str] = []
    for line in lines:
        if _PROMPT.match(line) or not line.startswith(" "):
            break
        shown.append(line.strip())
    return shown


def topology(document: str) -> str:
    """Return the topology of a document: its only block of YAML."""
    _, _, rest = document.partition(".. code-block:: yaml\n\n")
    block = re.match(r"(?: .*\n|\n)+", rest)
    assert block is not None
    return textwrap.dedent(block[0]).strip() + "\n"
