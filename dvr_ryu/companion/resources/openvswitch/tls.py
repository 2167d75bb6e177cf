"""Open vSwitch's settings for TLS. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from attrs import field, frozen

from dvr_ryu.companion.resources.resource import Key, Resource

TLS_KEY: Key = ("tls", "SSL")
"""The key of Open vSwitch's settings for TLS: there is one for all of its connections."""


@frozen
class SwitchTls(Resource):
    """Open vSwitch's key and certificate, and whom it trusts, for all of its connections. Settings
    are in ovs-vsctl's words: column → value.
    """

    kind = str(TLS_KEY[0])
    identity = ("table",)
    table: ClassVar[str] = str(TLS_KEY[1])
    settings: Mapping[str, str] = field(eq=dict)
    before: Mapping[str, Any] | None = field(default=None, eq=False, repr=False)
    """The whole row that was here before us; None for none."""
