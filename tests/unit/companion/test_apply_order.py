"""Resources are made after what they need, whatever the order in which makers end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dvr_ryu.companion import apply_order
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


def makers(make: Callable[[Sequence[Resource]], object]) -> dict[type[Resource], apply_order.Maker]:
    return dict.fromkeys(KINDS, make)


@settings(max_examples=50, deadline=None)
@given(st.permutations(ALL), st.sets(st.sampled_from(ALL[1:])))
def test_each_is_made_once_and_after_what_it_needs(
    resources: list[Resource], left_out: set[Resource]
) -> None:
    record, told = Record(), list[int]()
    wanted = [resource for resource in resources if resource not in left_out]
    # What is not to be made counts as there.
    record.done = [resource.key for resource in left_out]
    apply_order.make(wanted, makers(record.make), told.append)
    assert sorted(map(repr, record.done)) == sorted(repr(resource.key) for resource in ALL)
    assert sum(told) == len(wanted)


def test_a_device_that_is_moved_waits_for_all_but_programs() -> None:
    record = Record()
    apply_order.make(ALL, makers(record.make), lambda _: None)
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

    by_kind = makers(lambda _: None)
    apply_order.make(ALL, {**by_kind, Device: move, Process: start}, lambda _: None)


def test_the_first_refusal_ends_it_and_what_is_begun_is_ended() -> None:
    record = Record()

    def refuse(resources: Sequence[Resource]) -> None:
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        apply_order.make(ALL, {**makers(record.make), Device: refuse}, lambda _: None)
    assert record.done == [HOME.key]
    assert not [thread for thread in threading.enumerate() if "ThreadPool" in thread.name]
