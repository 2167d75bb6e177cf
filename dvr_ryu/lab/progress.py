"""Prints the progress of a lab on stderr: an animated line on a terminal, else plain lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console


@contextmanager
def steps() -> Iterator[Callable[[str], None]]:
    """Yield a function that prints a step when it begins; the step before it has then ended."""
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield lambda step: console.print(step, markup=False, soft_wrap=True)
        return
    current: list[str] = []
    with console.status("") as status:

        def begin(step: str) -> None:
            _finish(console, current)
            current.append(step)
            status.update(f"{step} …")

        yield begin
        _finish(console, current)


def _finish(console: Console, current: list[str]) -> None:
    while current:
        console.print(f"[green]✓[/] {current.pop()}")
