"""Starts, enters and ends a lab host: a process tree with its own network, mounts, name and pids.

It does not know the purpose of a host. Other files use it to make the underlay, Open vSwitch and
the services of the lab.
"""

from __future__ import annotations

import json
import os
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from dvr_ryu.companion.resources.namespace import instance_of
from dvr_ryu.companion.resources.virtual_machine import folder_of
from dvr_ryu.errors import HostError
from dvr_ryu.lab.hosts.init import RUNS_ALREADY, SERVICES, SOCKET
from dvr_ryu.lab.hosts.process import Process
from dvr_ryu.lab.wait import timeout_here

MARKER = "DVR_LAB"
"""An environment variable of a host's first processes: the state folder of their lab."""

GUEST_PYTHON = "python3"
_CLIENT = str(Path(__file__).parents[1] / "guests/client.py")
_INIT = str(Path(__file__).with_name("init.py"))
_SBIN = ("/usr/local/sbin", "/usr/sbin", "/sbin")
_NAMESPACES = ("--mount", "--uts", "--net", "--pid")


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a command in a host: this process's, with root's PATH, and `extra`."""
    path = os.environ.get("PATH", "/usr/local/bin:/usr/bin:/bin").split(":")
    path += [folder for folder in _SBIN if folder not in path]
    return {**os.environ, "PATH": ":".join(path), **(extra or {})}


@frozen
class LabHost:
    """A running lab host. It ends when its first process, `init`, ends."""

    name: str
    init: Process

    @classmethod
    def start(cls, name: str, lab: str) -> LabHost:
        """Make the host `name` of the lab with state folder `lab`; it can then be entered.

        setsid detaches the host, so it outlives this process. HostError if the machine refuses.
        """
        unshare = ["unshare", *_NAMESPACES, "--fork", "--kill-child", "--propagation", "private"]
        with subprocess.Popen(
            ["setsid", "--fork", *unshare, sys.executable, "-I", "-S", _INIT, name],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=environment({MARKER: lab}),
            text=True,
        ) as process:
            assert process.stdout
            line = process.stdout.readline()
            if not line.strip().isdigit():
                raise HostError(
                    f"cannot make the lab host {name}: {line}{process.stdout.read()}".rstrip()
                )
        return cls(name, Process.of(int(line)))

    def stop(self) -> None:
        """End the host and all its processes; nothing happens if it has ended."""
        self.init.kill()

    def path(self, path: str) -> Path:
        """The path by which the machine finds the host's absolute `path`."""
        return Path(f"/proc/{self.init.pid}/root{path}")

    def enter(self, command: Sequence[str], namespace: str | None = None) -> list[str]:
        """The command line that runs `command` in the host, or in one of its network namespaces;
        an instance's is the virtual machine, if it is one. There another Python stands for ours.

        The command ends when nsenter ends, for any reason. It starts in the current folder of this
        process, if the host has that folder.
        """
        argv = self._nsenter()
        if self.path(os.getcwd()).is_dir():
            argv += ["env", f"--chdir={os.getcwd()}"]
        argv += ["setpriv", "--pdeathsig=KILL", "--"]
        if namespace is None:
            return [*argv, *command]
        if self._is_machine(namespace):
            inside = [GUEST_PYTHON if each == sys.executable else each for each in command]
            return [
                *argv,
                sys.executable,
                "-I",
                "-S",
                _CLIENT,
                folder_of(instance_of(namespace)),
                *inside,
            ]
        return [*argv, "ip", "netns", "exec", namespace, *command]

    def has(self, namespace: str) -> bool:
        """Whether the host has a namespace, or the virtual machine that is an instance's."""
        return self.path(f"/run/netns/{namespace}").exists() or self._is_machine(namespace)

    def _is_machine(self, namespace: str) -> bool:
        instance = instance_of(namespace)
        return bool(instance) and self.path(folder_of(instance)).is_dir()

    def run(
        self,
        command: Sequence[str],
        *,
        namespace: str | None = None,
        check: bool = True,
        timeout: float = 60,
        input: str = "",
    ) -> subprocess.CompletedProcess[str]:
        """Run `command` in the host and capture its output.

        HostError if it takes longer than `timeout` seconds, or if it fails and `check` is set.
        """
        title = f"{self.name}: {shlex.join(command)}"
        timeout = timeout_here(timeout)
        try:
            result = subprocess.run(
                self.enter(command, namespace),
                env=environment(),
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout,
                input=input,
            )
        except subprocess.TimeoutExpired:
            raise HostError(f"{title}: did not end within {timeout:g} s") from None
        if check and result.returncode:
            raise HostError(
                f"{title}: ended with {result.returncode}\n{result.stdout}{result.stderr}".rstrip()
            )
        return result

    @contextmanager
    def running(
        self,
        command: Sequence[str],
        namespace: str | None = None,
        stderr: int = subprocess.DEVNULL,
    ) -> Iterator[subprocess.Popen[str]]:
        """Run `command` for as long as the block lasts; its output is a pipe."""
        with subprocess.Popen(
            self.enter(command, namespace),
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            errors="replace",
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def start_service(
        self,
        service: str,
        command: Sequence[str],
        log: Path,
        extra: Mapping[str, str],
        listens: tuple[str, socket.socket] | None = None,
    ) -> bool:
        """Start a service that writes to `log`; `init` restarts it whenever it fails. By `listens`
        it inherits a socket, and finds "fd:N" at the end of an environment variable; so do its
        later starts.

        Return False if it already runs; HostError if it cannot be started.
        """
        request = {"name": service, "command": [*command], "environment": environment(extra)}
        request["variable"] = listens[0] if listens else ""
        with log.open("ab") as output, socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as init:
            init.connect(str(self.path(SOCKET)))
            descriptors = [output.fileno(), *([listens[1].fileno()] if listens else [])]
            socket.send_fds(init, [json.dumps(request).encode()], descriptors)
            answer = init.recv(4096).strip(b"\0").decode()
        if answer not in ("", RUNS_ALREADY):
            raise HostError(f"{self.name}: cannot start the {service}: {answer}")
        return not answer

    def service_pid(self, service: str) -> int | None:
        """The pid of a running service, in the host's pid namespace; None if it does not run."""
        pid, _ = self._service(service)
        return pid if pid and self.path(f"/proc/{pid}").is_dir() else None

    def service_starts(self, service: str) -> int:
        """The number of starts of a running service: more than one if it failed meanwhile."""
        _, starts = self._service(service)
        return starts

    def _service(self, service: str) -> tuple[int, int]:
        try:
            pid, starts = self.path(f"{SERVICES}/{service}.pid").read_text().split()
            return int(pid), int(starts)
        except (OSError, ValueError):  # it does not run, or its file is unreadable
            return 0, 0

    def _nsenter(self) -> list[str]:
        return ["nsenter", f"--target={self.init.pid}", "--root", *_NAMESPACES, "--"]
