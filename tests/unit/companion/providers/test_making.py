"""Resources are made after their dependencies, in any order of the providers' ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dvr_ryu.companion.providers.making import make
from dvr_ryu.companion.providers.provider import Look, Provider
from dvr_ryu.companion.resources.device import Device
from dvr_ryu.companion.resources.namespace import Namespace
from dvr_ryu.companion.resources.process import Process
from dvr_ryu.companion.resources.resource import Key, Resource
from dvr_ryu.companion.resources.routing.address import Address
from dvr_ryu.companion.resources.sysctl import Sysctl

HOME = Namespace("home")
LOOPBACK = Device("home", "lo", None, None, None, HOME.key)
MOVED = Device("home", "qr-1", None, None, None, ("port", "qr-1", False, False))
ON_MOVED = Address("home", "qr-1", "10.0.0.1/24", None)
PROGRAM = Process("p", "home", ("p",), LOOPBACK.key)
SETTING = Sysctl("home", "net/x", "1", HOME.key, after=(LOOPBACK.key,))
ALL = (HOME, LOOPBACK, MOVED, ON_MOVED, PROGRAM, SETTING)
KINDS = (Namespace, Device, Address, Process, Sysctl)


class Record:
    """Notes when each resource is begun and done."""

    def __init__(self) -> None:
        self.done: list[Key] = []
        self.events: list[tuple[str, Key]] = []
        self._lock = threading.Lock()

    def make(self, resources: Sequence[Resource]) -> None:
        with self._lock:
            self.events += [("begin", resource.key) for resource in resources]
            for resource in resources:
                among = {each.key for each in ALL}
                needs = {need for need in (resource.container, *resource.after) if need in among}
                assert needs <= set(self.done), resource
        with self._lock:
            self.events += [("end", resource.key) for resource in resources]
            self.done += [resource.key for resource in resources]


class Making(Provider):
    """Makes resources by a function."""

    kinds = KINDS

    def __init__(self, make: Callable[[Sequence[Resource]], object]) -> None:
        self._make = make

    def read(self, look: Look) -> Sequence[Resource]:
        raise AssertionError(look)

    def make(self, resources: Sequence[Resource]) -> None:
        self._make(resources)

    def remove(self, resources: Sequence[Resource]) -> None:
        raise AssertionError(resources)


def providers(
    make: Callable[[Sequence[Resource]], object],
    **others: Callable[[Sequence[Resource]], object],
) -> dict[type[Resource], Provider]:
    """Kind → a provider that makes by `make`; of some kinds, named as their classes, by another."""
    return {kind: Making(others.get(kind.__name__, make)) for kind in KINDS}


@settings(max_examples=50, deadline=None)
@given(st.permutations(ALL), st.sets(st.sampled_from(ALL[1:])))
def test_each_is_made_once_and_after_what_it_needs(
    resources: list[Resource], left_out: set[Resource]
) -> None:
    record, counts = Record(), list[int]()
    wanted = [resource for resource in resources if resource not in left_out]
    # A resource that is not to be made counts as present.
    record.done = [resource.key for resource in left_out]
    make(wanted, providers(record.make), counts.append)
    assert sorted(map(repr, record.done)) == sorted(repr(resource.key) for resource in ALL)
    assert sum(counts) == len(wanted)


def test_a_device_that_is_moved_waits_for_all_but_programs() -> None:
    record = Record()
    make(ALL, providers(record.make), lambda _: None)
    moving = record.events.index(("begin", MOVED.key))
    before = {key for event, key in record.events[:moving] if event == "end"}
    assert {HOME.key, LOOPBACK.key, SETTING.key} <= before
    assert ON_MOVED.key not in before


def test_a_program_starts_while_devices_are_moved() -> None:
    moving, started = threading.Event(), threading.Event()

    def move(resources: Sequence[Resource]) -> None:
        if MOVED in resources:
            moving.set()
            assert started.wait(10), "the program waits for the device"

    def start(resources: Sequence[Resource]) -> None:
        assert moving.wait(10), "the device waits for the program"
        started.set()

    make(ALL, providers(lambda _: None, Device=move, Process=start), lambda _: None)


def test_the_first_refusal_ends_it_and_what_is_begun_is_ended() -> None:
    record = Record()

    def refuse(resources: Sequence[Resource]) -> None:
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        make(ALL, providers(record.make, Device=refuse), lambda _: None)
    assert record.done == [HOME.key]
    assert not [thread for thread in threading.enumerate() if "ThreadPool" in thread.name]
