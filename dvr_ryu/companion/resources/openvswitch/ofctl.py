"""Words of ovs-ofctl: how it is called, and what of its text identifies a flow. Pure text."""

from __future__ import annotations

import re

OPENFLOW = "OpenFlow10,OpenFlow13,OpenFlow14"
"""What bridges speak; ovs-ofctl asks in the first if it is called without -O."""
SECONDS = 20
"""How long ovs-ofctl may take: an ovs-vswitchd that hangs never answers."""
OFCTL = ("ovs-ofctl", f"--timeout={SECONDS}", "-O", OPENFLOW)
NO_MATCH = re.compile(
    "((cookie|idle_timeout|hard_timeout|importance)=[0-9a-fx]+"
    "|send_flow_rem|reset_counts|no_packet_counts|no_byte_counts|check_overlap),? ?"
)
"""What ovs-ofctl prints before a flow's priority and match, but for the table."""
OWN_DEFAULT = re.compile(r"\s*(cookie=0x0,? ?)?(table=0,? ?)?priority=0 actions=NORMAL")
"""The only flow of a bridge without a controller, which Open vSwitch makes by itself; not where
fail_mode is secure."""
