"""Bridges of Open vSwitch. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from dvr_ryu.companion.resources.openvswitch.tls import TLS_KEY
from dvr_ryu.companion.resources.resource import Key, Resource


@frozen
class Bridge(Resource):
    """An OVS bridge. Settings are in ovs-vsctl's words: column, or column:key, → value."""

    kind = "bridge"
    identity = ("name",)
    name: str
    settings: Mapping[str, str] = field(eq=dict)
    controller: Mapping[str, str] = field(eq=dict)
    """The settings of our controller, `target` among them; empty for none."""
    before: Mapping[str, str] | None = field(default=None, eq=False, repr=False)
    """What a bridge that was here before us had, of these settings; None for one that we made."""

    @property
    def after(self) -> tuple[Key, ...]:
        """What Open vSwitch needs to reach the controller."""
        return (TLS_KEY,) if self.controller.get("target", "").startswith("ssl:") else ()
