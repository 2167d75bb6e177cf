"""Writes the results of commands to stdout, as lines, tables or one JSON document, and handles a
stdout that takes no data.

A terminal wraps tables at spaces. In pipes and files, which have no width, each row is a line.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from dvr_ryu import errors

if TYPE_CHECKING:
    from dvr_ryu.topology.topology import Topology

json_option = click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print one JSON document; docs/json.rst describes its keys.",
)

_WIDEST = 1 << 16
"""The width of pipes and files, in columns: more than any row needs."""


def show(renderable: Any) -> None:
    """Print an object of rich on stdout."""
    from rich.console import Console

    if sys.stdout.isatty():
        Console().print(renderable)
        return
    text = io.StringIO()
    Console(file=text, width=_WIDEST).print(renderable)
    for line in text.getvalue().splitlines():
        click.echo(line.rstrip())


def show_json(document: dict[str, Any]) -> None:
    """Print a document of plain data as JSON."""
    click.echo(json.dumps(document, indent=2))


def to_stderr(text: str) -> None:
    """Print lines on stderr; no character of them can control the terminal."""
    for line in text.split("\n"):
        click.echo(errors.printable(line.replace("\t", " ")), err=True)


def note_plugged(topology: Topology, *among: str) -> None:
    """Say on stderr which instances, of these if some are named, only others can plug in: what is
    computed holds once they have done so."""
    assumed = {
        f"{card.name} on {card.host}": None
        for card in topology.plugged
        if not among or card.name in among
    }
    if assumed:
        to_stderr(f"computed as if others had plugged in {', '.join(assumed)}")


def end_with(command: Callable[[], object]) -> int:
    """Run a command to its end and return the exit code.

    A problem that the user can correct, or a full stdout, is printed without a traceback. Nothing
    is printed if the reader of stdout has ended, as in `dvr ... | head -1`.
    """
    try:
        with _guarded_stdout():
            command()
    except errors.DvrError as error:
        if str(error):
            to_stderr(str(error))
        return error.exit_code
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else errors.DONE
    return errors.DONE


class StdoutLost(errors.DvrError):
    """Stdout does not take the result; the text is empty if the reader of stdout has ended."""

    def __init__(self, error: OSError) -> None:
        reader_ended = isinstance(error, BrokenPipeError)
        super().__init__(
            "" if reader_ended else f"cannot write the result to stdout: {error.strerror}"
        )


class _Stdout(io.RawIOBase):
    """The stdout of this process; it raises StdoutLost once if it takes no data."""

    def __init__(self) -> None:
        self._lost = False

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return 1

    def isatty(self) -> bool:
        return os.isatty(1)

    def write(self, data: Any) -> int:
        content = memoryview(data)
        if not self._lost:
            try:
                return os.write(1, content)
            except OSError as error:
                self._lost = True
                raise StdoutLost(error) from None
        return content.nbytes


@contextmanager
def _guarded_stdout() -> Iterator[None]:
    """Use _Stdout while the block lasts, and for the rest of the output at its end."""
    original = sys.stdout
    if original is None:  # closed by >&-: no other file may get its number
        os.open(os.devnull, os.O_RDONLY)
    else:
        original.flush()
    raw = _Stdout()
    stdout = io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=original.encoding if original else "utf-8",
        errors="backslashreplace",
        line_buffering=raw.isatty(),
    )
    sys.stdout = stdout
    try:
        yield
    finally:
        sys.stdout = original
        stdout.flush()
