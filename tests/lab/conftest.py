"""Fixtures of lab hosts. They need root; without it, pytest skips these tests."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from ipaddress import IPv4Network

import pytest

from dvr_ryu.companion.providers.kernel.taps import TUN
from dvr_ryu.lab.hosts.bare import Lab, bare_lab
from dvr_ryu.topology.controller import Controller
from dvr_ryu.topology.model import Host, Underlay
from dvr_ryu.topology.topology import Topology


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.geteuid() == 0:
        return
    here = os.path.dirname(__file__)
    for item in items:
        if str(item.path).startswith(here):
            item.add_marker(pytest.mark.skip(reason="makes namespaces, which needs root"))


@pytest.fixture(scope="session", autouse=True)
def tap_devices() -> None:
    """Load the module by which userspace bridges get their devices. On a machine with the kernel's
    datapath nothing may have needed it yet, and some tests make such bridges there, too.
    """
    if os.geteuid() == 0 and not os.path.exists(TUN):
        subprocess.run(["modprobe", "tun"], check=True)


@pytest.fixture(scope="session")
def two_hosts() -> Topology:
    """Two hosts, a controller and an underlay, with addresses of the article; no networks."""
    return Topology(
        controller=Controller("10.0.44.1", 6653),
        underlay=Underlay(IPv4Network("10.0.44.0/24"), 1550),
        hosts={
            "server-233": Host("server-233", "10.0.44.233", "fa:16:3f:02:d7:f2", False, {}),
            "server-68": Host("server-68", "10.0.44.68", "fa:16:3f:08:c7:a5", False, {}),
        },
        networks={},
        routers={},
        instances={},
        floating_ips={},
        service_ports=(),
        local_vlans={},
    )


@pytest.fixture(scope="module")
def lab(two_hosts: Topology) -> Iterator[Lab]:
    """A bare lab for the tests of one module."""
    with bare_lab(two_hosts) as lab:
        yield lab
