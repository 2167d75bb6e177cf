"""Ports that others plugged into a bridge, for instances that they make. Pure.

We set a port's tag and its OpenFlow number, note what it had before, and give that back. We neither
make nor remove the port.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from dvr_ryu.companion.resources.openvswitch.vsctl import (
    OFPORT_BEFORE,
    PLUGGED,
    TAG_BEFORE,
    transaction,
)
from dvr_ryu.companion.resources.resource import Key, Resource


@frozen
class PluggedPort(Resource):
    """The settings that a port of others has while it is an instance's."""

    kind = "plugged_port"
    identity = ("name",)
    bridge: str
    name: str
    tag: int | None
    ofport: int | None
    """The OpenFlow port number that it asks for: by this number the controller knows it."""

    @property
    def after(self) -> tuple[Key, ...]:
        """Its bridge."""
        return (("bridge", self.bridge),)

    def describe(self) -> str:
        """Set its tag and its number."""
        return transaction(self._settings())

    def _settings(self, marks: str = "") -> Iterator[str]:
        yield f"set Port {self.name} tag={_number(self.tag)}{marks}"
        yield f"set Interface {self.name} ofport_request={_number(self.ofport)}"

    def make_lines(self, old: PluggedPort | None, host: str) -> Iterator[str]:
        """Set its tag and its number, and note those from before us."""
        marks = ""
        if old is None:
            marks = "".join(
                f" external_ids:{key}={value}"
                for key, value in (
                    (PLUGGED, host),
                    (TAG_BEFORE, rf"\"$(ovs-vsctl get Port {self.name} tag)\""),
                    (OFPORT_BEFORE, rf"\"$(ovs-vsctl get Interface {self.name} ofport_request)\""),
                )
            )
        yield transaction(self._settings(marks))

    def remove_lines(self, host: str) -> Iterator[str]:
        """Give back what it had before us; it stays where others plugged it in."""
        name = self.name
        yield transaction(
            [
                f"set Port {name} tag={_noted(name, TAG_BEFORE)}",
                f"set Interface {name} ofport_request={_noted(name, OFPORT_BEFORE)}",
                f"remove Port {name} external_ids {PLUGGED} {TAG_BEFORE} {OFPORT_BEFORE}",
            ]
        )


def _number(number: int | None) -> str:
    return "[]" if number is None else str(number)


def _noted(name: str, key: str) -> str:
    return f"$(ovs-vsctl get Port {name} external_ids:{key} | tr -d '\"')"
