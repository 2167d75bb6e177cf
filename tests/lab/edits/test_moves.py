"""Instances that move between hosts while they are pinged: make before break."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from dvr_ryu.companion.providers.dnsmasq import leases
from dvr_ryu.lab import lifecycle
from dvr_ryu.lab.hosts.host import LabHost
from dvr_ryu.lab.state import StateFolder
from dvr_ryu.lab.wait import wait_until
from tests.lab.edits.test_changes import hosts_of, lab
from tests.lab.support.companions import run
from tests.lab.support.pinging import GAP, counted
from tests.lab.support.random_edits import Document, start, yaml_of

pytestmark = pytest.mark.alone

PINGS = {
    "in its network": ("h1", "vm-p", "10.1.0.77"),
    "in its network, from where it was": ("h2", "vm-s", "10.1.0.77"),
    "by the router": ("h2", "vm-q", "10.1.0.77"),
    "by its floating address": ("h1", None, "2.2.2.110"),
    "in a network without a router, where nobody asks DHCP": ("h1", "vm-alone", "10.101.0.12"),
    "at its second NIC": ("h1", "vm-p", "10.1.0.78"),
    "in one, from where it was": ("h2", "vm-beside", "10.101.0.12"),
}
ADDRESSES = {"v1": "10.1.0.77", "v2": "10.101.0.12"}
SECOND = "10.1.0.78"
"""The address of the second NIC of v2."""
IN_FLIGHT = max(GAP, 3)
"""So many pings in a row may be in flight when flows change and ports are shut."""


@pytest.fixture(scope="module")
def document() -> Document:
    document = start()
    document["networks"]["k1"] = {"subnets": [{"cidr": "10.101.0.0/24", "dhcp": False}]}
    document["instances"] |= {
        "v1": {"host": "h2", "network": "n", "ip": ADDRESSES["v1"]},
        "v2": {
            "host": "h2",
            "ports": [{"network": "k1", "ip": ADDRESSES["v2"]}, {"network": "n", "ip": SECOND}],
        },
        "alone": {"host": "h1", "network": "k1"},
        "beside": {"host": "h2", "network": "k1"},
    }
    document["floating_ips"]["2.2.2.110"] = {"network": "x", "instance": "v1"}
    return document


@pytest.fixture(scope="module")
def file(document: Document, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("moves") / "topology.yaml"
    file.write_text(yaml_of(document))
    return file


@pytest.fixture(scope="module")
def moves(file: Path) -> Iterator[StateFolder]:
    with lab(file, file.parent / "lab") as folder:
        yield folder


def addressed(host: LabHost, instance: str) -> str:
    return run(host, "ip -4 -br addr show dev eth0", f"vm-{instance}")


_IS_LED = """
from dvr_ryu.companion.host import Host
from dvr_ryu.companion.providers.ovsdb.database import Database
print(Host("h1", Database()).is_led())
"""


def test_a_companion_knows_that_a_controller_is_there_to_shut_ports(
    moves: StateFolder, file: Path
) -> None:
    """Open vSwitch notes the controller some seconds later."""
    host = hosts_of(moves, file)["h1"]
    is_led = partial(host.run, [sys.executable, "-c", _IS_LED])
    wait_until(lambda: is_led().stdout == "True\n", 30, "the controller, as h1 knows it")


def lost_while(
    lab: StateFolder, file: Path, document: Document, to: str, edit: Callable[[], object]
) -> dict[str, str]:
    """Move v1 and v2 in one edit, which `edit` may extend, while they are pinged; return the pings
    that lost more packets than were in flight.
    """
    hosts = hosts_of(lab, file)
    old = hosts[document["instances"]["v1"]["host"]]
    with ExitStack() as stack:
        pings = {
            what: stack.enter_context(counted(hosts[a], b, c)) for what, (a, b, c) in PINGS.items()
        }
        for name in ("v1", "v2"):
            document["instances"][name]["host"] = to
        edit()
        file.write_text(yaml_of(document))
        lifecycle.up(file, lambda _: None, lab)
    for name in ("v1", "v2"):
        assert not old.init.alive or f"vm-{name}" not in run(old, "ip netns")
        assert ADDRESSES[name] in addressed(hosts_of(lab, file)[to], name)
    leased = {lease.ip for lease in leases.listed(hosts_of(lab, file)["h1"].path("/"))}
    assert {ADDRESSES["v1"], SECOND} <= leased
    return {what: str(each) for what, each in pings.items() if each.longest_gap > IN_FLIGHT}


@pytest.mark.parametrize("to", ["h3", "h1", "h2"])
def test_a_move_loses_only_packets_in_flight(
    moves: StateFolder, file: Path, document: Document, to: str
) -> None:
    """To a host without their networks, to the host that pings them, and back."""
    assert lost_while(moves, file, document, to, lambda: None) == {}


def test_so_does_a_move_to_a_host_that_joins_in_the_same_edit(
    moves: StateFolder, file: Path, document: Document
) -> None:
    joins = {"h4": {"address": "10.0.0.4"}}
    assert lost_while(moves, file, document, "h4", lambda: document["hosts"].update(joins)) == {}


def test_so_does_a_move_from_a_host_that_goes_in_the_same_edit(
    moves: StateFolder, file: Path, document: Document
) -> None:
    old = hosts_of(moves, file)["h4"]
    assert lost_while(moves, file, document, "h3", lambda: document["hosts"].pop("h4")) == {}
    assert not old.init.alive


def test_so_does_a_move_without_companions_at_the_edit(
    moves: StateFolder, file: Path, document: Document
) -> None:
    """The restarted companions remember the resources that they made before."""

    def end_companions() -> None:
        for host in (hosts_of(moves, file)[name] for name in ("h3", "h1")):
            host.run(["kill", str(host.service_pid("companion"))])
            wait_until(lambda: host.service_pid("companion") is None, 10, "its end")  # noqa: B023

    assert lost_while(moves, file, document, "h1", end_companions) == {}
