"""The first process of a lab host: it makes the host's own mounts, then keeps its services running.

It is the lab's systemd. It restarts a service that fails, does not restart one that ends normally,
and reaps orphans. When it ends, the kernel ends all processes of the host. It runs as a file, in
namespaces that unshare(1) has just made (net, mount, uts, pid). It imports only Python's own
modules, so that a host starts quickly.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime

RUN = "/run"
"""Named namespaces, sockets, pid files, iptables' lock."""
PRIVATE_FOLDERS = (
    RUN,
    "/etc/netns",  # files that `ip netns exec` shows in /etc
    "/etc/openvswitch",
    "/var/lib/openvswitch",
    "/var/log/openvswitch",
    "/var/lib/misc",  # dnsmasq's leases, by default
)
"""Folders that two hosts must not share. Each is empty at first and ends with the host."""

SERVICES = "/run/dvr_lab"
SOCKET = f"{SERVICES}/init.sock"
"""The socket that takes a service as JSON, together with the descriptor of its log."""
MAX_BYTES = 1 << 17
RUNS_ALREADY = "it runs already"
"""The answer if the service runs, so that nothing was done."""
STOP_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE)
"""Signals that end a service for good, as systemd's Restart=on-failure has it."""
PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Seconds before the restart of a service: the n-th, if it failed n times, each soon after its
start. init never gives up, like systemd with StartLimitIntervalSec=0."""
SOON = 10.0
"""A service fails soon if it ends within so many seconds after its start."""


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def make_private() -> None:
    """Give the host /proc and /sys of its own namespaces, and empty private folders."""
    _mount("-t", "proc", "proc", "/proc")
    _mount("-t", "sysfs", "sysfs", "/sys")
    for folder in PRIVATE_FOLDERS:
        if os.path.isdir(folder):
            _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", folder)
        if folder == RUN:
            _layer_etc()
    for folder in ("/run/lock", "/run/openvswitch", SERVICES):
        os.mkdir(folder)
    # A full or read-only /run must not prevent the restart of services.
    _mount("-t", "tmpfs", "-o", "mode=755,size=1m", "tmpfs", SERVICES)
    _keep_resolv_conf()


def _layer_etc() -> None:
    """Mount an overlay on /etc for the host's own files, such as /etc/netns, which the machine may
    lack. On a kernel without overlays the host shares the machine's /etc.

    Files that are mounted below /etc, such as a container's /etc/hosts, are mounted again on top.
    """
    upper, work = f"{RUN}/etc/upper", f"{RUN}/etc/work"
    os.makedirs(upper)
    os.makedirs(work)
    mount_points = _mounted_below("/etc/")
    descriptors = [os.open(mount_point, os.O_PATH) for mount_point in mount_points]
    layers = f"lowerdir=/etc,upperdir={upper},workdir={work}"
    command = ["mount", "-t", "overlay", "-o", layers, "overlay", "/etc"]
    if subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 0:
        for mount_point, descriptor in zip(mount_points, descriptors, strict=True):
            _mount(
                "--no-canonicalize", "--bind", f"/proc/{os.getpid()}/fd/{descriptor}", mount_point
            )
        os.makedirs("/etc/netns", exist_ok=True)
        if not os.path.exists("/etc/resolv.conf"):
            # It may be a link into the machine's /run.
            with contextlib.suppress(FileNotFoundError):
                os.unlink("/etc/resolv.conf")
            with open("/etc/resolv.conf", "x"):
                pass
    for descriptor in descriptors:
        os.close(descriptor)


def _mounted_below(folder: str) -> list[str]:
    with open("/proc/self/mountinfo") as lines:
        mount_points = (line.split()[4] for line in lines)
        return sorted(
            {mount_point for mount_point in mount_points if mount_point.startswith(folder)}
        )


def _keep_resolv_conf() -> None:
    """Bind a copy to /etc/resolv.conf: DHCP clients of the host write name servers there."""
    if os.path.exists("/etc/resolv.conf"):
        with open("/run/resolv.conf", "x"):
            _mount("--bind", "/run/resolv.conf", "/etc/resolv.conf")


class Output:
    """A pipe from a program to its log, which gets the local time before each line."""

    def __init__(self, log: int) -> None:
        self.reader, self.writer = os.pipe()
        os.set_blocking(self.reader, False)
        self._log = os.dup(log)
        self._rest = b""

    def pass_on(self) -> bool:
        """Write the data that has arrived to the log; return whether more may arrive."""
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self.reader, MAX_BYTES):
                *lines, self._rest = (self._rest + data).split(b"\n")
                if len(self._rest) > MAX_BYTES:  # the line is too long to wait for its end
                    lines, self._rest = [*lines, self._rest], b""
                write(self._log, lines)
            return False
        return True

    def close(self) -> None:
        """Write a last line without an end, then close pipe and log."""
        if self._rest:
            write(self._log, [self._rest])
        os.close(self.reader)
        os.close(self._log)


def write(log: int, lines: list[bytes]) -> None:
    """Write lines with the time; drop them if the disk of the log is full."""
    now = datetime.now().isoformat(timespec="milliseconds").encode()
    with contextlib.suppress(OSError):
        os.write(log, b"".join(b"%s %s\n" % (now, line) for line in lines))


class Service:
    """A program that init keeps running. Its pid file exists while it runs."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str], log: int):
        self.name = name
        self.pid = 0
        self._starts = 0
        self._started = 0.0
        self._failures = 0
        """The number of its early failures in a row."""
        self._command = command
        self._environment = environment
        self._log = log
        self._variable = ""
        self._listens: int | None = None
        self._pid_file = f"{SERVICES}/{name}.pid"

    def inherit(self, variable: str, listens: int) -> None:
        """Let it inherit a socket: add "fd:N" to this environment variable, behind a comma."""
        before = self._environment.get(variable)
        self._environment[variable] = ",".join(filter(None, [before, f"fd:{listens}"]))
        self._variable, self._listens = variable, listens

    def succeed(self, before: Service) -> None:
        """Take the place of an ended service of this name, and its socket unless it has one."""
        if self._listens is None and before._listens is not None:
            self.inherit(before._variable, before._listens)
            before._listens = None
        before.forget()

    def start(self) -> Output:
        """Start it, and note its pid and how often it was started; OSError if it cannot be started.

        Return its output, which the caller has to pass on to the log.
        """
        self._starts += 1
        self._started = time.monotonic()
        output = Output(self._log)
        try:
            child = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=output.writer,
                stderr=output.writer,
                cwd="/",
                env=self._environment,
                start_new_session=True,
                pass_fds=() if self._listens is None else (self._listens,),
            )
        except OSError:
            output.close()
            raise
        finally:
            os.close(output.writer)
        self.pid = child.pid
        child.returncode = 0  # ServiceManager reaps it, not subprocess
        with open(f"{self._pid_file}.new", "w") as file:
            file.write(f"{self.pid} {self._starts}\n")
        os.replace(f"{self._pid_file}.new", self._pid_file)
        return output

    def ended(self, status: int) -> float | None:
        """Note its end; return the seconds until its restart, or None if it is not restarted."""
        self.pid = 0
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._pid_file)
        code = os.waitstatus_to_exitcode(status)
        if code == 0 or -code in STOP_SIGNALS:
            return None
        return self.failed(
            f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        )

    def failed(self, how: str) -> float:
        """Log how it failed; return the seconds until its restart."""
        soon = time.monotonic() < self._started + SOON
        self._failures = self._failures + 1 if soon else 1
        pause = PAUSES[min(self._failures, len(PAUSES)) - 1]
        self._log_line(f"{how}; it starts again in {pause:g} s")
        return pause

    def _log_line(self, text: str) -> None:
        """Write a line to its log."""
        write(self._log, [f"the {self.name} {text}".encode()])

    def forget(self) -> None:
        """Close its log and its socket."""
        os.close(self._log)
        if self._listens is not None:
            os.close(self._listens)


class ServiceManager:
    """Starts services on request, through its socket, and restarts those that fail."""

    def __init__(self) -> None:
        self._services: dict[str, Service] = {}
        self._due: dict[str, float] = {}
        """Service → the time of its restart."""
        self._selector = selectors.DefaultSelector()
        os.makedirs(SERVICES, exist_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(SOCKET)
        self._listener.listen()
        self._signals, self._wakeup = socket.socketpair()
        self._wakeup.setblocking(False)
        signal.set_wakeup_fd(self._wakeup.fileno())
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, lambda *_: None)

    def run(self) -> None:
        """Keep the host running until SIGTERM."""
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._signals, selectors.EVENT_READ)
        while True:
            pause = min(self._due.values(), default=None)
            ready = self._selector.select(None if pause is None else pause - time.monotonic())
            for key, _ in ready:
                if key.fileobj is self._listener:
                    with contextlib.suppress(OSError):  # the client has closed its end
                        self._serve()
                elif isinstance(key.data, Output):
                    self._pass_on(key.data)
                elif signal.SIGTERM in self._signals.recv(4096):
                    return
            self._reap()
            self._start_again()

    def _listen(self, output: Output) -> None:
        self._selector.register(output.reader, selectors.EVENT_READ, output)

    def _pass_on(self, output: Output) -> None:
        if not output.pass_on():
            self._selector.unregister(output.reader)
            output.close()

    def _serve(self) -> None:
        """Serve one connection; the answer is the error, or empty."""
        connection, _ = self._listener.accept()
        with connection:
            request, descriptors, _, _ = socket.recv_fds(connection, MAX_BYTES, 2)
            answer = ""
            try:
                document = json.loads(request)
                variable = document.pop("variable")
                service = Service(**document, log=descriptors[0])
                for listens in descriptors[1:]:
                    service.inherit(variable, listens)
                self._start(service)
            except (OSError, ValueError, TypeError, LookupError) as error:
                answer = str(error) or repr(error)
            connection.send(answer.encode() or b"\0")

    def _start(self, service: Service) -> None:
        before = self._services.get(service.name)
        if before and before.pid:
            service.forget()
            raise ValueError(RUNS_ALREADY)
        if before:
            self._due.pop(service.name, None)
            service.succeed(before)
        self._services[service.name] = service
        self._listen(service.start())

    def _reap(self) -> None:
        for pid, status in _ended_children():
            # Its last output goes into the log before the line about its end.
            for key in [*self._selector.get_map().values()]:
                if isinstance(key.data, Output):
                    self._pass_on(key.data)
            for service in self._services.values():
                if service.pid == pid and (pause := service.ended(status)) is not None:
                    self._due[service.name] = time.monotonic() + pause

    def _start_again(self) -> None:
        for name in [name for name, due in self._due.items() if due <= time.monotonic()]:
            del self._due[name]
            try:
                self._listen(self._services[name].start())
            except OSError as error:
                pause = self._services[name].failed(f"cannot be started: {error.strerror}")
                self._due[name] = time.monotonic() + pause


def _ended_children() -> Iterator[tuple[int, int]]:
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG)) != (0, 0):
            yield ended


def main(hostname: str) -> None:
    """Become the host `hostname`; when it is ready, print its pid in the machine's namespace."""
    pid_outside = os.readlink("/proc/self")  # the machine's /proc, until ours covers it
    make_private()
    socket.sethostname(hostname)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    manager = ServiceManager()
    print(pid_outside, flush=True)
    null = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(null, stream)
    manager.run()


if __name__ == "__main__":
    main(sys.argv[1])
