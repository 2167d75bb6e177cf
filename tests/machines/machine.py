"""One machine: it starts, takes commands and files by ssh, restarts and stops, as a server does.

ssh reaches it by a port of loopback, which qemu leads to the machine's eth0. Its disk is a copy of
an image's, which holds only what the machine has written.
"""

from __future__ import annotations

import re
import signal
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

from dvr_ryu.lab.wait import wait_until
from tests.machines import qemu
from tests.machines.image import Image
from tests.machines.link import Link

START = 600
"""Seconds that a machine may take until ssh answers: without KVM, and with others beside it."""
STOP = 300
_WORDS = (
    *("root=/dev/nvme0n1", "rw", "console=ttyS0", "loglevel=4", "net.ifnames=0", "panic=5"),
    *("mitigations=off", "no_timer_check", "module_blacklist=ahci", "systemd.show_status=error"),
    # What no test needs, and what would hold apt's lock when a test wants it.
    *(
        f"systemd.mask={unit}"
        for unit in (
            *("getty@tty1.service", "serial-getty@ttyS0.service", "e2scrub_reap.service"),
            *("apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer"),
        )
    ),
)
"""The kernel's command line, which systemd reads, too. The NICs are eth0, eth1, ..."""
_LOGIN = "root@localhost"
_OPTIONS = {
    "BatchMode": "yes",
    "ConnectTimeout": "5",
    "ControlMaster": "auto",
    "ControlPersist": "yes",
    "LogLevel": "ERROR",
    "ServerAliveInterval": "5",
    "StrictHostKeyChecking": "no",
    "UserKnownHostsFile": "/dev/null",
}
"""One connection serves all commands, which saves each of them the exchange of keys."""


class Machine:
    """A machine that is off until `start`. `links` are its NICs from eth1 on.

    `kernel_words` are added to the kernel's command line at the next start.
    """

    def __init__(
        self,
        name: str,
        image: Image,
        folder: Path,
        links: Sequence[Link] = (),
        memory: int = 1024,
        vcpus: int = 1,
    ) -> None:
        self.name, self.memory, self.vcpus = name, memory, vcpus
        self.kernel_words: list[str] = []
        self.console = folder / f"{name}.console"
        self._image = image
        self._backends = [link.backend(name) for link in links]
        self._disk, self._monitor, self._control = (
            folder / f"{name}.{what}" for what in ("qcow2", "monitor", "ssh")
        )
        self._qemu: subprocess.Popen[bytes] | None = None
        self._port = 0
        backing = ("-b", str(image.disk), "-F", "raw")
        subprocess.run(
            ["qemu-img", "create", "-q", "-f", "qcow2", *backing, str(self._disk)], check=True
        )

    def start(self) -> None:
        """Start the machine, and return when it takes commands; HostError if it does not."""
        self.power_on()
        self.wait_until_up()

    def power_on(self) -> None:
        """Start the machine, and do not wait for it."""
        with self.console.open("ab") as console:
            self._qemu = subprocess.Popen(
                self._command(), stdin=subprocess.DEVNULL, stdout=console, stderr=console
            )
        wait_until(self._knows_its_port, 20, f"qemu of {self.name}", self._console_end)

    def wait_until_up(self) -> None:
        """Return when the machine takes commands."""
        what = f"ssh to {self.name}"
        wait_until(lambda: self._ssh("true").returncode == 0, START, what, self._console_end)

    def run(
        self, command: str, timeout: float = 300, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Type a command, root's bash, and return it with stdout, stderr and exit code.

        With `check`, AssertionError with all of that if the exit code is not 0. After `timeout`
        seconds subprocess.TimeoutExpired; the command goes on in the machine.
        """
        done = self._ssh(command, timeout)
        if check and done.returncode:
            raise AssertionError(
                f"{self.name}# {command}\n{done.stdout}{done.stderr}exit code {done.returncode}"
            )
        return done

    def begin(self, command: str) -> subprocess.Popen[str]:
        """Type a command and do not wait for it; its stdout and stderr are one pipe, as text."""
        return subprocess.Popen(
            [*self._ssh_words("ssh"), _LOGIN, "--", command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def copy_in(self, source: Path, target: str) -> None:
        """Copy a file or a folder into the machine."""
        self._scp(str(source), f"{_LOGIN}:{target}")

    def copy_out(self, source: str, target: Path) -> None:
        """Copy a file or a folder out of the machine."""
        self._scp(f"{_LOGIN}:{source}", str(target))

    def ssh_config(self) -> str:
        """Return the lines of an ssh_config by which ssh and scp find the running machine."""
        options = {
            **_OPTIONS,
            "HostName": "localhost",
            "Port": str(self._port),
            "User": "root",
            "IdentityFile": str(self._image.key),
            "ControlMaster": "no",
        }
        return f"Host {self.name}\n" + "".join(f"  {key} {to}\n" for key, to in options.items())

    def reboot(self) -> None:
        """Type ``systemctl reboot``, and return when the machine takes commands again."""
        before = self._boot()
        self._ssh("systemctl reboot")
        self._leave()
        wait_until(
            lambda: self._boot() not in ("", before), START, f"{self.name} anew", self._console_end
        )

    def stop(self, hard: bool = False) -> None:
        """Shut the machine down, or cut its power, and return when it is off. Its disk stays."""
        if self._qemu is None:
            return
        if hard:
            self._qemu.send_signal(signal.SIGKILL)
        else:
            self._ssh("systemctl poweroff")
        self._leave()
        self._qemu.wait(STOP)
        self._qemu = None

    def _command(self) -> list[str]:
        words = [*_WORDS, f"systemd.hostname={self.name}", *self.kernel_words]
        networks = ["user,hostfwd=tcp:127.0.0.1:0-:22", *self._backends]
        return qemu.command(
            self.name,
            self._image.kernel,
            words,
            self.memory,
            self.vcpus,
            *("-monitor", f"unix:{self._monitor},server=on,wait=off"),
            *qemu.disk(self._disk),
            *(
                word
                for number, backend in enumerate(networks)
                for word in qemu.nic(self.name, number, backend)
            ),
        )

    def _knows_its_port(self) -> bool:
        """Ask qemu for the port that the system chose for it on loopback."""
        try:
            with socket.socket(socket.AF_UNIX) as monitor:
                monitor.settimeout(5)
                monitor.connect(str(self._monitor))
                monitor.sendall(b"info usernet\n")
                answer = b""
                while b"22" not in answer and (read := monitor.recv(4096)):
                    answer += read
        except OSError:
            return False
        found = re.search(rb"HOST_FORWARD\S+\s+\d+\s+127\.0\.0\.1\s+(\d+)", answer)
        self._port = int(found[1]) if found else 0
        return found is not None

    def _boot(self) -> str:
        return self._ssh("cat /proc/sys/kernel/random/boot_id").stdout.strip()

    def _ssh_words(self, program: str) -> list[str]:
        options = {**_OPTIONS, "ControlPath": str(self._control), "Port": str(self._port)}
        return [
            program,
            *("-F", "none", "-i", str(self._image.key)),
            *(word for name, value in options.items() for word in ("-o", f"{name}={value}")),
        ]

    def _ssh(self, command: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self._ssh_words("ssh"), _LOGIN, "--", command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
        )

    def _leave(self) -> None:
        """End the connection that commands share: the machine's end of it is gone."""
        leave = [*self._ssh_words("ssh"), "-O", "exit", _LOGIN]
        subprocess.run(leave, capture_output=True)

    def _scp(self, source: str, target: str) -> None:
        copy = [*self._ssh_words("scp"), "-q", "-r", source, target]
        done = subprocess.run(copy, capture_output=True, text=True)
        assert done.returncode == 0, f"{' '.join(copy)}\n{done.stderr}"

    def _console_end(self) -> str:
        return self.console.read_text(errors="replace")[-2000:]
