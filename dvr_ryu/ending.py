"""Ends a program that lacks memory, threads or descriptors, or in which a thread has failed.

Such a program must not continue in part: it ends with a line and an exit code, and is restarted. If
a thread dies while it starts, its starter waits for ever and gets no exception. So hooks end the
process.
"""

from __future__ import annotations

import os
import sys
import threading
import traceback
from typing import Any, NoReturn

from dvr_ryu.errors import WRONG_INPUT, is_exhaustion

BEGINNING = "thread started by"
"""Python's message about an error in a thread that has not begun yet contains this."""


def guard(program: str) -> None:
    """From now on, end this process when one of its threads fails."""

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
    """End this process at once, without waiting for its threads, and print the reason. An error in
    this program gets its traceback.
    """
    try:
        if not is_exhaustion(error):
            traceback.print_exception(error)
        print(f"the {program} ends: {why(error)}", file=sys.stderr, flush=True)
    finally:
        os._exit(WRONG_INPUT)


def why(error: BaseException) -> str:
    """One line about an error that ends a program."""
    if not is_exhaustion(error):
        return f"{type(error).__name__}: {error}"
    if isinstance(error, OSError):
        lacks = str(error.strerror)
    else:
        lacks = "it gets no memory" if isinstance(error, MemoryError) else "it gets no thread"
    return f"{lacks}; see its limits, and those of this machine"
