"""qemu's command line: values to words. It starts nothing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path


def command(
    name: str, kernel: Path, kernel_words: Sequence[str], memory: int, vcpus: int, *more: str
) -> list[str]:
    """Return the words of a guest that boots `kernel`, with `memory` MB; `more` are its devices.

    Its console is stdout. It has no NIC and no disk but those of `more`. It ends with the thread
    that started it.
    """
    return [
        "setpriv",
        "--pdeathsig=KILL",
        "--",
        "qemu-system-x86_64",
        *("-name", name),
        *("-machine", "q35", *accelerator()),
        *("-smp", str(vcpus), "-m", str(memory)),
        *("-nographic", "-no-user-config", "-nodefaults", "-serial", "stdio"),
        *("-kernel", str(kernel), "-append", " ".join(kernel_words)),
        *("-device", "virtio-rng-pci"),
        *more,
    ]


def accelerator() -> list[str]:
    """Return the words for this machine's KVM, or for qemu's own translation without it."""
    # Some virtual machines have the device, and it fails: their processor cannot do it.
    able = {"vmx", "svm"} & set(Path("/proc/cpuinfo").read_text().split())
    if able and os.access("/dev/kvm", os.R_OK | os.W_OK):
        return ["-accel", "kvm", "-cpu", "host"]
    # A plain processor: for a newer one, Linux loads and tests drivers that take long here.
    return ["-accel", "tcg,thread=multi,tb-size=256", "-cpu", "qemu64"]


def disk(path: Path) -> list[str]:
    """Return the words of a disk, qcow2, which the guest sees as /dev/nvme0n1.

    Debian's cloud kernels have the drivers of NVMe and ext4 built in: so they need no initramfs.
    """
    # Tests do not survive this machine's power loss. So qemu need not wait for its disk.
    drive = f"file={path},format=qcow2,if=none,id=disk,cache=unsafe,discard=unmap"
    return ["-drive", drive, "-device", "nvme,drive=disk,serial=disk"]


def nic(guest: str, number: int, backend: str) -> list[str]:
    """Return the words of a NIC; `backend` is a network of qemu's with its options, without an id.

    The MAC follows from the guest's name and the NIC's number. ethN has the same number.
    """
    # Linux numbers NICs in the order of their PCI slots.
    device = f"virtio-net-pci,netdev=nic{number},mac={mac(guest, number)},addr={16 + number:#x}"
    return ["-netdev", f"{backend},id=nic{number}", "-device", device]


def mac(guest: str, number: int) -> str:
    """Return the MAC of a guest's NIC."""
    octets = sha256(f"{guest} {number}".encode()).digest()[:3]
    return "52:54:00:" + ":".join(f"{octet:02x}" for octet in octets)
