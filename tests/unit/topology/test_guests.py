"""What represents an instance: each of its ports says it, and no number depends on it."""

from __future__ import annotations

import pytest
from attrs import evolve

from dvr_ryu.topology import model
from dvr_ryu.topology.loading import parse_topology
from dvr_ryu.topology.topology import Topology
from tests.unit.topology.files import topology_file

KINDS = {"guest: namespace": "namespace", "guest: qemu": "qemu", "plugged: true": "plugged"}


def load(key: str) -> Topology:
    a = f"a: {{host: one, {key}, ports: [{{network: blue}}, {{network: yellow}}]}}"
    return parse_topology(topology_file(instances=f"{{{a}}}"), "t.yaml")


@pytest.mark.parametrize(("key", "guest"), KINDS.items())
def test_each_port_of_an_instance_says_what_it_is(key: str, guest: str) -> None:
    topology, as_namespace = load(key), load("plugged: false")
    assert [card.guest for card in topology.cards] == [guest, guest]
    assert {port.guest for port in topology.service_ports} == {model.NAMESPACE}
    cards = [evolve(card, guest=model.NAMESPACE) for card in topology.cards]
    assert tuple(cards) == as_namespace.cards
