"""Runs commands in a guest for the host: one at a time on each of its virtio ports.

It runs in the guest, as a file. The host's end is `lab/guests/client.py`. Both sides send lines:
the id of a command, a word, and data in hexadecimal digits. The host sends "run" or, for one that
gets a terminal, "tty", with the type of the terminal and the argv, each ended by a zero; "in" with
input (empty: the end), and "size" with the terminal's rows and columns. The guest answers "out",
"err" and at last "end" with the exit code. The end of the connection, or another command, kills a
command that still runs.

It imports only what starts quickly: an emulated machine takes seconds for the usual modules.
"""

from __future__ import annotations

import fcntl
import os
import select
import struct
import termios
import time

TYPE_CHECKING = False  # the module typing would take a second
if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 3.0
"""Seconds that the kernel, on a busy processor, may take to see that the host has connected."""
PORTS = "/sys/class/virtio-ports"
PREFIX = "dvr.agent."
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
BLOCK = 1 << 14
LEFT_IN_A_PIPE = 1 << 16
"""So much may be in a pipe when its writer ends."""
EDGES = select.EPOLLIN | select.EPOLLOUT | select.EPOLLHUP | select.EPOLLET
NOT_FOUND, NOT_EXECUTABLE = 127, 126
"""A shell's exit codes for a command that cannot be started."""
SIGKILL = 9

poll = select.epoll()
doubted: dict[Port, float] = {}
"""Port → since when the kernel says that its host has not connected. It learns of connections later
than of their data: so what it says counts only if it has said so for a while."""
handlers: dict[int, Callable[[], object]] = {}
"""Descriptor → what is called when there is something to read, or the other side has ended."""


def watch(descriptor: int, handler: Callable[[], object], events: int = select.EPOLLIN) -> None:
    """Call `handler` when something happens at a descriptor."""
    os.set_blocking(descriptor, False)
    handlers[descriptor] = handler
    poll.register(descriptor, events)


def forget(descriptor: int) -> None:
    """Watch a descriptor no more."""
    if handlers.pop(descriptor, None):
        poll.unregister(descriptor)


class Port:
    """A virtio port, and the command that was asked for on it last.

    No port waits for its host: a host that takes no output holds up only its own command.
    """

    def __init__(self, path: str) -> None:
        self.descriptor = os.open(path, os.O_RDWR)
        self.rest = b""
        self.untaken = b""
        """What the host has not taken yet."""
        self.command: Command | None = None
        # While the host is not connected, the kernel says so without end, unless asked for edges.
        watch(self.descriptor, self.serve, EDGES)

    def serve(self) -> None:
        """Read and write, as far as the host has sent something, or takes something."""
        self.read()
        self.write()

    def read(self) -> None:
        """Take all lines that have come."""
        while True:
            try:
                block = os.read(self.descriptor, BLOCK)
            except BlockingIOError:
                doubted.pop(self, None)
                return
            if not block:
                doubted.setdefault(self, time.monotonic())
                return
            doubted.pop(self, None)
            *lines, self.rest = (self.rest + block).split(b"\n")
            for line in lines:
                self.take(line)

    def end_connection(self) -> None:
        """End what the connection was for."""
        self.end_command()
        self.rest = self.untaken = b""

    def take(self, line: bytes) -> None:
        """Take a line."""
        try:
            id, word, data = line.split(b" ")
            content = bytes.fromhex(data.decode())
        except ValueError:  # the rest of a line that a killed client had begun
            return
        if word in (b"run", b"tty"):
            self.end_command()
            term, *argv = content.split(b"\0")[:-1]
            self.untaken += b"\n"  # ends a line that an earlier connection may have cut off
            self.command = Command(self, id, argv, term if word == b"tty" else None)
        elif self.command is not None:
            self.command.take(word, content)

    def end_command(self) -> None:
        """Kill the command, if one runs."""
        if self.command is not None:
            self.command.kill()
            self.command = None

    def send(self, id: bytes, word: bytes, data: bytes) -> None:
        """Send a line as soon as the host takes it."""
        self.untaken += b"%s %s %s\n" % (id, word, data.hex().encode())
        self.write()

    def write(self) -> None:
        """Write as much as the host takes now; the command's next output waits for the rest."""
        try:
            while self.untaken:
                self.untaken = self.untaken[os.write(self.descriptor, self.untaken) :]
        except BlockingIOError:
            pass
        if self.command is not None:
            self.command.let_output_come(not self.untaken)


class Command:
    """A child in a session of its own, and its output on the way to the host."""

    def __init__(self, port: Port, id: bytes, argv: list[bytes], term: bytes | None) -> None:
        self._port, self._id, self._on_terminal = port, id, term is not None
        self._outputs: dict[int, bytes] = {}
        """Descriptor from which output comes → the word for it."""
        if term is not None:
            terminal, inner = os.openpty()
            ends = (inner, inner, inner)
            self._input = terminal
            self._outputs[terminal] = b"out"
        else:
            inner_input, self._input = os.pipe()
            output, inner_output = os.pipe()
            errors, inner_errors = os.pipe()
            ends = (inner_input, inner_output, inner_errors)
            self._outputs |= {output: b"out", errors: b"err"}
        self._open = {self._input, *self._outputs}
        self._pid = os.fork()
        if not self._pid:
            become(argv, ends, term)
        for end in {*ends}:
            os.close(end)
        self.let_output_come(True)
        self._ended = os.pidfd_open(self._pid)
        self._open.add(self._ended)
        watch(self._ended, self.end)

    def let_output_come(self, wanted: bool) -> None:
        """Pass output on from now on, or let the child wait with it."""
        for output in self._outputs:
            if not wanted:
                forget(output)
            elif output not in handlers:
                watch(output, lambda output=output: self._pass_on(output))  # type: ignore[misc]

    def _pass_on(self, output: int) -> bool:
        """Send a block of output; return whether there was one."""
        try:
            block = os.read(output, BLOCK)
        except BlockingIOError:
            return False
        except OSError:  # a terminal without a program
            block = b""
        if block:
            self._port.send(self._id, self._outputs[output], block)
        else:
            forget(output)
            del self._outputs[output]
        return bool(block)

    def end(self) -> None:
        """Send the rest of the output, and the exit code: the child has ended."""
        for output in [*self._outputs]:
            for _ in range(LEFT_IN_A_PIPE // BLOCK):  # a child of the child may write on
                if output not in self._outputs or not self._pass_on(output):
                    break
        _, status = os.waitpid(self._pid, 0)
        code = os.waitstatus_to_exitcode(status)
        self._port.send(self._id, b"end", b"%d" % (code if code >= 0 else 128 - code))
        self._close()

    def _close(self) -> None:
        for descriptor in self._open:
            forget(descriptor)
            os.close(descriptor)
        self._open.clear()
        if self._port.command is self:
            self._port.command = None

    def take(self, word: bytes, content: bytes) -> None:
        """Take input, or the size of the terminal."""
        if self._input not in self._open:
            return
        if word == b"size" and self._on_terminal:
            size = struct.pack("HHHH", *map(int, content.split()), 0, 0)
            fcntl.ioctl(self._input, termios.TIOCSWINSZ, size)
        elif word == b"in" and content:
            try:
                while content:
                    content = content[os.write(self._input, content) :]
            except OSError:  # it reads no more
                return
        elif word == b"in" and not self._on_terminal:
            self._open.remove(self._input)
            os.close(self._input)

    def kill(self) -> None:
        """Kill it, with all processes of its first group."""
        try:
            os.killpg(self._pid, SIGKILL)
        except ProcessLookupError:  # it has not begun its session
            os.kill(self._pid, SIGKILL)
        os.waitpid(self._pid, 0)
        self._close()


def become(argv: list[bytes], ends: tuple[int, ...], term: bytes | None) -> None:
    """Become a command, in the child."""
    try:
        os.setsid()
        for number, end in enumerate(ends):
            os.dup2(end, number)
        if term is not None:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        os.chdir("/root")
        os.environ.update(PATH=PATH, HOME="/root", TERM=os.fsdecode(term or b"dumb"))
        os.execvp(argv[0], argv)
    except OSError as error:
        os.write(2, b"%s: %s\n" % (argv[0], os.strerror(error.errno or 0).encode()))
        os._exit(NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE)
    finally:
        os._exit(NOT_EXECUTABLE)


def main() -> None:
    """Serve all ports."""
    for device in os.listdir(PORTS):
        with open(f"{PORTS}/{device}/name") as file:
            if file.read().startswith(PREFIX):
                Port(f"/dev/{device}")
    while True:
        for descriptor, _ in poll.poll(PATIENCE if doubted else None):
            if descriptor in handlers:
                handlers[descriptor]()
        for port, since in [*doubted.items()]:
            if time.monotonic() - since >= PATIENCE:
                del doubted[port]
                port.end_connection()


if __name__ == "__main__":
    main()
