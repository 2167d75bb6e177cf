"""Check the programs that the companion runs, and those that may undo its changes."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from dvr_ryu.command import dvr
from dvr_ryu.companion.check.finding import Finding, fails, passes, warns
from dvr_ryu.companion.providers.commands import PROGRAMS, path_of
from dvr_ryu.companion.resources.resource import Resource, programs_of
from dvr_ryu.companion.resources.virtual_machine import IMAGE, KERNEL, QEMU, VirtualMachine
from dvr_ryu.packages import packages_of
from dvr_ryu.topology.bridges import BRIDGES, bridge_names

ASKS_VERSION = {
    "dnsmasq": "--version",
    "ip": "-V",
    "ip6tables-restore": "--version",
    "ip6tables-save": "--version",
    "iptables-restore": "--version",
    "iptables-save": "--version",
    "openssl": "version",
    "ovs-appctl": "--version",
    "ovs-ofctl": "--version",
    QEMU: "--version",
}
"""Program → the argument by which it prints its version; udhcpc has none."""

OTHERS = {
    "NetworkManager": (
        "NetworkManager",
        "keep it off our devices: [keyfile] unmanaged-devices="
        + ";".join(f"interface-name:{each}" for each in ("tap*", "gw-*", *BRIDGES)),
    ),
    "systemd-network": (
        "systemd-networkd",
        f"let no .network file match tap*, gw-*, {bridge_names('or')}",
    ),
    "firewalld": ("firewalld", "let it accept the other hosts' tunnels, and what gw- forwards"),
}
"""First 15 letters of a process's name → its full name, and the advice."""


def findings(desired: Iterable[Resource] | None) -> Iterator[Finding]:
    """Yield each program that resources need, or that some topology's resources may need."""
    for program in PROGRAMS if desired is None else sorted(programs_of(desired)):
        path = path_of(program)
        if path is None and program == QEMU and desired is None:
            continue  # most topologies have no virtual machine
        if path is None:
            yield fails(program, "missing", f"apt install {packages_of([program])}")
        else:
            yield passes(program, _version(program, path))
    if any(isinstance(each, VirtualMachine) for each in desired or ()):
        yield _image()


def _image() -> Finding:
    what = "image of virtual machines"
    if Path(KERNEL).exists():
        return passes(what, IMAGE)
    return fails(what, "missing", f"{dvr('lab image')} makes it")


def _version(program: str, path: str) -> str:
    if program not in ASKS_VERSION:
        return path
    done = subprocess.run([path, ASKS_VERSION[program]], capture_output=True, text=True)
    first, *_ = [*(done.stdout or done.stderr).splitlines(), path]
    return first.split("  ")[0]


def in_the_way() -> Iterator[Finding]:
    """Yield each running program that may take our devices for its own."""
    running = set()
    for comm in Path("/proc").glob("[0-9]*/comm"):
        try:
            running.add(comm.read_text(errors="replace").strip())
        except OSError:
            continue  # it has ended
    for name in sorted(running & OTHERS.keys()):
        called, advice = OTHERS[name]
        yield warns(called, "runs here", advice)
