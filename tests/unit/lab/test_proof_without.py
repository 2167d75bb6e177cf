"""A proof leaves out an instance that nobody has plugged in, and all that leads to it."""

from __future__ import annotations

from dvr_ryu.lab.proof.checks import address_checks, reach_checks
from dvr_ryu.lab.proof.expected import expected_checks
from dvr_ryu.lab.proof.plugged import without
from dvr_ryu.topology.loading import parse_topology
from tests.unit.topology.files import topology_file

TOPOLOGY = parse_topology(
    topology_file(
        networks="""
      blue: {subnets: [{cidr: 192.168.1.0/24}]}
      yellow: {subnets: [{cidr: 192.168.2.0/24}]}
      external: {external: true, gateway_host: one, subnets: [{cidr: 2.2.2.0/24}]}""",
        instances="""
      a: {host: one, network: blue, ip: 192.168.1.7, plugged: true}
      b: {host: two, network: yellow}
      c: {host: two, network: blue}""",
        floating_ips="""
      2.2.2.10: {instance: a, central: true}
      2.2.2.11: {instance: b}
      2.2.2.12: {port_forwardings: [
        {protocol: tcp, external_port: 80, instance: a},
        {protocol: tcp, external_port: 81, instance: c}]}""",
        expect="[{from: a, to: b}, {from: b, to: 2.2.2.10}, {from: b, to: 192.168.1.7}, "
        "{from: b, to: c}]",
    ),
    "t.yaml",
)


def test_all_that_leads_to_it_is_left_out():
    rest = without(TOPOLOGY, ["a"])
    checks = [*address_checks(rest), *reach_checks(rest), *expected_checks(rest)]
    ends = {end for check in checks for end in (check.source, check.target)}
    assert "b" in ends and "2.2.2.11" in ends and not {"a", "2.2.2.10", "192.168.1.7"} & ends
    assert [(each.source, each.target) for each in rest.expected] == [("b", "c")]
    assert [each.instance for each in rest.floating_ips["2.2.2.12"].forwardings] == ["c"]
    assert without(TOPOLOGY, []) == TOPOLOGY
