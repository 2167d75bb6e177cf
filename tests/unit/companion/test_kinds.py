"""Each kind of resource is complete: one provider, shell lines both ways, programs, a
description."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from dvr_ryu.companion import providers, resources
from dvr_ryu.companion.desired import desired_resources
from dvr_ryu.companion.host import Providers
from dvr_ryu.companion.providers.commands import PROGRAMS
from dvr_ryu.companion.providers.provider import Provider
from dvr_ryu.companion.resources.dhcp.leases import StaleLease
from dvr_ryu.companion.resources.openvswitch.bridge import Bridge
from dvr_ryu.companion.resources.openvswitch.plugged_port import PluggedPort
from dvr_ryu.companion.resources.openvswitch.tls import SwitchTls
from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.companion.resources.routing.foreign_route import ForeignRoute
from dvr_ryu.packages import PACKAGES
from dvr_ryu.shipped import examples_dir
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.view import HostView


def subclasses(base: type[Any], package: Any) -> set[type[Any]]:
    """Import all modules of a package; return the classes there that have a base."""
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)

    def below(cls: type[Any]) -> Iterator[type[Any]]:
        for each in cls.__subclasses__():
            yield each
            yield from below(each)

    return {each for each in below(base) if each.__module__.startswith(f"{package.__name__}.")}


def _kinds() -> Iterator[type[Resource]]:
    for each in subclasses(Resource, resources):
        # attrs makes a class with slots a second time: the first one stays among the subclasses.
        if "kind" in vars(each) and "__attrs_attrs__" in vars(each):
            yield each


KINDS = sorted(_kinds(), key=lambda kind: kind.kind)


@pytest.fixture(scope="module")
def examples() -> list[Resource]:
    """Resources of all hosts of the examples, and those that no host desires."""
    found: list[Resource] = [
        StaleLease("q", "fa:16:3e:00:00:01", "10.0.0.1", None),
        ForeignRoute("r", 254, "blackhole", "10.9.0.0/16"),
        SwitchTls(dict.fromkeys(("private_key", "certificate", "ca_cert"), "x")),
        Bridge("br-int", {}, {}),
        ForeignRoute("q", 254, "blackhole", "default"),
        PluggedPort("br-int", "vnet0", 7, 33000),
    ]
    for file in sorted(examples_dir().glob("*.yaml")):
        topology = load_topology(file)
        for host in topology.hosts:
            found += desired_resources(HostView(topology, host), "netdev")
    return found


def _of(kind: type[Resource], resources: Iterable[Resource]) -> Resource:
    return next(each for each in resources if type(each) is kind)


def test_each_kind_has_a_name_of_its_own() -> None:
    assert len({kind.kind for kind in KINDS}) == len(KINDS) > 20


def test_each_kind_has_one_provider_and_each_provider_is_known_to_the_host() -> None:
    every: Any = None
    known = Providers(every, every, every)
    handled = [kind for provider in known.all for kind in provider.kinds]
    assert sorted(kind.kind for kind in handled) == [kind.kind for kind in KINDS]
    assert {*map(type, known.all)} == {
        each for each in subclasses(Provider, providers) if hasattr(each, "kinds")
    }


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_a_kind_says_itself_both_ways_and_names_its_programs(
    kind: type[Resource], examples: list[Resource]
) -> None:
    resource = _of(kind, examples)
    assert resource.kind and resource.key[0] == kind.kind
    assert resource.describe() and "\n" not in resource.describe()
    for lines in (
        kind.make_all_lines([resource], {}, "h1"),
        kind.make_all_lines([resource], {resource.key: resource}, "h1"),
        kind.remove_all_lines([resource], "h1"),
    ):
        assert all(line.strip() for line in lines)
    assert {*resource.programs} <= PACKAGES.keys() and {*resource.programs} <= {*PROGRAMS}
