"""What ends a companion by itself: the process lacks memory, threads or descriptors, or a thread of
it has failed. Half of it never goes on: it ends with one line, and is started again.

Python leaves a thread that dies while it starts to wait for itself: so hooks end the process.
"""

from __future__ import annotations

import errno
import os
import sys
import threading
import traceback
from typing import Any, NoReturn

from dvr_ryu.errors import WRONG_INPUT

LACKING = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN)
"""What the kernel answers to a process that may have no more descriptors, memory or processes."""
NO_THREAD = "can't start new thread"


def is_exhaustion(error: BaseException) -> bool:
    """Whether an exception says that this process lacks what it needs to go on."""
    if isinstance(error, OSError):
        return error.errno in LACKING
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and NO_THREAD in str(error)
    )


def guard() -> None:
    """End this process, from now on, when one of its threads fails; then its locks are free."""
    threading.excepthook = lambda args: end(args.exc_value or args.exc_type())
    sys.unraisablehook = _unraisable


def _unraisable(args: Any) -> None:
    """A thread that cannot even begin is told of here only."""
    if args.exc_value is not None and is_exhaustion(args.exc_value):
        end(args.exc_value)
    sys.__unraisablehook__(args)


def end(error: BaseException) -> NoReturn:
    """End this process at once, without waiting for its threads, and say why; an error of ours with
    its traceback.
    """
    try:
        if not is_exhaustion(error):
            traceback.print_exception(error)
        print(f"the companion ends: {_words(error)}", file=sys.stderr, flush=True)
    finally:
        os._exit(WRONG_INPUT)


def _words(error: BaseException) -> str:
    if not is_exhaustion(error):
        return f"{type(error).__name__}: {error}"
    if isinstance(error, OSError):
        return f"{error.strerror}; see its limits, and those of this machine"
    lacks = "no memory" if isinstance(error, MemoryError) else "no thread"
    return f"it gets {lacks} any more; see its limits, and those of this machine"
