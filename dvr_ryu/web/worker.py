"""A process beside the controller that answers `questions`: `python -m dvr_ryu.web.worker`.

It reads lines of JSON from its stdin, a socket, and writes one line for each: first a network, then
questions about it. What takes long or fails here delays no switch. It ends with the controller, and
after a while without questions.
"""

from __future__ import annotations

import json
import os
import socket
from typing import Any

from dvr_ryu.web.questions import Questions

IDLE = 600.0
"""Seconds without a question after which it ends."""
PRIORITY = 10
"""The controller comes first: this is nice(2)."""


def main() -> None:
    """Answer until the other end closes the socket."""
    os.nice(PRIORITY)
    known: Questions | None = None
    with socket.socket(fileno=0) as sock:
        sock.settimeout(IDLE)
        with sock.makefile("r", encoding="utf-8") as lines:
            try:
                for line in lines:
                    asked = json.loads(line)
                    if "network" in asked:
                        known = Questions(**asked["network"])
                    sock.sendall(json.dumps(_answer(known, asked)).encode() + b"\n")
            except (TimeoutError, BrokenPipeError, ConnectionResetError):
                return


def _answer(known: Questions | None, asked: dict[str, Any]) -> dict[str, Any]:
    if known is None or "question" not in asked:
        return {}
    return known.answer(asked["question"], asked["query"])


if __name__ == "__main__":
    main()
