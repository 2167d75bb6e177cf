"""Virtual machines: qemu's processes, and the files by which others reach into them. Pure.

A machine boots the image that `dvr lab image` makes. Its sockets are in a folder of its own: QMP,
the console, and the ports of its agent, which runs commands.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from itertools import pairwise

from attrs import frozen

from dvr_ryu.companion.paths import RUN_DIRECTORY
from dvr_ryu.companion.resources.process import Process, pid_file

QEMU = "qemu-system-x86_64"
IMAGE = "/var/cache/dvr_ryu/guest"
"""The folder of the image."""
KERNEL, ROOT_ARCHIVE = f"{IMAGE}/vmlinuz", f"{IMAGE}/root.cpio"
FOLDERS = f"{RUN_DIRECTORY}/guests"
"""A folder per machine, by the name of its instance."""
KERNEL_WORDS = ("console=ttyS0", "quiet", "panic=1")
MACHINE = "q35,accel=tcg"
"""Emulated, so that it runs on any host, and moves between any two. A /dev/kvm may be there and not
work, as in some containers."""
CPU = "qemu64,+rdrand"
"""Without random numbers from its processor, a machine without disks waits a minute for some."""
MEGABYTES = 160
AGENT_PORTS = 8
"""So many commands may run in a machine at a time."""
INCOMING = "-incoming"
"""The option of a machine that waits for its state from another host. It tells how the machine
began, and not what it is: so it is no part of a resource."""


def process_name(instance: str) -> str:
    """The name of an instance's process, and of its pid file."""
    return f"qemu-{instance}"


def folder_of(instance: str) -> str:
    """The folder of an instance's sockets."""
    return f"{FOLDERS}/{instance}"


def qmp_socket(instance: str) -> str:
    """The socket at which an instance's qemu takes commands of QMP."""
    return f"{folder_of(instance)}/qmp"


def console_socket(instance: str) -> str:
    """The socket that is the other end of an instance's serial line."""
    return f"{folder_of(instance)}/console"


def agent_socket(instance: str, port: int) -> str:
    """The socket of one port of the agent in an instance."""
    return f"{folder_of(instance)}/agent{port}"


def argv_of(
    instance: str, cards: Sequence[tuple[str, str]], offloads: bool, words: Sequence[str]
) -> tuple[str, ...]:
    """The argv of an instance with `cards`, each a tap and a MAC. `words` are for its kernel's
    command line. Without `offloads`, no card leaves checksums and segments to the other side.
    """
    return (
        *(QEMU, "-name", f"guest={instance}", "-pidfile", pid_file(process_name(instance))),
        *("-daemonize", "-no-user-config", "-nodefaults", "-display", "none"),
        *("-machine", MACHINE, "-cpu", CPU, "-m", f"{MEGABYTES}M"),
        *("-kernel", KERNEL, "-initrd", ROOT_ARCHIVE),
        *("-append", " ".join((*KERNEL_WORDS, f"dvr.name={instance}", *words))),
        *("-qmp", f"unix:{qmp_socket(instance)},server=on,wait=off"),
        *("-chardev", f"socket,id=console,path={console_socket(instance)},server=on,wait=off"),
        *("-serial", "chardev:console", "-device", "virtio-serial-pci"),
        *(word for port in range(AGENT_PORTS) for word in _agent_port(instance, port)),
        *(word for number, card in enumerate(cards) for word in _card(number, *card, offloads)),
    )  # fmt: skip


def _agent_port(instance: str, port: int) -> Iterator[str]:
    path = agent_socket(instance, port)
    yield from ("-chardev", f"socket,id=agent{port},path={path},server=on,wait=off")
    yield from ("-device", f"virtserialport,chardev=agent{port},name=dvr.agent.{port}")


NO_OFFLOADS = "".join(
    f",{each}=off"
    for each in (
        *("csum", "gso", "guest_csum", "guest_tso4", "guest_tso6", "guest_ecn", "guest_ufo"),
        *("host_tso4", "host_tso6", "host_ecn", "host_ufo"),
    )
)
"""The options of a virtio card that leaves no checksum and no segment to the other side."""


def _card(number: int, tap: str, mac: str, offloads: bool) -> Iterator[str]:
    off = "" if offloads else NO_OFFLOADS
    yield from ("-netdev", f"tap,id=card{number},ifname={tap},script=no,downscript=no")
    yield from ("-device", f"virtio-net-pci,netdev=card{number},mac={mac},romfile={off}")


def without_incoming(argv: Sequence[str]) -> tuple[str, ...]:
    """Return an argv without the option of a machine that waited for its state."""
    if INCOMING not in argv:
        return tuple(argv)
    at = argv.index(INCOMING)
    return (*argv[:at], *argv[at + 2 :])


def first_tap(argv: Sequence[str]) -> str:
    """The tap of a machine's first card; empty if an argv names none."""
    for option, value in pairwise(argv):
        if option == "-netdev":
            settings = dict(each.partition("=")[::2] for each in value.split(","))
            return settings.get("ifname", "")
    return ""


@frozen
class VirtualMachine(Process):
    """A virtual machine; its container is the device of its first card's tap."""

    kind = "guest"
    notes = (*Process.notes, FOLDERS)

    @property
    def instance(self) -> str:
        """The name of its instance."""
        return self.name.removeprefix(process_name(""))

    def start_line(self) -> str:
        """Start it; it goes to the background by itself."""
        return f"mkdir -p {folder_of(self.instance)} && {shlex.join(self.argv)}"

    def remove_lines(self, host: str) -> Iterator[str]:
        """End it, and remove its sockets."""
        yield from super().remove_lines(host)
        yield f"rm -rf {folder_of(self.instance)}"
