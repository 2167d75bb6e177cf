"""Makes the systems that machines boot, Debian by debootstrap, as a disk and a kernel; keeps them.

A system has what debootstrap's smallest variant has, and systemd, ssh, Python, and Debian's cloud
kernel, which mounts its disk without an initramfs. Its first NIC is eth0, by which it reaches what
this machine reaches. The package mirror is the one of this machine's apt.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from dvr_ryu.errors import HostError

RELEASES = {"12": "bookworm", "13": "trixie"}
PACKAGES = (
    "systemd-sysv",
    "dbus",
    "udev",
    "openssh-server",
    "python3",
    "ca-certificates",
    "linux-image-cloud-amd64",
    "netbase",
    "iproute2",
    "iputils-ping",
    "procps",
)
DISK = "8G"
"""The disk's size. It takes only as much room as has been written."""

# qemu's user network has these addresses unless it is told others.
_FILES = {
    "etc/systemd/network/10-eth0.network": (
        "[Match]\nName=eth0\n[Network]\nAddress=10.0.2.15/24\nGateway=10.0.2.2\n"
    ),
    "etc/resolv.conf": "nameserver 10.0.2.3\n",
    "etc/hosts": "127.0.0.1 localhost\n",
    "etc/fstab": "/dev/nvme0n1 / ext4 defaults 0 1\n",
    "etc/machine-id": "",  # each machine makes its own when it starts
    # By these files' times systemd knows that no caches need to be made anew.
    "etc/.updated": "",
    "var/.updated": "",
    "etc/ssh/ssh_config.d/machines.conf": "StrictHostKeyChecking accept-new\n",
}


@frozen
class Image:
    """A kept system. `key` is the private key that opens root's ssh; the system has a copy."""

    disk: Path
    kernel: Path
    key: Path


def cache() -> Path:
    """Return the folder of what is kept: $DVR_MACHINES, or one below /var/cache."""
    return Path(os.environ.get("DVR_MACHINES") or "/var/cache/dvr_ryu/machines")


def image(release: str = "12", packages: Sequence[str] = ()) -> Image:
    """Return the system of a release of Debian with some more packages; make it if it is not kept.

    HostError if it cannot be made: not root, no debootstrap, no mirror.
    """
    wanted = (*PACKAGES, *packages)
    state = hashlib.sha256(repr((wanted, DISK, sorted(_FILES.items()))).encode())
    with _locked(cache()):
        folder = cache() / f"debian-{release}-{state.hexdigest()[:12]}"
        key = _key(cache())
        if not folder.exists():
            _make(folder, release, wanted, key)
    return Image(folder / "disk.ext4", folder / "vmlinuz", key)


def mirror() -> str:
    """Return the address of Debian's archive in this machine's apt configuration."""
    wanted = ("Created-By: Packages", "Origin: Debian", "Label: Debian")
    lines = _run("apt-get", "indextargets", "--format", "$(REPO_URI)", *wanted).split()
    if not lines:
        raise HostError("apt knows no mirror of Debian; type: apt-get update")
    return lines[0]


def _key(folder: Path) -> Path:
    key = folder / "key"
    if not key.exists():
        _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "machines", "-f", str(key))
    return key


def _make(folder: Path, release: str, packages: Sequence[str], key: Path) -> None:
    """Make a system at `folder`, which appears only when it is whole."""
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="making-") as making:
        root, made = Path(making, "root"), Path(making, "made")
        made.mkdir()
        include = f"--include={','.join(packages)}"
        # dpkg need not wait for the disk: a system that is not whole is thrown away.
        unsafe = root / "etc/dpkg/dpkg.cfg.d/unsafe"
        unsafe.parent.mkdir(parents=True)
        unsafe.write_text("force-unsafe-io\n")
        # Debian's word for a kernel without an initramfs.
        environment = {**os.environ, "INITRD": "No"}
        suite = RELEASES[release]
        _run(
            "debootstrap", "--variant=minbase", include, suite, str(root), mirror(), env=environment
        )
        unsafe.unlink()
        _configure(root, key)
        (kernel,) = root.glob("boot/vmlinuz-*")
        shutil.copy(kernel, made / "vmlinuz")
        _run("mke2fs", "-q", "-t", "ext4", "-d", str(root), str(made / "disk.ext4"), DISK)
        made.rename(folder)


def _configure(root: Path, key: Path) -> None:
    for name, text in _FILES.items():
        path = root / name
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    ssh = root / "root/.ssh"
    ssh.mkdir(mode=0o700, exist_ok=True)
    public = key.with_suffix(".pub").read_text()
    for name, text in (
        ("authorized_keys", public),
        ("id_ed25519", key.read_text()),  # by it a machine reaches the others
        ("id_ed25519.pub", public),
    ):
        (ssh / name).write_text(text)
        (ssh / name).chmod(0o600)
    _run("systemctl", f"--root={root}", "--quiet", "enable", "systemd-networkd")
    shutil.rmtree(root / "var/cache/apt/archives")
    (root / "var/cache/apt/archives/partial").mkdir(parents=True)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Make the folder and lock it against other tests that make systems; wait for them."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(*argv: str, env: dict[str, str] | None = None) -> str:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, env=env)
    except FileNotFoundError as error:
        raise HostError(
            f"{argv[0]} is missing; type: tools/debian-packages python3 machines"
        ) from error
    if done.returncode:
        raise HostError(f"{' '.join(argv)} failed:\n{(done.stdout + done.stderr)[-2000:]}")
    return done.stdout
