"""Joins this terminal to a virtual machine's console, until a key that the machine does not get."""

from __future__ import annotations

import fcntl
import os
import select
import socket
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dvr_ryu.errors import DONE, HostError

LEAVE = b"\x1d"
"""Ctrl-], as telnet has it."""
_BLOCK = 1 << 12


def join(name: str, path: Path) -> int:
    """Pass keys to the console at the socket `path`, and its output back, until LEAVE is typed or
    the machine ends; return an exit code.

    Without a terminal, pass stdin on until its end. HostError if the console is taken, or if the
    machine does not run.
    """
    with _locked(name, path), socket.socket(socket.AF_UNIX) as console:
        try:
            # The shorter name of a path that may be longer than the kernel allows.
            with _folder(path.parent) as folder:
                console.connect(f"{folder}/{path.name}")
        except OSError as error:
            raise HostError(f"{name} does not run: {error.strerror}") from None
        print(f"the console of {name}; Ctrl-] leaves it", file=sys.stderr)
        console.sendall(b"\n")  # the shell repeats its prompt
        with _raw():
            _pass_on(console)
    print(file=sys.stderr)
    return DONE


@contextmanager
def _locked(name: str, path: Path) -> Iterator[None]:
    lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise HostError(f"another terminal is at the console of {name}") from None
    finally:
        os.close(lock)


@contextmanager
def _folder(path: Path) -> Iterator[str]:
    descriptor = os.open(path, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


@contextmanager
def _raw() -> Iterator[None]:
    """Let the terminal pass each key on at once; without a terminal, change nothing."""
    if not os.isatty(0):
        yield
        return
    before = termios.tcgetattr(0)
    try:
        tty.setraw(0)
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)


def _pass_on(console: socket.socket) -> None:
    ends = select.poll()
    ends.register(0, select.POLLIN)
    ends.register(console, select.POLLIN)
    while True:
        for descriptor, _ in ends.poll():
            if descriptor == 0:
                typed, left, _ = os.read(0, _BLOCK).partition(LEAVE)
                console.sendall(typed)
                if left or not typed:
                    return
            else:
                shown = console.recv(_BLOCK)
                if not shown:
                    return
                os.write(1, shown)
