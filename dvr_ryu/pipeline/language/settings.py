"""The settings of a flow besides match and actions: cookie, timeouts, importance, flags."""

from __future__ import annotations

from attrs import frozen
from ryu.ofproto import ofproto_v1_4 as ofp

FLAGS = {
    "send_flow_rem": ofp.OFPFF_SEND_FLOW_REM,
    "check_overlap": ofp.OFPFF_CHECK_OVERLAP,
    "reset_counts": ofp.OFPFF_RESET_COUNTS,
    "no_packet_counts": ofp.OFPFF_NO_PKT_COUNTS,
    "no_byte_counts": ofp.OFPFF_NO_BYT_COUNTS,
}
"""OpenFlow's flags of a flow, by ovs-ofctl's names."""

NUMBERS = {"cookie": 64, "idle_timeout": 16, "hard_timeout": 16, "importance": 16}
"""Settings that are numbers → their bits."""

COUNTED = ("duration", "n_packets", "n_bytes", "idle_age", "hard_age")
"""Counters and ages in a dump. They are ignored, as ovs-ofctl ignores them."""


@frozen
class Settings:
    """Settings of a flow. Timeouts are in seconds, 0: never; importance needs OpenFlow 1.4."""

    cookie: int | None = None
    """None: our own cookie."""
    idle_timeout: int = 0
    hard_timeout: int = 0
    importance: int = 0
    flags: int = 0

    def tokens(self) -> list[str]:
        """The settings as ovs-ofctl prints them."""
        tokens = [] if self.cookie is None else [f"cookie={self.cookie:#x}"]
        tokens += [
            f"{name}={getattr(self, name)}" for name in [*NUMBERS][1:] if getattr(self, name)
        ]
        return [*tokens, *(name for name, bit in FLAGS.items() if self.flags & bit)]
