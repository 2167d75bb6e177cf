"""After any edit, cached resources equal those that would be made."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate
from random import Random
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from dvr_ryu.companion.desired import desired_resources
from dvr_ryu.companion.desired.cache import ResourceCache
from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.shipped import examples_dir
from dvr_ryu.topology.loading import load_topology, parse_topology
from dvr_ryu.topology.view import HostView
from tests.lab.support.random_edits import edited as edited_by_a_person
from tests.lab.support.random_edits import start, yaml_of
from tests.unit.pipeline.sites import Site, edited, edits, sites, topology

ARTICLE = examples_dir() / "human-defined-dvr.yaml"
SEEDS, EDITS = 6, 40


def whole(resources: Iterable[Resource]) -> list[Any]:
    """Resources with their dependencies, which are not part of their value."""
    return [(resource, resource.container, resource.after) for resource in resources]


@settings(max_examples=60, deadline=None)
@given(
    site=sites, changes=st.lists(edits, max_size=4), datapath=st.sampled_from(["netdev", "system"])
)
def test_any_edit_ends_with_the_resources_of_a_fresh_start(
    site: Site, changes: list[Any], datapath: str
) -> None:
    cache = ResourceCache()
    for each in accumulate(changes, edited, initial=site):
        view = HostView(topology(each), "host-0")
        edit, fresh = desired_resources(view, datapath, cache), desired_resources(view, datapath)
        assert whole(edit) == whole(fresh)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_whatever_a_person_does_to_the_file_ends_with_them_too(seed: int) -> None:
    random, document = Random(seed), start()
    caches: dict[str, ResourceCache] = {}
    for _ in range(EDITS):
        did, document = edited_by_a_person(document, random)
        after = parse_topology(yaml_of(document), "edited.yaml")
        for host in after.hosts:
            view = HostView(after, host)
            edit = desired_resources(view, "netdev", caches.setdefault(host, ResourceCache()))
            assert whole(edit) == whole(desired_resources(view, "netdev")), (host, did)


def test_what_is_around_a_card_counts_too() -> None:
    article = load_topology(ARTICLE)
    blue = article.networks["blue"]
    (subnet,) = blue.subnets
    unserved = evolve(blue, subnets=(evolve(subnet, dhcp=False),))
    for other in (
        evolve(article, underlay=evolve(article.underlay, mtu=9000)),
        evolve(article, networks={**article.networks, "blue": unserved}),
        evolve(article, local_vlans={host: {n: v + 1 for n, v in vlans.items()}
                                     for host, vlans in article.local_vlans.items()}),
        evolve(article, service_ports=()),
    ):  # fmt: skip
        cache = ResourceCache()
        before = desired_resources(HostView(article, "server-233"), "netdev", cache)
        view = HostView(other, "server-233")
        after = desired_resources(view, "netdev", cache)
        assert before != after == desired_resources(view, "netdev")


def test_a_router_counts_its_external_network_in() -> None:
    article = load_topology(ARTICLE)
    external = evolve(article.networks["external"], id="another")
    other = evolve(article, networks={**article.networks, "external": external})
    caches = {host: ResourceCache() for host in article.hosts}
    for each in (article, other):
        for host in article.hosts:
            view = HostView(each, host)
            assert whole(desired_resources(view, "netdev", caches[host])) == whole(
                desired_resources(view, "netdev")
            )


def test_what_an_edit_does_not_touch_is_the_same_resource() -> None:
    cache = ResourceCache()
    one, other = (
        desired_resources(HostView(load_topology(ARTICLE), "server-233"), "netdev", cache)
        for _ in range(2)
    )
    cards = [(a, b) for a, b in zip(one, other, strict=True) if "vm-" in str(a.key)]
    assert cards and all(a is b for a, b in cards)
