"""The kernel's table of neighbours: the estimate of a lab's entries, and the warning about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dvr_ryu.companion.check.finding import Verdict
from dvr_ryu.companion.check.neighbour_table import findings
from dvr_ryu.companion.providers.kernel import neighbour_table
from dvr_ryu.lab.proof.neighbours import estimate, shortage
from dvr_ryu.shipped import examples_dir
from dvr_ryu.topology.loading import load_topology, parse_topology
from dvr_ryu.topology.view import HostView

ARTICLE = load_topology(examples_dir() / "human-defined-dvr.yaml")
LARGE = "\n".join(
    [
        "controller: tcp:10.0.44.200:6653",
        "hosts:",
        *(f"  h{n}: {{address: 10.0.44.{n}, snat: {str(n == 1).lower()}}}" for n in range(1, 26)),
        "networks:",
        "  one: {subnets: [{cidr: 10.1.0.0/24}]}",
        "  two: {subnets: [{cidr: 10.2.0.0/24}]}",
        "  x: {external: true, subnets: [{cidr: 2.2.2.0/24, dhcp: false}], gateway_host: h1}",
        "routers: {r: {interfaces: [{network: one}, {network: two}], external_network: x}}",
        "instances:",
        *(f"  a{n}: {{host: h{n}, network: one}}" for n in range(1, 26)),
        *(f"  b{n}: {{host: h{n}, network: two}}" for n in range(1, 26)),
    ]
)
STATISTICS = """\
entries  allocs   destroys
{:08x} 00000001 00000000
{:08x} 00000001 00000000
"""


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The files in which a kernel has its limit and its number of entries."""
    limit, statistics = tmp_path / "gc_thresh3", tmp_path / "arp_cache"
    monkeypatch.setattr(neighbour_table, "LIMIT", limit)
    monkeypatch.setattr(neighbour_table, "STATISTICS", statistics)
    return limit, statistics


def test_a_lab_without_room_gets_advice(kernel: tuple[Path, Path]) -> None:
    limit, statistics = kernel
    limit.write_text("1024\n")
    statistics.write_text(STATISTICS.format(7, 7))
    assert shortage(ARTICLE) == ""
    statistics.write_text(STATISTICS.format(1000, 1000))
    needed = 1000 + estimate(ARTICLE)
    assert shortage(ARTICLE) == (
        f"the kernel has room for 1024 neighbours of all hosts together, but about {needed}"
        " will be needed: packets may be lost; type sysctl"
        " -w net.ipv4.neigh.default.gc_thresh3=4096"
    )


def test_a_lab_of_25_hosts_and_50_instances_gets_advice_and_a_small_one_does_not(
    kernel: tuple[Path, Path],
) -> None:
    limit, statistics = kernel
    limit.write_text("1024\n")
    statistics.write_text(STATISTICS.format(60, 60))
    assert shortage(ARTICLE) == ""
    assert "gc_thresh3=4096" in shortage(parse_topology(LARGE, "large.yaml"))


def test_a_kernel_that_does_not_tell_is_not_complained_of(kernel: tuple[Path, Path]) -> None:
    assert shortage(ARTICLE) == ""
    assert list(findings(HostView(ARTICLE, "server-233"))) == []


def test_a_host_gets_the_advice(kernel: tuple[Path, Path]) -> None:
    limit, _ = kernel
    view = HostView(ARTICLE, "server-233")
    for room, verdict in ((1024, Verdict.PASS), (5, Verdict.WARN)):
        limit.write_text(f"{room}\n")
        (found,) = findings(view)
        assert found.verdict is verdict


@pytest.mark.parametrize(("needed", "room"), [(1, 4096), (2048, 4096), (2049, 8192), (5000, 16384)])
def test_the_advice_has_room_for_twice_as_many(needed: int, room: int) -> None:
    assert neighbour_table.advice(needed).endswith(f"={room}")
