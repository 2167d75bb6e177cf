"""The first process of a lab host: makes the host's own mounts, then reaps orphans until killed.

It runs as a file, in namespaces that unshare(1) has just made (net, mount, uts, pid). When it ends,
the kernel ends everything in the host. It imports only Python's own modules: a host starts at once.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys

PRIVATE_FOLDERS = (
    "/run",  # named namespaces, sockets, pid files, iptables' lock
    "/etc/openvswitch",
    "/var/lib/openvswitch",
    "/var/log/openvswitch",
    "/var/lib/misc",  # dnsmasq's leases, where nobody said otherwise
)
"""Folders that two hosts may not share: each is empty at first, and gone with the host."""


def _mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True)


def make_private() -> None:
    """Give the host /proc and /sys of its own namespaces, and empty private folders."""
    _mount("-t", "proc", "proc", "/proc")
    _mount("-t", "sysfs", "sysfs", "/sys")
    for folder in PRIVATE_FOLDERS:
        if os.path.isdir(folder):
            _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", folder)
    for folder in ("/run/lock", "/run/openvswitch"):
        os.mkdir(folder)
    _keep_resolv_conf()


def _keep_resolv_conf() -> None:
    """DHCP clients write name servers into this file; in the lab they write into a copy."""
    if os.path.exists("/etc/resolv.conf"):
        with open("/run/resolv.conf", "x"):
            _mount("--bind", "/run/resolv.conf", "/etc/resolv.conf")


def reap_until_terminated() -> None:
    """Wait for whatever is orphaned in the host. SIGTERM ends this, and the host with it."""
    awaited = {signal.SIGCHLD, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
    while signal.sigwait(awaited) != signal.SIGTERM:
        try:
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
        except ChildProcessError:
            continue


def main(hostname: str) -> None:
    """Become the host `hostname`; when it is ready, print the pid that the machine knows it by."""
    pid_outside = os.readlink("/proc/self")  # the machine's /proc, until ours covers it
    make_private()
    socket.sethostname(hostname)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    print(pid_outside, flush=True)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)
    reap_until_terminated()


if __name__ == "__main__":
    main(sys.argv[1])
