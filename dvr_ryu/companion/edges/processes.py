"""Programs that run in namespaces: started, found by their pid files, ended.

A pid is believed only if /proc shows the very words and the very namespace; ours are those only.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from dvr_ryu.companion.edges import namespaces
from dvr_ryu.companion.edges.commands import require
from dvr_ryu.companion.edges.namespaces import NETNS, inside
from dvr_ryu.companion.facts.instances import DHCP_SCRIPT
from dvr_ryu.companion.facts.kinds import RUN_DIRECTORY, Process, device_key, leases_file, pid_file
from dvr_ryu.errors import HostError

PIDS = Path(RUN_DIRECTORY, "processes")
SCRIPT = Path(__file__).parent.parent / DHCP_SCRIPT
OWN = ".own"
"""Ends the name of the pid file that a client writes itself: by that it is found if we were killed
after its start and before we wrote ours."""
PLACE = "NETNS"
"""The variable that tells the clients' script in which namespace it is."""
GRACE = 2.0
"""Seconds that a program has to end of its own accord."""
AT_ONCE = 8
"""How many programs are started at a time: each keeps us waiting while it starts."""
DAEMONS = ("dnsmasq",)
"""These go to the background by themselves, once they serve; others stay as they are."""

_children: list[subprocess.Popen[bytes]] = []
"""What we started and must be asked for when it ends, or it stays as a zombie."""


def read() -> Iterator[Process]:
    """Yield what should run as far as pid files say; one that does not run has no words."""
    reap()
    if not PIDS.is_dir():
        return
    names = {os.stat(f"{NETNS}/{fact.name}").st_ino: fact.name for fact in namespaces.read()}
    files = {file.removesuffix(OWN) for file in os.listdir(PIDS)}
    for name in sorted(file.removesuffix(".pid") for file in files if file.endswith(".pid")):
        pid = _pid(name)
        argv = _argv(pid)
        namespace = _namespace(pid, names)
        yield Process(name, namespace, argv, device_key(namespace, _device(argv)))


def _device(argv: Sequence[str]) -> str:
    """The device that a program's words name, as dnsmasq and udhcpc are told theirs."""
    for word, following in pairwise(argv):
        if word.startswith("--interface="):
            return word.removeprefix("--interface=")
        if word == "-i":
            return following
    return ""


def make(facts: Sequence[Process]) -> None:
    """Start programs; what runs under the same name with other words is ended first."""
    PIDS.mkdir(parents=True, exist_ok=True)
    Path(leases_file("")).parent.mkdir(parents=True, exist_ok=True)
    unmake(facts)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(_start, facts))


def _start(fact: Process) -> None:
    argv = [require(fact.argv[0]), *with_script(fact.argv[1:])]
    null = subprocess.DEVNULL
    if fact.argv[0] in DAEMONS:
        with inside(fact.namespace):
            done = subprocess.run(argv, stdin=null, stdout=null, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise HostError(f"{fact.name} does not start: {done.stderr.strip()}")
        return
    known = {**os.environ, PLACE: fact.namespace}
    with inside(fact.namespace):
        child = subprocess.Popen(
            argv, stdin=null, stdout=null, stderr=null, start_new_session=True, env=known
        )
    _children.append(child)
    Path(pid_file(fact.name)).write_text(f"{child.pid}\n")


def with_script(argv: Sequence[str]) -> list[str]:
    """Words in which the path of the clients' script is, instead of what stands for it."""
    return [str(SCRIPT) if word == DHCP_SCRIPT else word for word in argv]


def unmake(facts: Sequence[Process]) -> None:
    """End programs: all are asked, then all are waited for, and who does not end is killed."""
    pids = [_pid(fact.name) for fact in facts]
    running = {pid: os.pidfd_open(pid) for pid in pids if _argv(pid)}
    for watched in running.values():
        signal.pidfd_send_signal(watched, signal.SIGTERM)
    deadline = time.monotonic() + GRACE
    for watched in running.values():
        if not select.select([watched], [], [], max(0.0, deadline - time.monotonic()))[0]:
            signal.pidfd_send_signal(watched, signal.SIGKILL)
            select.select([watched], [], [])
        os.close(watched)
    for fact in facts:
        for end in ("", OWN):
            Path(f"{pid_file(fact.name)}{end}").unlink(missing_ok=True)
    reap()


def tell(name: str) -> None:
    """Tell a program to read its files again, if it runs."""
    pid = _pid(name)
    if _argv(pid):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGHUP)


def reap() -> None:
    """Let go of children that have ended."""
    _children[:] = [child for child in _children if child.poll() is None]


def _pid(name: str) -> int:
    """The number in a program's pid file, or in that which it wrote itself; 0 if there is none."""
    for path in (pid_file(name), f"{pid_file(name)}{OWN}"):
        with suppress(FileNotFoundError, ValueError), open(path) as file:
            return int(file.read())
    return 0


def _argv(pid: int) -> tuple[str, ...]:
    """A process's words as our facts have them; none if it is gone, or is not ours."""
    if not pid:
        return ()
    try:
        with open(f"/proc/{pid}/cmdline", errors="replace") as file:
            words = file.read().split("\0")[:-1]
    except (FileNotFoundError, ProcessLookupError):
        return ()
    if not any(str(PIDS) in word for word in words):
        return ()
    words[0] = os.path.basename(words[0])
    return tuple(DHCP_SCRIPT if word == str(SCRIPT) else word for word in words)


def _namespace(pid: int, names: Mapping[int, str]) -> str:
    """The name of the namespace in which a process is; none if it is gone, or where has no name."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return names.get(os.stat(f"/proc/{pid}/ns/net").st_ino, "")
    return ""
