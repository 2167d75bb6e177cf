"""A guest: qemu with Debian's kernel and this machine's files, and commands that run in it.

It does not know what the commands are for.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

from dvr_ryu.errors import HostError
from dvr_ryu.lab.guests.debian_kernel import CACHE, Kernel, kernel
from dvr_ryu.lab.wait import SLOWNESS, wait_until
from tests.kernel_guest.exports import folder_daemon, root_daemon, served
from tests.kernel_guest.initramfs import index_modules, make_initramfs
from tests.kernel_guest.jobs import Job
from tests.machines import qemu

CHECKOUT = Path(__file__).parents[2]
MEMORY = 3072
CPUS = 1
"""An emulated second processor costs more than it gives: each wakes the other too often."""
_JOBS = Path(__file__).with_name("jobs.sh")
_BOOT_TIMEOUT = 300
_WORDS = (
    "console=ttyS0",
    "quiet",
    "panic=-1",
    "mitigations=off",
    "clocksource=tsc",
    "tsc=reliable",
)
"""An emulated processor needs no mitigations, and reads its TSC much faster than other clocks."""
_SLOW = {SLOWNESS: "20", "PYTEST_TIMEOUT": "3000"}
"""Variables of a guest whose processor qemu emulates."""


class Guest:
    """A running guest. `share` is a folder of this machine; the guest has it as SHARE."""

    SHARE = "/run/kernel_guest"

    def __init__(
        self, name: str, folder: Path, process: subprocess.Popen[bytes], stack: ExitStack
    ) -> None:
        self.name = name
        self.share = folder / "share"
        self._folder = folder
        self._qemu = process
        self._stack = stack
        self._numbers = count()

    @classmethod
    def boot(cls, name: str, memory: int = MEMORY, devices: Sequence[str] = ()) -> Guest:
        """Boot a guest with so many MB; `await_boot` waits until it takes commands, `stop` ends it,
        and so does the end of this thread. `devices` are further words for qemu.
        """
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kernel_guest")))
            found = kernel()
            _make_files(name, folder, found)
            needed = (CHECKOUT, CACHE, Path(sys.prefix), Path(sys.base_prefix), Path(os.getcwd()))
            root, share = folder / "root.sock", folder / "share.sock"
            stack.enter_context(served(root_daemon(root, folder / "root", needed), root))
            stack.enter_context(served(folder_daemon(share, folder / "share"), share))
            words = (*_WORDS, f"dvr_jobs={_JOBS}")
            more = (*_devices(folder, memory), *devices)
            with (folder / "console").open("wb") as console:
                process = subprocess.Popen(
                    qemu.command(name, found.vmlinuz, words, memory, CPUS, *more),
                    stdin=subprocess.DEVNULL,
                    stdout=console,
                    stderr=subprocess.STDOUT,
                )
            stack.callback(process.wait)
            stack.callback(process.kill)
            return cls(name, folder, process, stack.pop_all())

    def stop(self) -> None:
        """End the guest, as if its power was cut, and remove its files."""
        self._stack.close()

    @property
    def pid(self) -> int:
        """The process of qemu on this machine."""
        return self._qemu.pid

    def new_file(self) -> Path:
        """A path of the share that nothing has yet."""
        return self.share / f"file-{next(self._numbers)}"

    def start(
        self, command: Sequence[str], input: str = "", variables: Mapping[str, str] | None = None
    ) -> Job:
        """Start a command in this process's folder and with its environment; `variables` are more.

        Its error output is a stream of its own. It goes on when this process ends a follower of it.
        """
        slow = {} if "kvm" in qemu.accelerator() else _SLOW
        environment = {**os.environ, **slow, **(variables or {})}
        folder = self.share / f"job-{next(self._numbers)}"
        job = Job.make(folder, command, os.getcwd(), environment, input)
        self._ring(f"run {folder.name}")
        return job

    def end(self, job: Job) -> None:
        """Terminate a command."""
        self._ring(f"end {job.folder.name}")

    def _ring(self, line: str) -> None:
        with (self._folder / "doorbell.in").open("w") as doorbell:
            doorbell.write(f"{line}\n")

    def await_boot(self) -> None:
        """Wait until the guest takes jobs; HostError if it ends before, or takes minutes."""

        def booted() -> bool:
            self.require_running()
            return (self.share / "ready").exists()

        wait_until(booted, _BOOT_TIMEOUT, f"the guest {self.name} boots", self.console)

    def await_end(self, job: Job, timeout: float) -> None:
        """Wait until a command has ended; HostError if that takes too long, or if qemu ends."""

        def ended() -> bool:
            self.require_running()
            return job.ended

        wait_until(ended, timeout, f"{self.name}: {(job.folder / 'command').read_text()[-200:]}")

    def require_running(self) -> None:
        """HostError with the console's last lines if the guest has ended."""
        if self._qemu.poll() is not None:
            raise HostError(f"the guest {self.name} ended\n{self.console()}")

    def console(self) -> str:
        """The last lines of the guest's console."""
        return "\n".join((self._folder / "console").read_text(errors="replace").splitlines()[-30:])


@contextmanager
def guest() -> Iterator[Guest]:
    """A guest that lasts as long as the block."""
    booted = Guest.boot("guest")
    try:
        booted.await_boot()
        yield booted
    finally:
        booted.stop()


def _make_files(name: str, folder: Path, found: Kernel) -> None:
    (folder / "root").mkdir()
    (folder / "share").mkdir()
    (folder / "share/hostname").write_text(name)
    index_modules(found, folder / "share/modules")
    make_initramfs(found, folder / "share/modules", folder / "initramfs")
    for end in ("in", "out"):
        os.mkfifo(folder / f"doorbell.{end}")


def _devices(folder: Path, memory: int) -> list[str]:
    def virtiofs(tag: str) -> list[str]:
        chardev = f"socket,id={tag},path={folder / tag}.sock"
        device = f"vhost-user-fs-pci,chardev={tag},tag={tag}"
        return ["-chardev", chardev, "-device", device]

    return [
        *("-no-reboot", "-initrd", str(folder / "initramfs")),
        *("-serial", f"pipe:{folder / 'doorbell'}"),
        *("-object", f"memory-backend-memfd,id=memory,size={memory}M,share=on"),
        *("-numa", "node,memdev=memory"),
        *virtiofs("root"),
        *virtiofs("share"),
    ]
