"""Arguments of ovs-ofctl, and the parts of its output that identify a flow. Pure text."""

from __future__ import annotations

import re

OPENFLOW = "OpenFlow10,OpenFlow13,OpenFlow14"
"""The versions that bridges speak; ovs-ofctl uses the first if called without -O."""
SECONDS = 20
"""The timeout of ovs-ofctl in seconds: an ovs-vswitchd that hangs never answers."""
OFCTL = ("ovs-ofctl", f"--timeout={SECONDS}", "-O", OPENFLOW)
NO_MATCH = re.compile(
    "((cookie|idle_timeout|hard_timeout|importance)=[0-9a-fx]+"
    "|send_flow_rem|reset_counts|no_packet_counts|no_byte_counts|check_overlap),? ?"
)
"""The fields that ovs-ofctl prints before a flow's priority and match, except the table."""
OWN_DEFAULT = re.compile(r"\s*(cookie=0x0,? ?)?(table=0,? ?)?priority=0 actions=NORMAL")
"""The only flow of a bridge without a controller, which Open vSwitch makes by itself; not where
fail_mode is secure."""
