"""Runs a command in a virtual machine: its input, output and exit code become this process's.

It runs as a file in the machine's host, and imports only Python's own modules, so that it starts
quickly. The other end is `inside/agent.py`, which has the words of both. If this process ends, for
any reason, so does the command.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import socket
import sys
import termios
import time
import tty
from collections.abc import Iterator

PORTS = 8
PAUSE = 0.05
BLOCK = 1 << 14
NO_MACHINE = 125
"""The exit code if the machine is not there, or ends before the command."""


class Gone(Exception):
    """The machine is not there, or has ended."""


@contextlib.contextmanager
def free_port(folder: str) -> Iterator[socket.socket]:
    """A connection to a port of the agent that nobody else uses; it waits until there is one."""
    while True:
        for number in range(PORTS):
            path = f"{folder}/agent{number}"
            try:
                lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except FileNotFoundError:
                raise Gone from None
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                with socket.socket(socket.AF_UNIX) as connection:
                    connection.connect(path)
                    yield connection
                    return
            except BlockingIOError:
                pass
            except (FileNotFoundError, ConnectionRefusedError):
                raise Gone from None
            finally:
                os.close(lock)
        time.sleep(PAUSE)


class Session:
    """One command in the machine."""

    def __init__(self, connection: socket.socket, argv: list[str]) -> None:
        self._connection = connection
        self._id = os.urandom(8).hex().encode()
        self._on_terminal = all(map(os.isatty, range(2)))
        connection.sendall(b"\n")  # ends a line that a killed client may have begun
        words = [os.environ.get("TERM", "dumb"), *argv]
        wanted = b"".join(os.fsencode(word) + b"\0" for word in words)
        self._send(b"tty" if self._on_terminal else b"run", wanted)

    def _send(self, word: bytes, data: bytes) -> None:
        self._connection.sendall(b"%s %s %s\n" % (self._id, word, data.hex().encode()))

    def run(self) -> int:
        """Pass input and output on until the command ends; return its exit code."""
        if not self._on_terminal:
            return self._pass_on()
        before = termios.tcgetattr(0)
        resized, wakeup = socket.socketpair()
        wakeup.setblocking(False)
        signal.set_wakeup_fd(wakeup.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGWINCH, lambda *_: None)
        try:
            tty.setraw(0)
            self._send_size()
            return self._pass_on(resized)
        finally:
            termios.tcsetattr(0, termios.TCSADRAIN, before)

    def _send_size(self) -> None:
        columns, rows = os.get_terminal_size(0)
        self._send(b"size", b"%d %d" % (rows, columns))

    def _pass_on(self, resized: socket.socket | None = None) -> int:
        ends = select.poll()
        ends.register(0, select.POLLIN)
        ends.register(self._connection, select.POLLIN)
        if resized:
            ends.register(resized, select.POLLIN)
        rest = b""
        while True:
            for descriptor, _ in ends.poll():
                if descriptor == 0:
                    block = os.read(0, BLOCK)
                    self._send(b"in", block)
                    if not block:
                        ends.unregister(0)
                elif descriptor == self._connection.fileno():
                    block = self._connection.recv(BLOCK)
                    if not block:
                        raise Gone
                    *lines, rest = (rest + block).split(b"\n")
                    for line in lines:
                        code = self._take(line)
                        if code is not None:
                            return code
                elif resized:
                    resized.recv(BLOCK)
                    self._send_size()

    def _take(self, line: bytes) -> int | None:
        """Take one line of the agent; return the exit code, if it has that."""
        id, _, rest = line.partition(b" ")
        word, _, data = rest.partition(b" ")
        if id != self._id:  # the rest of what an earlier command wrote
            return None
        content = bytes.fromhex(data.decode())
        if word == b"end":
            return int(content)
        _write_all(1 if word == b"out" else 2, content)
        return None


def _write_all(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]


def main(folder: str, argv: list[str]) -> int:
    """Run a command in the machine that has its sockets in `folder`."""
    try:
        with free_port(folder) as connection:
            return Session(connection, argv).run()
    except (Gone, ConnectionError):
        name = os.path.basename(folder)
        print(f"the virtual machine {name} is not running, or has just ended", file=sys.stderr)
        return NO_MACHINE


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        sys.exit(main(sys.argv[1], sys.argv[2:]))
    except KeyboardInterrupt:
        sys.exit(130)
