"""A guest: qemu with Debian's kernel and this machine's files, and commands that run in it.

It does not know what the commands are for.
"""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

from dvr_ryu.errors import HostError
from dvr_ryu.lab.guests.debian_kernel import CACHE, kernel
from dvr_ryu.lab.wait import wait_until
from tests.kernel_guest.exports import folder_daemon, root_daemon, served
from tests.kernel_guest.initramfs import index_modules, make_initramfs

CHECKOUT = Path(__file__).parents[2]
_JOBS = Path(__file__).with_name("jobs.sh")
_BOOT_TIMEOUT = 120
_WORDS = "console=ttyS0 quiet panic=-1 mitigations=off clocksource=tsc tsc=reliable"
"""An emulated processor needs no mitigations, and reads its TSC much faster than other clocks."""
_KVM = Path("/dev/kvm")


class Job:
    """A command that a guest runs. `output` and `error` are files that grow while it runs."""

    def __init__(self, guest: Guest, folder: Path) -> None:
        self._guest = guest
        self._folder = folder
        self.output = folder / "output"
        self.error = folder / "error"
        self._code = folder / "code"

    def ended(self) -> bool:
        """Whether the command has ended; HostError if its guest ends without that."""
        if not self._code.exists():
            self._guest.require_running()
            return False
        return True

    def code(self) -> int:
        """The exit code of a command that has ended."""
        return int(self._code.read_text())

    def end(self) -> None:
        """Terminate the command."""
        self._guest.ring(f"end {self._folder.name}")


class Guest:
    """A running guest. `share` is a folder of this machine that the guest can write, too."""

    def __init__(
        self, name: str, share: Path, qemu: subprocess.Popen[bytes], doorbell: socket.socket
    ) -> None:
        self.name = name
        self.share = share
        self._qemu = qemu
        self._doorbell = doorbell
        self._numbers = count()

    def start(self, command: Sequence[str], input: str = "") -> Job:
        """Start a command in the guest, in this process's folder and with its environment."""
        folder = self.share / f"job-{next(self._numbers)}"
        folder.mkdir()
        environment = [f"{name}={value}" for name, value in os.environ.items()]
        line = shlex.join(["env", "-i", f"--chdir={os.getcwd()}", *environment, *command])
        (folder / "command").write_text(f"exec {line}\n")
        (folder / "input").write_text(input)
        for stream in ("output", "error"):
            (folder / stream).touch()
        self.ring(f"run {folder.name}")
        return Job(self, folder)

    def ring(self, line: str) -> None:
        """Send a line to the guest's first process."""
        self._doorbell.sendall(f"{line}\n".encode())

    def await_boot(self) -> None:
        """Wait until the guest takes jobs; HostError if it does not within two minutes."""
        folder = self.share.parent

        def listening() -> bool:
            self.require_running()
            return self._doorbell.connect_ex(str(folder / "doorbell")) == 0

        def booted() -> bool:
            self.require_running()
            return (self.share / "ready").exists()

        wait_until(listening, 20, "qemu listens", self.output)
        wait_until(booted, _BOOT_TIMEOUT, f"the guest {self.name} boots", self.output)

    def require_running(self) -> None:
        """HostError with the console's last lines if the guest has ended."""
        if self._qemu.poll() is not None:
            raise HostError(f"the guest {self.name} ended\n{self.output()}")

    def output(self) -> str:
        """What qemu said, and the last lines of the guest's console."""
        files = (self.share.parent / "qemu", self.share.parent / "console")
        texts = [file.read_text(errors="replace") for file in files if file.exists()]
        return "\n".join("".join(texts).splitlines()[-30:])


@contextmanager
def guest(name: str = "guest", memory: int = 3072, devices: Sequence[str] = ()) -> Iterator[Guest]:
    """Boot a guest with so many MB, which lasts as long as the block; it takes commands at once.

    `devices` are further words for qemu. HostError if it does not come up.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kernel_guest")))
        share = folder / "share"
        share.mkdir()
        (share / "hostname").write_text(name)
        found = kernel()
        index_modules(found, share / "modules")
        make_initramfs(found, share / "modules", folder / "initramfs")
        (folder / "root").mkdir()
        needed = (CHECKOUT, CACHE, Path(sys.prefix), Path(sys.base_prefix), Path(os.getcwd()))
        machine = root_daemon(folder / "root.sock", folder / "root", needed)
        for command, sock in (
            (machine, folder / "root.sock"),
            (folder_daemon(folder / "share.sock", share), folder / "share.sock"),
        ):
            stack.enter_context(served(command, sock, sock.with_suffix(".log")))
        argv = _qemu(name, folder, memory, found.vmlinuz)
        qemu = subprocess.Popen(
            [*argv, *devices],
            stdin=subprocess.DEVNULL,
            stdout=(folder / "qemu").open("wb"),
            stderr=subprocess.STDOUT,
        )
        stack.callback(qemu.wait)
        stack.callback(qemu.kill)
        doorbell = stack.enter_context(socket.socket(socket.AF_UNIX))
        running = Guest(name, share, qemu, doorbell)
        running.await_boot()
        yield running


def _qemu(name: str, folder: Path, memory: int, vmlinuz: Path) -> list[str]:
    def share(tag: str, sock: str) -> list[str]:
        chardev = f"socket,id={tag},path={folder / sock}"
        device = f"vhost-user-fs-pci,chardev={tag},tag={tag}"
        return ["-chardev", chardev, "-device", device]

    return [
        "qemu-system-x86_64",
        *("-name", name, "-machine", "q35", "-nographic", "-nic", "none", "-no-reboot"),
        *_accelerator(),
        *("-smp", "2", "-m", str(memory)),
        *("-object", f"memory-backend-memfd,id=memory,size={memory}M,share=on"),
        *("-numa", "node,memdev=memory"),
        *("-monitor", "none", "-serial", f"file:{folder / 'console'}"),
        *("-serial", f"unix:{folder / 'doorbell'},server=on,wait=off"),
        *share("machine", "root.sock"),
        *share("share", "share.sock"),
        *("-kernel", str(vmlinuz), "-initrd", str(folder / "initramfs")),
        *("-append", f"{_WORDS} dvr_jobs={_JOBS}"),
    ]


def _accelerator() -> list[str]:
    flags = set(Path("/proc/cpuinfo").read_text().split())
    if os.access(_KVM, os.R_OK | os.W_OK) and flags & {"vmx", "svm"}:
        return ["-accel", "kvm", "-cpu", "host"]
    return ["-accel", "tcg,thread=multi,tb-size=1024", "-cpu", "max"]
