"""The files of virtual machines: the image that they boot, and their folders of sockets."""

from __future__ import annotations

from pathlib import Path

from dvr_ryu.command import dvr
from dvr_ryu.companion.providers import notes
from dvr_ryu.companion.resources.virtual_machine import KERNEL, VirtualMachine, folder_of
from dvr_ryu.errors import HostError


def prepare(machine: VirtualMachine) -> None:
    """Make the folder of a machine's sockets. Raise HostError if there is no image to boot."""
    if not Path(KERNEL).exists():
        raise HostError(
            f"the virtual machine {machine.instance} needs an image to boot, and this machine has"
            f" none: type sudo {dvr('lab image')}"
        )
    notes.folder(Path(folder_of(machine.instance)))


def forget(instance: str) -> None:
    """Remove the folder of a machine that has ended."""
    notes.remove(Path(folder_of(instance)))
