"""Makes what a guest boots with beside its kernel: modules that are found by name, and an initramfs
with those that it needs at once. It makes files only.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from dvr_ryu.lab.guests.debian_kernel import Kernel

_NEEDED = (
    *("virtio_pci", "virtiofs", "overlay", "virtio_net"),
    *("openvswitch", "vport-vxlan", "vport-geneve", "vport-gre"),
)
"""A guest has no udev that would load modules for its devices; Open vSwitch's would come late."""
_INIT = Path(__file__).with_name("boot.sh")


def index_modules(kernel: Kernel, base: Path) -> None:
    """Fill `base`/lib/modules/RELEASE with links to the kernel's modules, and with the files by
    which modprobe finds them.
    """
    folder = base / "lib/modules" / kernel.release
    folder.mkdir(parents=True)
    for entry in kernel.modules.iterdir():
        (folder / entry.name).symlink_to(entry)
    subprocess.run(["depmod", "-b", str(base), kernel.release], check=True)


def make_initramfs(kernel: Kernel, base: Path, target: Path) -> None:
    """Write the initramfs to `target`: busybox, boot.sh, and modules in the order of their loading.

    `base` is what `index_modules` filled.
    """
    root = target.with_suffix(".root")
    modules = root / "modules"
    (root / "bin").mkdir(parents=True)
    modules.mkdir()
    busybox = shutil.which("busybox")
    assert busybox, "tools/debian-packages installs busybox-static"
    shutil.copy(busybox, root / "bin/busybox")
    shutil.copy(_INIT, root / "init")
    (root / "init").chmod(0o755)
    order = loading_order(kernel, base, _NEEDED)
    for module in order:
        shutil.copy(module, modules)
    (modules / "order").write_text("".join(f"{module.name}\n" for module in order))
    names = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*")))
    with target.open("wb") as archive:
        subprocess.run(
            ["busybox", "cpio", "-o", "-H", "newc"],
            cwd=root,
            input=names.encode(),
            stdout=archive,
            stderr=subprocess.DEVNULL,
            check=True,
        )


def loading_order(kernel: Kernel, base: Path, names: Iterable[str]) -> list[Path]:
    """The files of some modules and of those that they need, in the order of their loading."""
    order: dict[Path, None] = {}
    for name in names:
        shown = subprocess.run(
            ["modprobe", "-d", str(base), "-S", kernel.release, "--show-depends", name],
            capture_output=True,
            text=True,
            check=True,
        )
        for line in shown.stdout.splitlines():
            if line.startswith("insmod"):
                order[Path(line.split()[1])] = None
    return list(order)
