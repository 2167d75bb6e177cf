"""Define the schema of the entries of `expect:`. Pure; `checks.expect` checks their names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from dvr_ryu.topology.spec.scalars import Address, EndpointName, ServicePort, Truth
from dvr_ryu.topology.spec.schema import Spec, wrong_key


@frozen(kw_only=True)
class ExpectSpec(Spec):
    """A packet that should arrive, or should not."""

    from_: EndpointName
    to: EndpointName
    port: ServicePort | None = None
    reach: Truth = True
    seen_as: Address | None = None

    @classmethod
    def check(cls, written: Mapping[str, Any]) -> None:
        """Two ends, and a source address only of packets that arrive."""
        if written["from"] == written["to"]:
            raise wrong_key("to", f"'{written['to']}' is both ends; write two different ones")
        if written.get("seen_as") and not written.get("reach", True):
            message = "a packet that does not arrive is not seen; remove this, or reach: false"
            raise wrong_key("seen_as", message)
