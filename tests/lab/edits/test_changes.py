"""Random edits of a running lab's file: each ends in the state of a fresh start on the edited file,
and instances that were not edited are not disturbed.

DVR_EDITS is the number of edits, DVR_SEED their seed, which is printed. With DVR_FRESH=1 the test
compares with a fresh lab after every edit, not only after the last.
"""

from __future__ import annotations

import os
import re
import secrets
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random

import pytest

from dvr_ryu.errors import FileError, HostError
from dvr_ryu.lab import lifecycle
from dvr_ryu.lab.hosts.host import LabHost
from dvr_ryu.lab.state import StateFolder
from dvr_ryu.lab.wait import wait_until
from dvr_ryu.topology.loading import load_topology
from tests.lab.support.inventory import Inventory, differences, inventory
from tests.lab.support.pinging import unbroken
from tests.lab.support.random_edits import edited, start, yaml_of

EDITS = int(os.environ.get("DVR_EDITS", "8"))
SEED = int(os.environ.get("DVR_SEED", secrets.randbelow(1_000_000)))
EVERY = "DVR_FRESH" in os.environ
DVR = str(Path(sys.executable).with_name("dvr"))

TOUCHING_NOBODY = [
    ("h1", "vm-p", "10.1.0.12"),
    ("h1", "vm-p", "10.2.0.13"),
    ("h2", "vm-q", "10.1.0.11"),
    ("h2", "vm-s", "10.1.0.11"),
    ("h1", None, "2.2.2.101"),
    ("h2", None, "3.3.3.101"),
    ("h1", "vm-t", "3.3.3.1"),
]
"""Pings that must not be disturbed: a host, a namespace in it, an address."""


@contextmanager
def lab(file: Path, folder: Path) -> Iterator[StateFolder]:
    """A lab of the file, for as long as the block lasts."""
    state = StateFolder(folder)
    try:
        lifecycle.up(file, lambda _: None, state)
        yield state
    finally:
        lifecycle.down(state)


def hosts_of(folder: StateFolder, file: Path) -> dict[str, LabHost]:
    running = lifecycle.running(folder).lab_hosts
    return {name: running[name] for name in load_topology(file).hosts}


def inventories(folder: StateFolder, file: Path) -> dict[str, Inventory]:
    hosts = hosts_of(folder, file)
    with ThreadPoolExecutor() as pool:
        return dict(zip(hosts, pool.map(inventory, hosts.values()), strict=True))


def nothing_to_do(folder: StateFolder, file: Path) -> dict[str, str]:
    """The changes that the companions would still make, by host."""

    def plan(host: LabHost) -> str:
        command = [DVR, "companion", "plan", str(file), "--host", host.name]
        return host.run(command, check=False).stdout

    hosts = hosts_of(folder, file)
    with ThreadPoolExecutor() as pool:
        plans = dict(zip(hosts, pool.map(plan, hosts.values()), strict=True))
    return {name: plan for name, plan in plans.items() if plan}


def as_fresh(folder: StateFolder, file: Path, scratch: Path) -> list[str]:
    """The differences between a lab and a new lab of the same file."""
    with lab(file, scratch) as other:
        fresh = inventories(other, file)
        found: list[str] = []

        def alike() -> bool:
            installed = inventories(folder, file)
            found[:] = [
                f"{name}: {line}"
                for name in fresh
                for line in differences(fresh[name], installed[name])
            ]
            return not found

        # A DHCP client may not have noted its lease yet.
        try:
            wait_until(alike, 3, "")
        except HostError:
            return found
    return []


def remains_after_down(folder: StateFolder, file: Path) -> dict[str, list[str]]:
    """Everything on hosts that neither an administrator made nor `dvr companion down` removed."""
    remains: dict[str, list[str]] = {}
    for name, host in hosts_of(folder, file).items():
        host.run(["kill", str(host.service_pid("companion"))])
        wait_until(lambda: host.service_pid("companion") is None, 10, "its end")  # noqa: B023
        host.run([DVR, "companion", "down", "--host", name])
        has = inventory(host)
        assert all("br-phys" in line for line in has.pop("ports of bridges", []))
        found = [line for kind in ("processes", "files") for line in has[kind]]
        found += [line for line in has["devices of the host"] if _MADE.search(line)]
        found += [line for line in has["settings of the host"] if line == "ipv4/ip_forward:1"]
        if found or has["namespaces"] != [""]:
            remains[name] = [*found, *has["namespaces"]]
    return remains


_MADE = re.compile('"(tap|qr-|fg-|qg-|sg-|gw-|br-int|br-tun)')


def test_dvr_lab_up_brings_a_running_lab_to_its_edited_file(tmp_path: Path) -> None:
    document, file = start(), tmp_path / "topology.yaml"
    file.write_text(yaml_of(document))
    with lab(file, tmp_path / "lab") as folder:
        before = hosts_of(folder, file)
        lifecycle.up(file, lambda _: None, folder)
        assert hosts_of(folder, file) == before
        file.write_text("hosts: {h1: {address: 10.0.0.1}}\n")
        with pytest.raises(
            FileError, match=r"confirm that they shall go: removed_hosts: \[h2, h3\]"
        ):
            lifecycle.up(file, lambda _: None, folder)
        wait_until(
            lambda: (
                "2 of the 3 hosts in force" in folder.log("companion-h3").read_text()
                and "2 of the 3 hosts in force" in folder.log("controller").read_text()
            ),
            20,
            "both refuse it, too",
        )
        file.write_text(yaml_of(document))
        assert hosts_of(folder, file) == before and not any(nothing_to_do(folder, file).values())
        del document["hosts"]["h3"]
        document["hosts"]["h4"] = {"address": "10.0.0.4"}
        document["hosts"]["h2"]["address"] = "10.0.0.22"
        document["instances"]["v4"] = {"host": "h4", "network": "m"}
        file.write_text(yaml_of(document))
        lifecycle.up(file, lambda _: None, folder)
        hosts = hosts_of(folder, file)
        assert hosts["h1"] == before["h1"] and not before["h3"].init.alive
        assert hosts["h2"] != before["h2"] and not before["h2"].init.alive
        q = load_topology(file).instances["q"].ip
        hosts["h4"].run(["ping", "-c1", "-W2", q], namespace="vm-v4")
        document["controller"] = "tcp:10.0.0.8:6653"
        file.write_text(yaml_of(document))
        with pytest.raises(HostError, match=r"type sudo .*dvr lab down, then lab up again"):
            lifecycle.up(file, lambda _: None, folder)
        assert hosts_of(folder, file) == hosts


@pytest.mark.alone
@pytest.mark.timeout(300 + (40 if EVERY else 20) * EDITS)
def test_random_edits_end_where_a_fresh_start_ends(tmp_path: Path) -> None:
    print(f"DVR_SEED={SEED} DVR_EDITS={EDITS}")
    random, document, file = Random(SEED), start(), tmp_path / "topology.yaml"
    file.write_text(yaml_of(document))
    with lab(file, tmp_path / "lab") as folder:
        bare_hosts = hosts_of(folder, file)
        with ExitStack() as pings:
            for host, namespace, address in TOUCHING_NOBODY:
                pings.enter_context(unbroken(bare_hosts[host], namespace, address))
            for number in range(EDITS):
                did, document = edited(document, random)
                began = time.time()
                print(f"{number + 1}. at {began:.2f}: {did}", end="", flush=True)
                file.write_text(yaml_of(document))
                lifecycle.up(file, lambda _: None, folder)
                print(f": {time.time() - began:.1f} s", flush=True)
                assert nothing_to_do(folder, file) == {}, did
                if EVERY:
                    scratch = tmp_path / f"fresh{number}"
                    assert "\n".join(as_fresh(folder, file, scratch)) == "", did
        assert "\n".join(as_fresh(folder, file, tmp_path / "fresh")) == ""
        assert remains_after_down(folder, file) == {}
