"""Processes of the machine, identified by pid and start time, so that no other one is killed."""

from __future__ import annotations

import contextlib
import os
import select
import signal
from collections.abc import Iterator
from pathlib import Path

from attrs import field, frozen
from attrs.validators import instance_of


@frozen
class Process:
    """A process. `started`, in clock ticks since boot, distinguishes it from a later one with its
    pid."""

    pid: int = field(validator=instance_of(int))
    started: int = field(validator=instance_of(int))

    @classmethod
    def of(cls, pid: int) -> Process:
        """The process that has `pid` now; ProcessLookupError if there is none."""
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            raise ProcessLookupError(pid) from None
        state, *fields = stat[stat.rindex(")") + 2 :].split()
        if state in "ZX":
            raise ProcessLookupError(pid)
        return cls(pid, int(fields[18]))

    @property
    def alive(self) -> bool:
        """Whether exactly this process still runs."""
        try:
            return Process.of(self.pid) == self
        except ProcessLookupError:
            return False

    @property
    def command(self) -> list[str]:
        """The arguments of its command line."""
        command_line = Path(f"/proc/{self.pid}/cmdline").read_bytes().decode(errors="replace")
        return command_line.rstrip("\0").split("\0")

    def kill(self) -> None:
        """Kill it and wait for its end. The pidfd keeps the signal from any other process."""
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return
        try:
            if self.alive:
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(descriptor, signal.SIGKILL)
                select.select([descriptor], [], [])
        finally:
            os.close(descriptor)


def with_variable(variable: str, value: str) -> Iterator[Process]:
    """Every process that was started with `variable=value` in its environment."""
    marker = f"{variable}={value}".encode()
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            process = Process.of(int(folder.name))
            if marker in (folder / "environ").read_bytes().split(b"\0"):
                yield process
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
