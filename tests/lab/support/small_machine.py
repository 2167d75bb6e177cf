"""Makes what a small virtual machine of a test boots with: busybox, a network card's driver, and a
script that the machine runs before it ends.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from dvr_ryu.lab.guests.debian_kernel import Kernel
from tests.kernel_guest.initramfs import index_modules, loading_order

_INIT = """\
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t devtmpfs none /dev; mount -t proc none /proc; mount -t sysfs none /sys
while read -r module; do insmod "/modules/$module"; done < /modules/order
ip link set eth0 up
sh /script
poweroff -f
"""


def make_initramfs(kernel: Kernel, folder: Path, script: str) -> Path:
    """Write an initramfs below `folder`, which must be new, and return its path."""
    index_modules(kernel, folder / "base")
    root, target = folder / "root", folder / "initramfs"
    for name in ("bin", "modules", "dev", "proc", "sys"):
        (root / name).mkdir(parents=True)
    shutil.copy("/bin/busybox", root / "bin")
    order = loading_order(kernel, folder / "base", ("virtio_pci", "virtio_net", "af_packet"))
    for module in order:
        shutil.copy(module, root / "modules")
    (root / "modules/order").write_text("".join(f"{module.name}\n" for module in order))
    (root / "script").write_text(script)
    (root / "init").write_text(_INIT)
    (root / "init").chmod(0o755)
    names = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*")))
    command = ["busybox", "cpio", "-o", "-H", "newc"]
    with target.open("wb") as archive:
        subprocess.run(
            command,
            cwd=root,
            input=names.encode(),
            stdout=archive,
            stderr=subprocess.DEVNULL,
            check=True,
        )
    return target
