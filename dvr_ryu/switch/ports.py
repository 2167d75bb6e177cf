"""Track the ports of one bridge by its messages. Pure; the number of ports is bounded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from dvr_ryu.errors import SwitchError

PORT_DOWN = 1
"""OFPPC_PORT_DOWN: the port is shut."""
DELETED = 1
"""OFPPR_DELETE"""
MOST_PORTS = 1 << 16
"""Open vSwitch has fewer port numbers."""


class SwitchPort(NamedTuple):
    """A port of a bridge."""

    number: int
    mac: str
    up: bool


NamedPort = tuple[str, SwitchPort]


class Ports:
    """Port number → name and port."""

    def __init__(self, ports: Iterable[NamedPort] = ()) -> None:
        self.devices: Mapping[int, str] = {}
        """Number → the name of the device that a port with this number stands for, whatever its own
        name is."""
        self._by_number = {port.number: (name, port) for name, port in ports}
        self._check()

    def __len__(self) -> int:
        return len(self._by_number)

    def follow(self, reason: int, port: NamedPort) -> bool:
        """Take a port that came, went or changed (OFPT_PORT_STATUS); return whether that is new."""
        name, it = port
        known = self._by_number.get(it.number)
        if reason == DELETED:
            return self._by_number.pop(it.number, None) is not None
        if known == (name, it):
            return False
        # At the end: for a moment two ports may have one name, and the later one counts.
        self._by_number.pop(it.number, None)
        self._by_number[it.number] = name, it
        self._check()
        return True

    def _check(self) -> None:
        if len(self._by_number) > MOST_PORTS:
            raise SwitchError(f"tells of more than {MOST_PORTS} ports")

    def find(self, name: str) -> SwitchPort | None:
        """The port of this name."""
        return next((port for each, port in self._by_number.values() if each == name), None)

    def numbers(self) -> Mapping[str, int]:
        """Name → number."""
        numbers = {name: number for number, (name, _) in self._by_number.items()}
        return numbers | {self.devices[each]: each for each in self._standing()}

    def up(self) -> list[str]:
        """The names of the ports that are not shut."""
        names = [name for name, port in self._by_number.values() if port.up]
        return [*names, *(self.devices[each] for each in self._standing())]

    def _standing(self) -> Iterable[int]:
        """The numbers of the ports that stand for devices."""
        return self.devices.keys() & self._by_number.keys()


def port_of(port: Any) -> NamedPort:
    """A port description's name and port. Ryu's object may be a thousand times as large."""
    return text_of(port.name), SwitchPort(port.port_no, port.hw_addr, not port.config & PORT_DOWN)


def text_of(padded: bytes) -> str:
    """The text in a field of fixed length."""
    return bytes(padded).split(b"\0")[0].decode("utf-8", "replace")
