"""A companion that kills itself with SIGKILL at its N-th call that writes; it runs in a lab host.

The product does not know about this: functions that write are wrapped from outside. Every batch of
netlink requests counts (before it, in its middle, after it), as do every OVSDB transaction (before,
after), every program (before, after its start), every signal to one, and every change of a file
(before a write, and when the file is empty).

The program prints an empty line when it is ready. Then it reads one line of JSON for each command,
runs the command in a process of its own, and prints a line: the number of calls, whether it was
killed, and the changes.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any

from dvr_ryu.companion.agent import apply, down
from dvr_ryu.companion.providers.kernel import ethtool
from dvr_ryu.companion.providers.netlink import client
from dvr_ryu.companion.providers.ovsdb import transaction
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.view import HostView

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
CHANGES = ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.kill")


class Points:
    """Counts the calls that write; kills this process at one of them."""

    def __init__(self, fatal: int) -> None:
        self.reached = 0
        self._fatal = fatal
        self._counting = threading.RLock()

    def reach(self, call: str) -> None:
        """Count a call."""
        with self._counting:
            self.reached += 1
            if self.reached == self._fatal:
                print(call, file=sys.stderr, flush=True)
                os.kill(os.getpid(), signal.SIGKILL)

    def wrap(self) -> None:
        """Wrap all functions of this process that write."""
        self._wrap_netlink()
        self._wrap_ovsdb()
        self._wrap_programs()
        sys.addaudithook(self._audited)

    def _wrap_netlink(self) -> None:
        ask, checksum = client.Netlink.ask, ethtool.tx_checksum

        def asking(
            self_: Any, requests: Iterable[client.Request], expected: Sequence[int] = ()
        ) -> None:
            for batch in client.batches(list(requests)):
                middle = len(batch) // 2
                call = f"a batch of {len(batch)} netlink requests, {batch[0].resource}"
                self.reach(f"before {call}")
                if middle:
                    ask(self_, batch[:middle], expected)
                    self.reach(f"in the middle of {call}")
                ask(self_, batch[middle:], expected)
                self.reach(f"after {call}")

        def setting(control: Any, device: str, value: bool | None = None) -> bool:
            if value is not None:
                self.reach(f"checksums of {device}")
            return checksum(control, device, value)

        client.Netlink.ask = asking  # type: ignore
        ethtool.tx_checksum = setting

    def _wrap_ovsdb(self) -> None:
        commit = transaction.Transaction.commit

        def committing(self_: Any, deadline: Any) -> int:
            self.reach("before a transaction of OVSDB")
            number = commit(self_, deadline)
            self.reach("after a transaction of OVSDB")
            return number

        transaction.Transaction.commit = committing  # type: ignore

    def _wrap_programs(self) -> None:
        points, send = self, signal.pidfd_send_signal

        class Started(subprocess.Popen[Any]):
            """A process whose start is counted."""

            def __init__(self, argv: Any, *arguments: Any, **options: Any) -> None:
                reading = "save" in argv[0]
                if not reading:
                    points.reach(f"before the start of {argv}")
                super().__init__(argv, *arguments, **options)
                if not reading:
                    points.reach(f"after the start of {argv}")

        def sending(*arguments: Any) -> None:
            self.reach("a signal to a program")
            send(*arguments)

        subprocess.Popen = Started  # type: ignore
        signal.pidfd_send_signal = sending

    def _audited(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in CHANGES and not (event == "os.kill" and arguments[0] == os.getpid()):
            self.reach(f"{event} {arguments}")
        elif event == "open" and arguments[2] & WRITING and _is_a_file(arguments[0]):
            self.reach(f"before {arguments[0]} is opened")
            with self._counting:
                self.reached += 1
                if self.reached == self._fatal:
                    print(f"when {arguments[0]} is empty", file=sys.stderr, flush=True)
                    self._fatal = 0
                    os.open(arguments[0], arguments[2], 0o644)
                    os.kill(os.getpid(), signal.SIGKILL)


def _is_a_file(path: Any) -> bool:
    return isinstance(path, (str, os.PathLike)) and str(path).startswith(("/run/", "/proc/sys/"))


def _do(verb: str, file: str, host: str, kill_at: int) -> dict[str, Any]:
    """Run one command in this process."""
    points = Points(kill_at)
    points.wrap()
    change = down(host) if verb == "down" else apply(HostView(load_topology(file), host))
    return {"reached": points.reached, "changed": list(change.lines())}


def _apart(arguments: list[Any]) -> dict[str, Any]:
    """Run one command in a process that may be killed."""
    reading, writing = os.pipe()
    errors = os.memfd_create("errors")
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.dup2(errors, 2)
        try:
            os.write(writing, json.dumps(_do(*arguments)).encode())
        except BaseException:
            traceback.print_exc()
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        report = json.loads(answer.read() or "{}")
    _, status = os.waitpid(child, 0)
    killed = os.waitstatus_to_exitcode(status) == -signal.SIGKILL
    os.lseek(errors, 0, os.SEEK_SET)
    with os.fdopen(errors) as file:
        return {"killed": killed, "errors": file.read(), **report}


if __name__ == "__main__":
    fcntl.fcntl(1, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
    print(flush=True)
    for _, line in zip(count(), sys.stdin, strict=False):
        print(json.dumps(_apart(json.loads(line))), flush=True)
