"""Programs that the companion runs to the end; a missing one is named with its package."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence

from dvr_ryu.errors import HostError

PACKAGES = {
    "dnsmasq": "dnsmasq-base",
    "ip": "iproute2",
    "iptables-restore": "iptables",
    "iptables-save": "iptables",
    "udhcpc": "udhcpc",
}
"""Program → the Debian package that has it."""


def require(program: str) -> str:
    """Return the path of a program; raise HostError that names its package if it is missing."""
    path = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")
    if path is None:
        package = PACKAGES[program]
        raise HostError(f"{program} is missing on this host; install it: apt install {package}")
    return path


def run(argv: Sequence[str], text: str = "") -> str:
    """Run a program on a text and return what it prints; raise HostError with its own words."""
    done = subprocess.run([require(argv[0]), *argv[1:]], input=text, capture_output=True, text=True)
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip()
        raise HostError(f"{' '.join(argv)} failed: {words}")
    return done.stdout
