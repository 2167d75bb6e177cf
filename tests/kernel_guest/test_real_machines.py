"""Labs of real machines: two and three guests with a kernel each, and the proof of a lab over them.

They are part of `make test-kernel`, not of `make test`.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dvr_ryu.lab.proof.proof import try_all
from dvr_ryu.topology.loading import declaration_of
from tests.kernel_guest.guest import CHECKOUT, Guest
from tests.kernel_guest.real_lab import RealLab, real_lab

ARTICLE = (CHECKOUT / "examples/human-defined-dvr.yaml").read_text()
TWO_HOSTS = """\
controller: tcp:10.0.44.1:6653
underlay: {cidr: 10.0.44.0/24, mtu: 1600, tunnel_type: geneve}
hosts:
  h1: {address: 10.0.44.11}
  h2: {address: 10.0.44.12, snat: true}
networks:
  red: {subnets: [{cidr: 10.1.0.0/24}]}
  green: {subnets: [{cidr: 10.2.0.0/24}]}
  outside: {external: true, subnets: [{cidr: 203.0.113.0/24}], gateway_host: h2}
routers:
  r: {interfaces: [{network: red}, {network: green}], external_network: outside}
instances:
  a: {host: h1, network: red}
  b: {host: h2, network: red}
  c: {host: h1, network: green}
floating_ips:
  203.0.113.50: {instance: a}
"""

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="shows the machine's root to guests"),
    pytest.mark.skipif(Path(Guest.SHARE).is_dir(), reason="this is a guest itself"),
    pytest.mark.timeout(3600),
]


def test_the_articles_three_servers_as_real_machines() -> None:
    with real_lab(ARTICLE) as running:
        _prove(running, ARTICLE)


def test_two_real_machines_with_geneve_and_a_move_between_them() -> None:
    with real_lab(TWO_HOSTS) as running:
        _prove(running, TWO_HOSTS)
        moved = TWO_HOSTS.replace("c: {host: h1", "c: {host: h2")
        running.save(moved)
        running.await_applied(moved)
        _prove(running, moved)
        assert "vm-c" not in running.hosts["h1"].run(["ip", "netns"]).stdout


def _prove(running: RealLab, text: str) -> None:
    """Run the checks of `dvr lab test`; all pass, on the kernel's datapath."""
    for host in running.hosts.values():
        assert host.run(["ovs-appctl", "dpif/show"]).stdout.startswith("system@ovs-system:")
    results = try_all(running.lab, declaration_of(text, "topology").topology, print)
    assert [each for each in results if not each.passed] == []
    assert len(results) > 10
