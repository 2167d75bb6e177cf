"""One look at a host reads shared data once, whichever thread requests it first."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from dvr_ryu.companion.providers.provider import Look, Provider
from dvr_ryu.companion.resources.device import Device
from dvr_ryu.companion.resources.namespace import Namespace
from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.errors import HostError


class Reading(Provider):
    """Makes and removes nothing."""

    def make(self, resources: Sequence[Resource]) -> None:
        raise AssertionError(resources)

    def remove(self, resources: Sequence[Resource]) -> None:
        raise AssertionError(resources)


class Namespaces(Reading):
    """Counts its reads."""

    kinds = (Namespace,)

    def __init__(self) -> None:
        self.reads = 0

    def read(self, look: Look) -> Sequence[Namespace]:
        self.reads += 1
        return [Namespace("r"), Namespace("vm-a")]


class Devices(Reading):
    """Has a device in each namespace."""

    kinds = (Device,)

    def read(self, look: Look) -> Sequence[Device]:
        return [
            Device(each.name, "lo", None, None, None, each.key) for each in look.found(Namespace)
        ]


class WaitingDevices(Devices):
    """The same, in a thread of its own."""

    waits = True
    thread: threading.Thread | None = None

    def read(self, look: Look) -> Sequence[Device]:
        self.thread = threading.current_thread()
        return super().read(look)


class Refusing(Namespaces):
    """The host refuses."""

    def read(self, look: Look) -> Sequence[Namespace]:
        super().read(look)
        raise HostError("no")


@pytest.mark.parametrize("devices", [Devices(), WaitingDevices()])
def test_a_provider_is_read_once_though_another_needs_it(devices: Provider) -> None:
    namespaces = Namespaces()
    for providers in ((namespaces, devices), (devices, namespaces)):
        found = Look((), providers).all()
        assert {each.key[:2] for each in found} == {
            ("namespace", "r"), ("namespace", "vm-a"), ("device", "r"), ("device", "vm-a")
        }  # fmt: skip
    assert namespaces.reads == 2


def test_what_waits_is_read_in_a_thread_of_its_own() -> None:
    devices = WaitingDevices()
    Look((), (Namespaces(), devices)).all()
    assert devices.thread not in (None, threading.current_thread())


@pytest.mark.parametrize("devices", [Devices(), WaitingDevices()])
def test_a_refusal_ends_the_look(devices: Provider) -> None:
    refusing = Refusing()
    with pytest.raises(HostError, match="no"):
        Look((), (devices, refusing)).all()
    assert refusing.reads == 1


def test_a_look_tells_what_is_desired() -> None:
    desired: tuple[Resource, ...] = (Namespace("r"), Device("r", "lo", None, None, None, ("x",)))
    assert list(Look(desired, ()).wanted(Namespace)) == [Namespace("r")]
