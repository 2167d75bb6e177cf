"""A companion on a machine that lacks something logs one line, and recovers within seconds after
the lack is over. With a full or read-only /run it continues; without threads it ends and is
restarted.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from dvr_ryu.companion.run import CHECK_SECONDS
from dvr_ryu.lab.hosts.bare import bare_lab
from dvr_ryu.lab.hosts.host import LabHost
from dvr_ryu.lab.wait import wait_until
from dvr_ryu.topology.loading import parse_topology
from tests.lab.support.companions import Companion, await_state, run
from tests.lab.support.one_host import TOPOLOGY

OLD = """\
  c: {host: h1, network: n, ip: 10.1.0.13}
  d: {host: h1, network: m, ip: 10.2.0.14}
"""
NEW = """\
  c: {host: h1, network: n, ip: 10.1.0.33}
  e: {host: h1, network: m, ip: 10.2.0.15}
"""


COMPANION = (str(Path(sys.executable).with_name("dvr")), "companion")


@pytest.fixture(scope="module")
def host() -> Iterator[LabHost]:
    with bare_lab(parse_topology(TOPOLOGY, "test.yaml")) as lab:
        yield lab["h1"]


@pytest.fixture
def companion(host: LabHost, tmp_path: Path) -> Iterator[Companion]:
    file = tmp_path / "topology.yaml"
    file.write_text(TOPOLOGY)
    companion = Companion(host, file, "h1")
    yield companion
    companion("down")


@pytest.fixture
def log(companion: Companion, tmp_path: Path) -> Iterator[Path]:
    """The log of a companion that keeps running."""
    host, log = companion.host, tmp_path / "log"
    command = [*COMPANION, "run", str(companion.file), "--host", "h1"]
    host.start_service("companion", command, log, {"PYTHONUNBUFFERED": "1"})
    await_state(host, lambda state: state["state"] == "applied")
    yield log
    run(host, f"kill {host.service_pid('companion')}")
    wait_until(lambda: host.service_pid("companion") is None, 20, "its end")


def full(host: LabHost) -> None:
    """Fill /run to the last byte."""
    run(host, "mount -o remount,size=16m /run")
    filled = host.run(["dd", "if=/dev/zero", "of=/run/ballast", "bs=4k"], check=False)
    assert "No space left" in filled.stderr


def roomy(host: LabHost) -> None:
    run(host, "rm /run/ballast")


def read_only(host: LabHost) -> None:
    """Make the folder of the companion's notes read-only; the companion already has its lock."""
    run(host, "mount --bind /run/dvr_ryu /run/dvr_ryu")
    run(host, "mount -o remount,bind,ro /run/dvr_ryu")


def writable(host: LabHost) -> None:
    run(host, "umount /run/dvr_ryu")


@pytest.mark.parametrize(
    ("begin", "finish", "reason"),
    [
        (full, roomy, "No space left on device"),
        (read_only, writable, "Read-only file system"),
    ],
)
def test_an_edit_waits_for_room(
    companion: Companion,
    log: Path,
    begin: Callable[[LabHost], None],
    finish: Callable[[LabHost], None],
    reason: str,
) -> None:
    host = companion.host
    before = await_state(host, lambda state: True)
    begin(host)
    try:
        companion.edit(OLD, NEW)
        lines = partial(_lines_with, log, reason)
        wait_until(lambda: bool(lines()), 20, "a line that tells", log.read_text)
        reported_at = time.monotonic()
        wait_until(
            lambda: time.monotonic() > reported_at + 2 * CHECK_SECONDS, 20, "two more attempts"
        )
    finally:
        finish(host)
    await_state(
        host,
        lambda state: state["state"] == "applied" and state["topology"] != before["topology"],
    )
    assert host.service_starts("companion") == 1 and "Traceback" not in log.read_text()
    (line,) = lines()
    assert re.fullmatch(rf"\S+ cannot write /run/dvr_ryu/\S+: {reason}", line)
    assert companion("plan") == []


def _lines_with(log: Path, text: str) -> list[str]:
    return [line for line in log.read_text().splitlines() if text in line]


def test_without_threads_it_ends_and_is_started_again(companion: Companion, tmp_path: Path) -> None:
    host, log = companion.host, tmp_path / "log"
    command = [*COMPANION, "run", str(companion.file), "--host", "h1"]
    host.start_service("companion", ["prlimit", f"--as={100 << 20}", *command], log, {})
    expected = "the companion ends: it gets no thread; see its limits, and those of this machine"
    wait_until(
        lambda: log.exists() and log.read_text().count(expected) > 1, 30, "it", log.read_text
    )
    assert "Traceback" not in log.read_text()
    wait_until(lambda: host.start_service("companion", command, log, {}), 20, "its next end")
    await_state(host, lambda state: state["state"] == "applied")
    assert companion("plan") == []
    run(host, f"kill {host.service_pid('companion')}")
    wait_until(lambda: host.service_pid("companion") is None, 20, "its end")


RULES = {
    "qrouter-": ("iptables -I FORWARD -p tcp -j DROP", "iptables -D FORWARD -p tcp -j DROP"),
    "fip-": ("iptables-legacy -I FORWARD -j DROP", "iptables-legacy -D FORWARD -j DROP"),
    "snat-": ("iptables -t mangle -A INPUT -j DROP", "iptables -t mangle -D INPUT -j DROP"),
    "qdhcp-": ("iptables -P INPUT DROP", "iptables -P INPUT ACCEPT"),
}
"""Start of a namespace's name → a command that damages it, and one that restores it."""
DAMAGE = {
    "qrouter-": "a rule of others (-p tcp -j DROP) in filter FORWARD of iptables",
    "fip-": "a rule of others (-j DROP) in filter FORWARD of iptables-legacy",
    "snat-": "a rule of others (-j DROP) in mangle INPUT of iptables",
    "qdhcp-": "the policy DROP in filter INPUT of iptables",
}


def test_foreign_rules_are_reported_once_and_left_alone(companion: Companion, log: Path) -> None:
    host = companion.host
    names = {
        each.split("-")[0] + "-": each for each in run(host, "ip netns").split() if "-" in each
    }
    lines = {begin: f"{names[begin]} has {damage}: left alone" for begin, damage in DAMAGE.items()}
    for begin, (rule, _) in RULES.items():
        run(host, rule, names[begin])
    run(host, "arptables-nft -A OUTPUT -j DROP", names["qrouter-"])
    lines["nft"] = (
        f"{names['qrouter-']} has a rule of others in arp filter OUTPUT of nft: left alone"
    )
    wait_until(lambda: all(line in log.read_text() for line in lines.values()), 20, "all lines")
    plan = host.run([*COMPANION, "plan", str(companion.file), "--host", "h1"])
    assert plan.stdout == "" and all(line in plan.stderr for line in lines.values())
    check = host.run([*COMPANION, "check", str(companion.file), "--host", "h1"], check=False)
    assert check.stdout.count("left alone, but packets may end there") == len(lines)
    looked = time.monotonic()
    wait_until(lambda: time.monotonic() > looked + 2 * CHECK_SECONDS, 20, "two more looks")
    assert all(log.read_text().count(line) == 1 for line in lines.values())
    for begin, (_, undo) in RULES.items():
        run(host, undo, names[begin])
    run(host, "arptables-nft -F", names["qrouter-"])
    plan = host.run([*COMPANION, "plan", str(companion.file), "--host", "h1"])
    assert "left alone" not in plan.stderr
