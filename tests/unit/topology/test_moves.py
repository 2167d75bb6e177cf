"""Which instances an edit moves, and the topology with them where they were."""

from __future__ import annotations

import pytest

from dvr_ryu.topology.loading import Declaration
from dvr_ryu.topology.moves import moved
from tests.unit.topology.files import topology_file

HERE = topology_file(instances="{a: {host: one, network: blue}, b: {host: two, network: yellow}}")


@pytest.mark.parametrize(
    ("a", "found"),
    [
        ("host: two, network: blue", {"a": "one"}),
        ("host: one, network: blue", {}),
        ("host: two, network: yellow", {}),
        ("host: two, network: blue, ip: 192.168.1.77", {}),
        ('host: two, network: blue, mac: "fa:16:3e:00:00:01"', {}),
    ],
)
def test_who_moves_stays_what_it_is(a: str, found: dict[str, str]):
    text = HERE.replace("host: one, network: blue", a)
    before, after = (Declaration(each, "t.yaml").topology for each in (HERE, text))
    assert moved(before, after) == found
    assert moved(after, after) == {}


def test_where_it_was_is_where_the_file_said_before():
    edited = Declaration(HERE.replace("a: {host: one", "a: {host: two"), "t.yaml")
    assert edited.with_hosts({"a": "one"}) == Declaration(HERE, "t.yaml").topology
    assert edited.with_hosts({}) is edited.topology
