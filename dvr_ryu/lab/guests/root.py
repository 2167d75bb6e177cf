"""Builds the root that guests of qemu have in memory, as an archive of cpio.

Beside busybox the root has this machine's shell, ip, ping, arping and Python: so commands, probes
and the DHCP clients' script are in a guest what they are in a namespace.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from dvr_ryu.companion.resources.process import DHCP_SCRIPT_PATH
from dvr_ryu.lab.guests import modules
from dvr_ryu.lab.guests.cpio import File, Link, archive
from dvr_ryu.lab.guests.debian_kernel import Kernel
from dvr_ryu.lab.guests.elf import shortened
from dvr_ryu.lab.guests.programs import compiled, path_of, python_files, with_libraries

MODULES = ("virtio_pci", "virtio_net", "virtio_console")
BUSYBOX, SHELL = "busybox", "dash"
PROGRAMS = ("arping", "flock", "ip", "ping")
PYTHON_MODULES = (
    "__future__",
    "encodings.idna",
    "errno",
    "fcntl",
    "os",
    "select",
    "signal",
    "socket",
    "struct",
    "termios",
    "time",
)
"""The modules of the guest's agent, and of the programs that the lab's proof runs."""
FOLDERS = frozenset({"/dev", "/etc", "/proc", "/root", "/run", "/sys", "/tmp", "/var"})

_INSIDE = Path(__file__).with_name("inside")
_OURS = {
    "/init": _INSIDE / "init",
    "/lib/dvr/agent": _INSIDE / "agent.py",
    "/lib/dvr/udhcpc.script": Path(DHCP_SCRIPT_PATH),
}
"""Path in the root → this project's file."""
_EXECUTABLE = 0o755


def build(kernel: Kernel) -> bytes:
    """Return the root as an archive. HostError if this machine lacks a program of it."""
    entries: dict[str, File | Link] = {
        **_busybox(),
        **_programs(),
        **_modules(kernel),
        "/etc/passwd": File(b"root:x:0:0:root:/root:/bin/sh\n"),
        "/etc/group": File(b"root:x:0:\n"),
        "/etc/hosts": File(b"127.0.0.1 localhost\n"),
    }
    entries |= {path: File(file.read_bytes(), _EXECUTABLE) for path, file in _OURS.items()}
    return archive(entries, FOLDERS)


def sources() -> str:
    """A digest by which a root is known to be of these sources: of this project's files, and of the
    times of this machine's. HostError if this machine lacks a program.
    """
    here = sorted(Path(__file__).parent.glob("*.py"))
    ours = [path.read_bytes() for path in (*here, *_OURS.values())]
    programs = [path_of(name).resolve() for name in (BUSYBOX, SHELL, *PROGRAMS)]
    files = (*programs, Path(sys.executable).resolve())
    times = [(str(path), path.stat().st_mtime_ns) for path in files]
    return hashlib.sha256(repr((ours, times)).encode()).hexdigest()


def _busybox() -> dict[str, File | Link]:
    """The program, and a link for each of its applets."""
    busybox, path = path_of(BUSYBOX), f"/bin/{BUSYBOX}"
    listed = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True)
    applets = {*listed.stdout.split()} - {BUSYBOX}
    found: dict[str, File | Link] = {f"/bin/{applet}": Link(path) for applet in applets}
    # Debian has a busybox that needs libraries, too.
    for library in {*with_libraries([busybox])} - {busybox}:
        found[str(library)] = File(library.read_bytes(), _EXECUTABLE)
    return {**found, "/sbin/init": Link(path), path: File(busybox.read_bytes(), _EXECUTABLE)}


def _programs() -> dict[str, File | Link]:
    """Programs of this machine and their libraries, at the same paths; PATH finds them first."""
    python, files = python_files(PYTHON_MODULES)
    programs = [path_of(name) for name in (SHELL, *PROGRAMS)]
    extensions = [path for path in files if path.suffix != ".py"]
    found: dict[str, File | Link] = {
        str(path): File(shortened(path.read_bytes()), _EXECUTABLE)
        for path in {*with_libraries([python, *programs, *extensions])}
    }
    found |= {
        str(path.with_suffix(".pyc")): File(compiled(path))
        for path in files
        if path not in extensions
    }
    if os.fspath(python) != "/usr/bin/python3":
        found["/usr/bin/python3"] = Link(str(python))
    # In scripts, busybox's own shell would take applets for programs of the same names.
    return {**found, "/bin/sh": Link(str(programs[0]))}


def _modules(kernel: Kernel) -> dict[str, File | Link]:
    """The modules of the cards and ports, and the order of their loading."""
    contents = modules.in_order(kernel.modules, MODULES)
    files = {f"/lib/modules/{name}.ko": content for name, content in contents.items()}
    order = "".join(f"{path}\n" for path in files).encode()
    found: dict[str, File | Link] = {path: File(content) for path, content in files.items()}
    return {**found, "/lib/modules/order": File(order)}
