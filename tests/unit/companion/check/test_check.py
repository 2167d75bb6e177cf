"""The output of `dvr companion check` for its findings, and its trials of the kernel."""

from __future__ import annotations

import subprocess
import sys

import pytest

from dvr_ryu.companion.check.finding import exit_code, fails, passes, summary, warns
from dvr_ryu.companion.desired import desired_resources
from dvr_ryu.companion.providers.netlink.datapath import kernel_serves
from dvr_ryu.companion.resources.resource import programs_of
from dvr_ryu.topology.loading import parse_topology
from dvr_ryu.topology.view import HostView

GOOD, ODD, BAD = passes("a", "is there"), warns("b", "is odd", "look"), fails("c", "is not", "do")


@pytest.mark.parametrize(
    "found, code, expected",
    [
        ([GOOD, GOOD], 0, "this machine is ready"),
        ([GOOD, ODD, ODD], 0, "this machine is ready: 2 WARN"),
        ([GOOD, ODD, BAD], 1, "this machine is not ready: 1 FAIL, 1 WARN"),
    ],
)
def test_a_warning_is_no_error(found, code, expected):
    assert exit_code(found) == code
    assert summary(found) == expected


def test_the_kernel_tells_what_it_serves():
    assert kernel_serves("nlctrl")
    assert not kernel_serves("no_such_family")


def test_only_root_may():
    """The test runs in its own process, which drops root's rights if it has them."""
    program = """if True:
        import os
        from dvr_ryu.companion.providers.kernel import rights
        from dvr_ryu.errors import HostError
        if rights.is_root():
            os.setuid(65534)
        try:
            rights.require()
        except HostError as error:
            print(error)"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "run it as root (sudo)" in done.stdout


@pytest.mark.parametrize(
    "dhcp, routers, expected",
    [
        ("false", "{}", set()),
        ("true", "{}", {"dnsmasq", "udhcpc"}),
        (
            "false",
            "{r: {interfaces: [{network: n}], external_network: x}}",
            {"iptables-save", "iptables-restore"},
        ),
    ],
)
def test_only_what_a_host_needs_is_asked_for(dhcp, routers, expected):
    topology = parse_topology(
        f"""
hosts: {{h: {{address: 10.0.0.1, snat: true}}}}
networks:
  n: {{subnets: [{{cidr: 10.1.0.0/24, dhcp: {dhcp}}}]}}
  x: {{external: true, subnets: [{{cidr: 2.2.2.0/24}}]}}
routers: {routers}
instances: {{i: {{host: h, network: n}}}}
""",
        "needs.yaml",
    )
    needed = programs_of(desired_resources(HostView(topology, "h"), "netdev"))
    assert needed == {"ip", "ovs-appctl", "ovs-ofctl", *expected}
