"""SIGTERM and SIGINT, which ask a companion to end.

They come in the middle of anything, and a lock that this thread holds is not its own a second time.
So another thread, which is told by what needs no lock, does what there is to do.
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
