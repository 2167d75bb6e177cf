"""The ports of a bridge: a number may tell for which device a port of another name stands."""

from __future__ import annotations

from dvr_ryu.switch.ports import DELETED, Ports, SwitchPort

ADDED = 0


def port(number: int, up: bool = True) -> SwitchPort:
    return SwitchPort(number, "fe:16:3e:00:00:01", up)


def test_a_number_stands_for_a_device_whatever_the_ports_name_is():
    ports = Ports([("vnet0", port(33000)), ("tap-b", port(7))])
    ports.devices = {33000: "tap-a", 33001: "tap-b"}
    assert ports.numbers() == {"vnet0": 33000, "tap-a": 33000, "tap-b": 7}
    assert sorted(ports.up()) == ["tap-a", "tap-b", "vnet0"]
    # Of a port with the device's name and one with its number, the number counts.
    ports.follow(ADDED, ("vnet1", port(33001)))
    assert ports.numbers()["tap-b"] == 33001
    ports.follow(DELETED, ("vnet0", port(33000)))
    assert "tap-a" not in ports.numbers() and "tap-a" not in ports.up()
