"""SIGTERM and SIGINT ask a companion to end.

A signal interrupts the main thread anywhere, perhaps while that thread holds a lock, which it
cannot take a second time. So the signal only fills a queue that needs no lock; another thread does
the work.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from queue import SimpleQueue


def on_signals(end: Callable[[], None]) -> None:
    """Let the first SIGTERM or SIGINT call `end`, in a thread of its own."""
    asked: SimpleQueue[int] = SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: asked.put(number))

    def heed() -> None:
        asked.get()
        end()

    threading.Thread(target=heed, daemon=True).start()
