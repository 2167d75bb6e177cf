"""A guest as a host of a lab: what proves a lab of namespaces proves one of guests, too."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from dvr_ryu.errors import HostError
from dvr_ryu.lab.hosts.host import LabHost
from dvr_ryu.lab.wait import timeout_here
from tests.kernel_guest import jobs
from tests.kernel_guest.guest import Guest

_FOLLOW = (sys.executable, "-I", "-S", jobs.__file__)


@frozen
class GuestHost(LabHost):
    """A guest, entered by jobs. `init` is its qemu: it has no processes on this machine."""

    guest: Guest

    def path(self, path: str) -> Path:
        """A copy of the guest's file, as it is now; it does not exist if the guest has none."""
        copy = self.guest.new_file()
        self.run(["cp", path, f"{Guest.SHARE}/{copy.name}"], check=False)
        return copy

    def run(
        self,
        command: Sequence[str],
        *,
        namespace: str | None = None,
        check: bool = True,
        timeout: float = 60,
        input: str = "",
    ) -> subprocess.CompletedProcess[str]:
        """Run `command` in the guest and capture its output; HostError as in a lab host."""
        job = self.guest.start(_inside(command, namespace), input)
        self.guest.await_end(job, timeout_here(timeout))
        output, error = (file.read_text(errors="replace") for file in (job.output, job.error))
        if check and job.code:
            title = f"{self.name}: {' '.join(command)}"
            raise HostError(f"{title}: ended with {job.code}\n{output}{error}".rstrip())
        return subprocess.CompletedProcess(command, job.code, output, error)

    @contextmanager
    def running(
        self,
        command: Sequence[str],
        namespace: str | None = None,
        stderr: int = subprocess.DEVNULL,
    ) -> Iterator[subprocess.Popen[str]]:
        """Run `command` for as long as the block lasts; its output is a pipe."""
        job = self.guest.start(_inside(command, namespace))
        with subprocess.Popen(
            [*_FOLLOW, str(job.folder)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            errors="replace",
        ) as process:
            try:
                yield process
            finally:
                self.guest.end(job)
                process.kill()


def _inside(command: Sequence[str], namespace: str | None) -> list[str]:
    return [*(["ip", "netns", "exec", namespace] if namespace else []), *command]
