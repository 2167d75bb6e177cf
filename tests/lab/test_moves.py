"""Instances that move between hosts while they are pinged: make before break."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from dvr_ryu.lab import lifecycle
from dvr_ryu.lab.host import LabHost
from dvr_ryu.lab.state import StateFolder
from tests.lab.companions import run
from tests.lab.pinging import GAP, counted
from tests.lab.random_edits import Words, start, text_of
from tests.lab.test_changes import hosts_of, lab

PINGS = {
    "in its network": ("h1", "vm-p", "10.1.0.77"),
    "in its network, from where it was": ("h2", "vm-s", "10.1.0.77"),
    "by the router": ("h2", "vm-q", "10.1.0.77"),
    "by its floating address": ("h1", None, "2.2.2.110"),
    "in a network without a router": ("h1", "vm-alone", "10.101.0.12"),
    "in one, from where it was": ("h2", "vm-beside", "10.101.0.12"),
}
IN_FLIGHT = max(GAP, 3)
"""So many in a row may be on their way when flows change and ports are shut."""


@pytest.fixture(scope="module")
def words() -> Words:
    words = start()
    words["networks"]["k1"] = {"subnets": [{"cidr": "10.101.0.0/24"}]}
    words["instances"] |= {
        "v1": {"host": "h2", "network": "n", "ip": "10.1.0.77"},
        "v2": {"host": "h2", "network": "k1", "ip": "10.101.0.12"},
        "alone": {"host": "h1", "network": "k1"},
        "beside": {"host": "h2", "network": "k1"},
    }
    words["floating_ips"]["2.2.2.110"] = {"instance": "v1"}
    return words


@pytest.fixture(scope="module")
def file(words: Words, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("moves") / "topology.yaml"
    file.write_text(text_of(words))
    return file


@pytest.fixture(scope="module")
def moves(file: Path) -> Iterator[StateFolder]:
    with lab(file, file.parent / "lab") as folder:
        yield folder


def addressed(host: LabHost, instance: str) -> str:
    return run(host, "ip -4 -br addr show dev eth0", f"vm-{instance}")


@pytest.mark.parametrize("to", ["h3", "h1", "h2"])
def test_a_move_loses_only_what_is_in_flight(
    moves: StateFolder, file: Path, words: Words, to: str
) -> None:
    """To a host that has not had its networks, to one beside whom it is pinged from, and back."""
    hosts = hosts_of(moves, file)
    old = hosts[words["instances"]["v1"]["host"]]
    with ExitStack() as stack:
        pings = {
            what: stack.enter_context(counted(hosts[a], b, c)) for what, (a, b, c) in PINGS.items()
        }
        for name in ("v1", "v2"):
            words["instances"][name]["host"] = to
        file.write_text(text_of(words))
        lifecycle.up(file, lambda _: None, moves)
    assert {what: str(each) for what, each in pings.items() if each.longest_gap > IN_FLIGHT} == {}
    for name in ("v1", "v2"):
        assert f"vm-{name}" not in run(old, "ip netns")
        assert words["instances"][name]["ip"] in addressed(hosts[to], name)
