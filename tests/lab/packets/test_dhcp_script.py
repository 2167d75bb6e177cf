"""The script of instances' DHCP clients, with values that a rogue server may send. In each shell
that Debian has, the script takes them literally.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from dvr_ryu.companion.resources.process import DHCP_SCRIPT_PATH

# busybox-static's shell prefers its own ip to the machine's, and knows no protocols of routes.
_OF_THE_MACHINE = f"""ip() {{ {shutil.which("ip")} "$@"; }}; . "$0\""""
SHELLS = (("dash",), ("busybox", "sh", "-c", _OF_THE_MACHINE))
in_each_shell = pytest.mark.parametrize("shell", SHELLS, ids=["dash", "busybox"])
PRIVATE = (
    "mount --make-rprivate / && mount -t tmpfs none /run && cp -a /etc/alternatives /run && "
    "mount -t tmpfs none /etc && mv /run/alternatives /etc && "  # awk is a symbolic link to it
    "mkdir -p /etc/netns /run/a && cd /run/a && touch /etc/one.conf /etc/two.conf here && "
    "ip link add eth0 type veth peer name other && ip link set eth0 up && ip link set other up && "
)
_RUN = """
import json, os, shutil, subprocess, sys
from pathlib import Path

def files():
    return sorted(str(path) for top in ("/run", "/etc") for path in Path(top).rglob("*"))

def text(path):
    return Path(path).read_text() if Path(path).exists() else ""

def show(*what):
    return subprocess.run(["ip", *what], capture_output=True, text=True).stdout

def outcome(lease):
    for folder in request["folders"]:
        os.makedirs(folder)
    before = files()
    for event in request["events"]:
        subprocess.run(
            [*request["shell"], request["script"], event],
            env={**{os.fsencode(k): v.encode("latin-1") for k, v in lease.items()},
                 b"PATH": os.environ["PATH"].encode(), b"NETNS": b"vm-a", b"interface": b"eth0"},
            stderr=subprocess.DEVNULL,
        )
    seen = {
        "lease": text("/run/dvr_ryu/leases/vm-a"),
        "resolv": text("/etc/netns/vm-a/resolv.conf"),
        "new": sorted({*files()} - {*before}),
        "addresses": show("-4", "-br", "addr", "show", "dev", "eth0").split()[2:],
        "routes": show("route", "show", "proto", "dhcp").splitlines(),
    }
    show("addr", "flush", "dev", "eth0")
    for path in ("/run/dvr_ryu", "/etc/netns/vm-a"):
        shutil.rmtree(path, ignore_errors=True)
    return seen

request = json.loads(sys.stdin.read())
print(json.dumps([outcome(lease) for lease in request["leases"]]))
"""

LEASE = {
    **{"ip": "10.1.0.5", "mask": "24", "broadcast": "10.1.0.255", "serverid": "10.1.0.2"},
    **{"lease": "86400", "mtu": "1450", "router": "10.1.0.1", "dns": "9.9.9.9 8.8.8.8"},
}
OURS = ["/run/dvr_ryu", "/run/dvr_ryu/leases", "/run/dvr_ryu/leases/vm-a"]
SERVERS = ["nameserver 9.9.9.9", "nameserver 8.8.8.8"]
RESOLV = ["/etc/netns/vm-a", "/etc/netns/vm-a/resolv.conf"]
HOSTILE = (
    "/etc/*.*",
    "*",
    "$(touch /run/pwned) `touch /run/pwned` ${PATH}",
    "; touch /run/pwned; #",
    "a\nip=10.6.6.6/8\nclient=1\nnameserver 6.6.6.6",
    "a\\nnameserver 6.6.6.6\\c",
    "-n -e ../../../../run/pwned",
    "' \" \\ | & > /run/pwned < /etc/passwd",
    "\x1b[2J\xff\xfe\x85",
    "x" * 4000,
)


def bound(
    shell: Sequence[str],
    *leases: Mapping[str, str],
    events: Sequence[str] = ("bound",),
    folders: Sequence[str] = (),
) -> Any:
    """Run the script for one lease after another, with an empty /run and /etc except for `folders`;
    return the files after each.
    """
    request = {"shell": shell, "script": DHCP_SCRIPT_PATH, "leases": leases, "events": events}
    request["folders"] = folders
    alone = ["unshare", "--mount", "--net", "sh", "-ec", f'{PRIVATE}exec "$@"', "-"]
    process = subprocess.run(
        [*alone, sys.executable, "-c", _RUN],
        input=json.dumps(request), capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


def literally(text: str) -> list[str]:
    """The words of a text as the script keeps them: each once."""
    return list(dict.fromkeys(re.sub(r"[^ -~]", "?", text).split()))


@in_each_shell
def test_a_lease_is_applied_and_saved(shell: Sequence[str]) -> None:
    routes = "10.2.0.0/24 0.0.0.0 10.9.0.7/32 10.1.0.9 0.0.0.0/0 10.1.0.1"
    lease = {**LEASE, "staticroutes": routes, "search": "a.example b.example"}
    (lease_files,) = bound(shell, lease)
    assert lease_files["addresses"] == ["10.1.0.5/24"]
    expected = {"10.2.0.0/24", "10.9.0.7 via 10.1.0.9", "default via 10.1.0.1"}
    assert {re.sub(" (dev|scope).*", "", line) for line in lease_files["routes"]} == expected
    lines = lease_files["lease"].splitlines()
    assert {line for line in lines if line.startswith("route=")} == {f"route={r}" for r in expected}
    assert {"ip=10.1.0.5/24", "server=10.1.0.2", "seconds=86400"} <= {*lines}
    assert lease_files["resolv"].splitlines() == ["search a.example b.example", *SERVERS]
    assert lease_files["new"] == sorted([*OURS, *RESOLV])


@in_each_shell
def test_texts_are_taken_literally(shell: Sequence[str]) -> None:
    names = ("search", "domain", "hostname", "message", "opt224", "sname", "bootfile", "lower")
    leases = [{**LEASE, **dict.fromkeys(names, text)} for text in HOSTILE]
    for text, lease_files in zip(
        HOSTILE, bound(shell, *leases, events=("bound", "renew")), strict=True
    ):
        assert lease_files["resolv"].splitlines() == [
            f"search {' '.join(literally(text))}",
            *SERVERS,
        ]
        assert lease_files["new"] == sorted([*OURS, *RESOLV])
        lines = lease_files["lease"].splitlines()
        assert all(re.fullmatch(r"[a-z]+\d*=[ -~]*", line) for line in lines)
        assert [line for line in lines if line.startswith("ip=")] == ["ip=10.1.0.5/24"]
        assert len([line for line in lines if line.startswith("client=")]) == 1


@in_each_shell
def test_only_addresses_are_taken_for_addresses(shell: Sequence[str]) -> None:
    names = ("router", "dns", "mtu", "broadcast", "serverid", "lease")
    texts = [text.replace("6.6.6.6", "6.6.6.666") for text in HOSTILE]
    leases = [
        {**LEASE, **dict.fromkeys(names, text), "staticroutes": routes}
        for text in texts
        for routes in (text, f"{text} 10.1.0.1", f"10.5.0.0/16 {text}", f"10.5.0.0/99 {text}")
    ]
    for lease_files in bound(shell, *leases):
        assert (lease_files["addresses"], lease_files["routes"], lease_files["new"]) == (
            ["10.1.0.5/24"],
            [],
            OURS,
        )
    for lease_files in bound(shell, *({**LEASE, "ip": text} for text in texts)):
        assert (lease_files["addresses"], lease_files["new"]) == ([], [])


@in_each_shell
def test_a_route_that_the_kernel_refuses_is_not_saved(shell: Sequence[str]) -> None:
    lease = {**LEASE, "staticroutes": "10.9.0.0/16 10.7.7.7 10.8.0.0/16 10.1.0.1"}
    (lease_files,) = bound(shell, lease)
    routes = [line for line in lease_files["lease"].splitlines() if line.startswith("route=")]
    assert routes == ["route=10.8.0.0/16 via 10.1.0.1"]


@in_each_shell
def test_the_kernel_makes_the_route_to_the_own_subnet(shell: Sequence[str]) -> None:
    lease = {**LEASE, "staticroutes": "10.1.0.0/24 0.0.0.0 10.9.0.0/24 0.0.0.0"}
    for events in (("bound",), ("bound", "renew")):
        (lease_files,) = bound(shell, lease, events=events)
        routes = [line for line in lease_files["lease"].splitlines() if line.startswith("route=")]
        assert routes == ["route=10.9.0.0/24"]
        assert lease_files["routes"] == ["10.9.0.0/24 dev eth0 scope link "]


@in_each_shell
def test_a_folder_in_the_way_of_a_lease_is_removed(shell: Sequence[str]) -> None:
    (seen,) = bound(shell, LEASE, folders=["/run/dvr_ryu/leases/vm-a/inside"])
    assert "ip=10.1.0.5/24" in seen["lease"].splitlines()
