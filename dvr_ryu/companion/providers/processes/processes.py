"""Start the programs that run in namespaces, find them by their argv, and end them.

Ours are those whose argv names a pid file in our folder. So the companion finds them even if it was
killed before it recorded them, and ignores a pid file whose number is another process's now.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

from dvr_ryu.companion.paths import RUN_DIRECTORY
from dvr_ryu.companion.providers import notes
from dvr_ryu.companion.providers.commands import require
from dvr_ryu.companion.providers.netlink.namespaces import NETNS, inside
from dvr_ryu.companion.providers.processes import machines
from dvr_ryu.companion.providers.provider import Look, Provider
from dvr_ryu.companion.resources.device import device_key
from dvr_ryu.companion.resources.dhcp.files import DHCP_DIRECTORY
from dvr_ryu.companion.resources.namespace import Namespace
from dvr_ryu.companion.resources.process import (
    DAEMONS,
    DHCP_SCRIPT,
    DHCP_SCRIPT_PATH,
    NAMESPACE_VARIABLE,
    NOTES,
    Process,
    pid_file,
    with_script_path,
)
from dvr_ryu.companion.resources.virtual_machine import (
    QEMU,
    VirtualMachine,
    first_tap,
    process_name,
    without_incoming,
)
from dvr_ryu.errors import HostError

PIDS = Path(NOTES)
ENDING = Path(RUN_DIRECTORY, "ending")
"""The names of programs that are being ended: they may still run for a moment."""
END = ".pid"
GRACE = 2.0
"""Seconds within which a program must end of its own accord."""
AT_ONCE = 4
"""The number of programs started at a time: we wait for each while it starts, and it takes the
processor from Open vSwitch, which makes ports meanwhile."""
ENDED_AT_ONCE = 256
"""The number of programs waited for at a time: each takes a file descriptor meanwhile."""
Running: TypeAlias = "tuple[int, tuple[str, ...]]"
"""The number of a process, and its argv."""

_seen: dict[str, list[int]] = {}
"""Name → the processes of that name at the last look at the host, and those started since. A look
at all processes takes longer the more of them there are."""
_children: list[subprocess.Popen[bytes]] = []
"""The processes that we started: each stays as a zombie until we reap it."""


class Processes(Provider):
    """The provider of programs that run on."""

    kinds = (Process, VirtualMachine)

    def read(self, look: Look) -> Sequence[Process]:
        """Return the programs that run, and without argv those that only a pid file names."""
        return list(_read(look.found(Namespace)))

    def make(self, resources: Sequence[Process]) -> None:
        """Start programs; one that runs under the same name with another argv is ended first.

        A DHCP client whose successor asks for the same address is killed, so that it does not
        release that.
        """
        notes.folder(PIDS)
        notes.folder(Path(DHCP_DIRECTORY))
        for resource in resources:
            for pid in _known(resource.name):
                if (asked := _requested(resource.argv)) and asked == _requested(_argv(pid)):
                    _kill(pid)
        self.remove(resources)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(_start, resources))

    def remove(self, resources: Sequence[Process]) -> None:
        """End programs, and forget their pid notes."""
        _end_all([resource.name for resource in resources])


def _read(namespaces: Iterable[Namespace]) -> Iterator[Process]:
    """Yield the programs that run, and without argv those that only a pid file names."""
    reap()
    if not PIDS.is_dir():
        return
    names = {os.stat(f"{NETNS}/{resource.name}").st_ino: resource.name for resource in namespaces}
    running = _running()
    _seen.clear()
    _seen.update((name, [pid for pid, _ in processes]) for name, processes in running.items())
    noted = {file.removesuffix(END) for file in notes.names(PIDS) if file.endswith(END)}
    for name in sorted(noted | running.keys()):
        # Two processes of one name are one too many: no argv is that of both.
        pid, argv = running[name][0] if len(running.get(name, ())) == 1 else (0, ())
        namespace = _namespace(pid, names)
        kind = VirtualMachine if name.startswith(process_name("")) else Process
        yield kind(name, namespace, argv, device_key(namespace, _device(argv)))


def _running() -> dict[str, list[Running]]:
    """Every program of ours that runs on this host, by its name."""
    found: dict[str, list[Running]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (argv := _argv(int(entry))) and _is_here(entry):
            found.setdefault(_name(argv), []).append((int(entry), argv))
    return {name: _without_children(processes) for name, processes in found.items()}


def _is_here(pid: str) -> bool:
    """Whether a process belongs to this host; a lab host on this machine has a run directory of its
    own."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return os.stat(f"/proc/{pid}/ns/pid").st_ino == os.stat("/proc/self/ns/pid").st_ino
    return False


def _without_children(processes: list[Running]) -> list[Running]:
    """The processes that no other of them has started: a program that forks shows twice for a
    moment."""
    if len(processes) == 1:
        return processes
    pids = {pid for pid, _ in processes}
    return [(pid, argv) for pid, argv in processes if _parent(pid) not in pids]


def _parent(pid: int) -> int:
    with suppress(FileNotFoundError, ProcessLookupError):
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
        return int(stat.rpartition(")")[2].split()[1])
    return 0


def _device(argv: Sequence[str]) -> str:
    """The device that an argv names, in the options of dnsmasq, udhcpc and qemu."""
    if argv[:1] == (QEMU,):
        return first_tap(argv)
    for word, following in pairwise(argv):
        if word.startswith("--interface="):
            return word.removeprefix("--interface=")
        if word == "-i":
            return following
    return ""


def _requested(argv: Sequence[str]) -> str:
    """The address that a DHCP client's argv asks for; none if it is another program's."""
    return next((following for word, following in pairwise(argv) if word == "-r"), "")


def _start(resource: Process) -> None:
    if isinstance(resource, VirtualMachine):
        machines.prepare(resource)
    argv = [require(resource.argv[0]), *with_script_path(resource.argv[1:])]
    null = subprocess.DEVNULL
    if resource.argv[0] in DAEMONS:
        with inside(resource.namespace):
            done = subprocess.run(argv, stdin=null, stdout=null, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise HostError(f"{resource.name} does not start: {done.stderr.strip()}")
        return
    known = {**os.environ, NAMESPACE_VARIABLE: resource.namespace}
    with inside(resource.namespace):
        child = subprocess.Popen(
            argv, stdin=null, stdout=null, stderr=null, start_new_session=True, env=known
        )
    _children.append(child)
    _seen.setdefault(resource.name, []).append(child.pid)
    # The kernel shows a process's argv a moment later than the process.
    while not _argv(child.pid) and child.poll() is None:
        time.sleep(0.001)


def tidy() -> None:
    """End the programs that a killed companion had begun to end; otherwise they would count as
    running."""
    end((notes.text(ENDING) or "").splitlines())
    notes.remove(ENDING)


def end(names: Sequence[str]) -> None:
    """End programs that another companion may have started."""
    if names:
        _seen.update((name, [pid for pid, _ in each]) for name, each in _running().items())
        _end_all(names)


def _end_all(names: Sequence[str]) -> None:
    pids = [pid for name in names for pid in _known(name)]
    if pids:
        notes.replace(ENDING, "".join(f"{name}\n" for name in names))
    for first in range(0, len(pids), ENDED_AT_ONCE):
        _end(pids[first : first + ENDED_AT_ONCE])
    for name in names:
        notes.remove(Path(pid_file(name)))
        if name.startswith(process_name("")):
            machines.forget(name.removeprefix(process_name("")))
    notes.remove(ENDING)
    reap()


def _end(pids: Sequence[int]) -> None:
    """End processes: ask all, wait for all, and kill those that do not end."""
    watched: list[int] = []
    try:
        for pid in pids:
            with suppress(ProcessLookupError):
                watched.append(os.pidfd_open(pid))
                signal.pidfd_send_signal(watched[-1], signal.SIGTERM)
        deadline = time.monotonic() + GRACE
        for descriptor in watched:
            if not _has_ended(descriptor, max(0.0, deadline - time.monotonic())):
                with suppress(ProcessLookupError):
                    signal.pidfd_send_signal(descriptor, signal.SIGKILL)
                _has_ended(descriptor)
    finally:
        for descriptor in watched:
            os.close(descriptor)


def _kill(pid: int) -> None:
    """Kill a process, and wait for its end."""
    with suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        try:
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            _has_ended(descriptor)
        finally:
            os.close(descriptor)


def _has_ended(descriptor: int, seconds: float | None = None) -> bool:
    """Wait for the end of a process, at most for `seconds`. It avoids select, which takes no
    descriptor above 1023.
    """
    wait = select.poll()
    wait.register(descriptor, select.POLLIN)
    return bool(wait.poll(None if seconds is None else 1000 * seconds))


def signal_to(name: str, number: signal.Signals = signal.SIGHUP) -> None:
    """Send a program a signal, if it runs: SIGHUP, to read its files again."""
    for pid in _known(name):
        with suppress(ProcessLookupError):
            if _listens(pid, number):
                os.kill(pid, number)


def _known(name: str) -> list[int]:
    """The processes of a program: those seen, or named by its pid file, that still are that
    program."""
    pids = [*_seen.get(name, ())]
    with suppress(ValueError):  # the program is still writing it, or never will
        pids.append(int(notes.text(Path(pid_file(name))) or ""))
    return [pid for pid in dict.fromkeys(pids) if _name(_argv(pid)) == name]


def _listens(pid: int, number: signal.Signals) -> bool:
    """Whether a process handles a signal; one that has just begun has yet to read its files."""
    with suppress(FileNotFoundError), open(f"/proc/{pid}/status") as file:
        caught = next(line.split()[1] for line in file if line.startswith("SigCgt"))
        return bool(int(caught, 16) >> (number - 1) & 1)
    return False


def reap() -> None:
    """Reap children that have ended."""
    _children[:] = [child for child in _children if child.poll() is None]


def _argv(pid: int) -> tuple[str, ...]:
    """A process's argv as our resources have it; empty if it is gone, or is not ours."""
    try:
        with open(f"/proc/{pid}/cmdline", errors="replace") as file:
            argv = file.read().split("\0")[:-1]
    except (FileNotFoundError, ProcessLookupError):
        return ()
    if not _name(argv):
        return ()
    argv[0] = os.path.basename(argv[0])
    known = (DHCP_SCRIPT if each == DHCP_SCRIPT_PATH else each for each in argv)
    return without_incoming(tuple(known))


def _name(argv: Sequence[str]) -> str:
    """The name of the program that has this argv; none if it is not ours.

    A program that looks at a pid file names it, too, but not by these options.
    """
    for option, word in pairwise(argv):
        by_word = option in ("-p", "-pidfile")
        path = word if by_word else word.removeprefix("--pid-file=")
        if (path != word or by_word) and path.startswith(f"{PIDS}/"):
            return path.removeprefix(f"{PIDS}/").removesuffix(END)
    return ""


def _namespace(pid: int, names: Mapping[int, str]) -> str:
    """The name of a process's namespace; none if the process is gone or the namespace has no
    name."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return names.get(os.stat(f"/proc/{pid}/ns/net").st_ino, "")
    return ""
