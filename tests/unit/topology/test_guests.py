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
    # Only the number by which the controller knows a port of others is another one.
    ofports = [card.ofport for card in as_namespace.cards if guest != model.PLUGGED]
    cards = [evolve(card, guest=model.NAMESPACE, ofport=0) for card in topology.cards]
    assert cards == [evolve(card, ofport=0) for card in as_namespace.cards]
    assert guest == model.PLUGGED or [card.ofport for card in topology.cards] == ofports
