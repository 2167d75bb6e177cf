"""Where the results of words go: to stdout, as lines, tables or one JSON document. And what happens
where stdout takes nothing.

A terminal wraps tables at words. Elsewhere each row is a line: pipes and files have no width.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from dvr_ryu import errors

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document; docs/json.rst has its keys."
)

_WIDEST = 1 << 16
"""Columns of what is no terminal: more than any row has."""


def show(renderable: Any) -> None:
    """Print what rich can render."""
    from rich.console import Console

    if sys.stdout.isatty():
        Console().print(renderable)
        return
    text = io.StringIO()
    Console(file=text, width=_WIDEST).print(renderable)
    for line in text.getvalue().splitlines():
        click.echo(line.rstrip())


def show_json(document: dict[str, Any]) -> None:
    """Print a document of plain data."""
    click.echo(json.dumps(document, indent=2))


def to_stderr(text: str) -> None:
    """Print lines on stderr, none of which does something to the terminal."""
    for line in text.split("\n"):
        click.echo(errors.printable(line.replace("\t", " ")), err=True)


def end_with(command: Callable[[], object]) -> int:
    """Run a word to its end and return the exit code.

    A problem that the reader can mend is told without a traceback; so is a stdout that is full. Of
    a reader that has gone, as in `dvr ... | head -1`, nothing is told.
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
    """Stdout does not take the result; without words where its reader has gone."""

    def __init__(self, error: OSError) -> None:
        reader_ended = isinstance(error, BrokenPipeError)
        super().__init__(
            "" if reader_ended else f"cannot write the result to stdout: {error.strerror}"
        )


class _Stdout(io.RawIOBase):
    """The stdout of this process, which says so when it takes nothing, once."""

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
    """While the block lasts, and for what is still to be written at its end."""
    original = sys.stdout
    if original is None:  # >&-: no other file shall get its number
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
