"""How a program ends that cannot go on: it lacks memory, threads or descriptors, or a thread of it
has failed. Half of it never stays: it ends with a line and an exit code, and is started again.

A thread that dies while it begins leaves the one that began it waiting for ever, and no exception
comes to anybody: so hooks end the process.
"""

from __future__ import annotations

import os
import sys
import threading
import traceback
from typing import Any, NoReturn

from dvr_ryu.errors import WRONG_INPUT, is_exhaustion

BEGINNING = "thread started by"
"""What Python says of an error in a thread that has not begun yet."""


def guard(program: str) -> None:
    """End this process, from now on, when one of its threads fails."""

    def unraisable(args: Any) -> None:
        error = args.exc_value or args.exc_type()
        if BEGINNING in (args.err_msg or ""):
            end(program, error.__context__ or error)
        if is_exhaustion(error):
            end(program, error)
        sys.__unraisablehook__(args)

    threading.excepthook = lambda args: end(program, args.exc_value or args.exc_type())
    sys.unraisablehook = unraisable


def end(program: str, error: BaseException) -> NoReturn:
    """End this process at once, without waiting for its threads, and say why; an error of ours with
    its traceback.
    """
    try:
        if not is_exhaustion(error):
            traceback.print_exception(error)
        print(f"the {program} ends: {why(error)}", file=sys.stderr, flush=True)
    finally:
        os._exit(WRONG_INPUT)


def why(error: BaseException) -> str:
    """What is told of an error that a program cannot outlive, in one line."""
    if not is_exhaustion(error):
        return f"{type(error).__name__}: {error}"
    if isinstance(error, OSError):
        lacks = str(error.strerror)
    else:
        lacks = "it gets no memory" if isinstance(error, MemoryError) else "it gets no thread"
    return f"{lacks}; see its limits, and those of this machine"
