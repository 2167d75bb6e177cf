"""Import the ovs library without eventlet, and wait for it. Its other users import it from this
file.

ovs.poller imports eventlet, if installed, to ask whether that has replaced the select module. The
companion never runs under eventlet, whose import takes five times as long as the library's.
"""

from __future__ import annotations

import select
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from dvr_ryu.companion.providers.ovsdb.json_parser import Parser
from dvr_ryu.deadline import seconds_left


@contextmanager
def _absent(package: str) -> Iterator[None]:
    """Forbid imports of a package in this block, unless it is imported already."""
    hidden = package not in sys.modules
    if hidden:
        sys.modules[package] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if hidden:
            del sys.modules[package]


with _absent("eventlet"):
    from ovs import json as ovs_json
    from ovs import jsonrpc, stream
    from ovs import poller as ovs_poller
    from ovs.db import data, error, idl

if ovs_json.PARSER == ovs_json.PARSER_PY:
    ovs_json.Parser = Parser

__all__ = ["Deadline", "data", "error", "idl", "jsonrpc", "poller", "stream"]


def poller(*waits: Callable[[Any], object]) -> Any:
    """A Poller of the library, whose block() waits for the events of `waits`, library methods like
    Idl.wait.
    """
    made = ovs_poller.Poller()
    made.poll = select.poll()  # the library's default is select(), for descriptors up to 1023
    for wait in waits:
        wait(made)
    return made


class Deadline:
    """The time until which a server may take to answer."""

    def __init__(self, seconds: float) -> None:
        self._due = time.monotonic() + seconds

    def wait(self, *waits: Callable[[Any], object]) -> None:
        """Wait as `poller` does. Raise TimeoutError once the time is over."""
        left = seconds_left(self._due)
        waiting = poller(*waits)
        waiting.timer_wait(int(1000 * left) + 1)
        waiting.block()
