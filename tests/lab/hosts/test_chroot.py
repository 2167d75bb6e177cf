"""A lab in a chroot: its hosts have the chroot's files; a folder that no mount makes is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from dvr_ryu.shipped import examples_dir

_DVR = str(Path(sys.executable).with_name("dvr"))
_ONLY_HERE = "only-in-this-root"
_MAKE_ROOT = f"""
mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
mkdir "$1/root"
cd "$1/root"
for each in /*; do
    if [ -L "$each" ]; then cp -a "$each" .; elif [ -d "$each" ]; then
        mkdir ".$each"
        mount --rbind "$each" ".$each"
    fi
done
touch {_ONLY_HERE}
"""
_MOUNT_ROOT = 'mount --rbind "$1/root" "$1/root"\n'
_ENTER = 'root="$1/root"; shift; exec chroot "$root" env --chdir="$PWD" "$@"'
_LIST_ROOT = """
from dvr_ryu.lab.hosts.host import LabHost
host = LabHost.start("h1", "/run/a-lab-in-a-chroot")
try:
    print(host.run(["ls", "/"]).stdout)
finally:
    host.stop()
"""


def in_chroot(folder: Path, script: str, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command, in the current folder, in a root made of the machine's own folders."""
    shell = ["sh", "-ec", f'here="$PWD"{script}cd "$here"\n{_ENTER}', "-", str(folder)]
    return subprocess.run(
        ["unshare", "--mount", *shell, *command],
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_host_has_the_root_of_its_lab(tmp_path: Path) -> None:
    done = in_chroot(tmp_path, _MAKE_ROOT + _MOUNT_ROOT, sys.executable, "-c", _LIST_ROOT)
    assert (done.stderr, done.returncode) == ("", 0)
    assert _ONLY_HERE in done.stdout.split()


def test_a_root_that_is_no_mount_point_is_refused_with_advice(tmp_path: Path) -> None:
    done = in_chroot(tmp_path, _MAKE_ROOT, _DVR, "lab", "up", str(examples_dir() / "shapes.yaml"))
    assert done.returncode == 1
    assert "mount --bind FOLDER FOLDER" in done.stderr
