"""All metrics, with their help texts. Pure. `docs/metrics.rst` is made of this file.

The values of a label are bounded by the topology, by flows/ or by a fixed list, never by a peer.
"""

from __future__ import annotations

from dvr_ryu.metrics.metric import counter, gauge, histogram

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
"""Upper bounds of a histogram's durations in seconds."""

# Of both programs ---------------------------------------------------------------------------------

BUILD_INFO = gauge(
    "dvr_build_info", "The version of dvr_ryu that runs, with the value 1.", "version"
)
RELOADS = counter(
    "dvr_reloads_total",
    "Saved inputs that were read, by outcome: applied, unchanged (the same network), or refused "
    "(a mistake in them, or they could not be read).",
    "outcome",
)
RELOAD_SUCCESSFUL = gauge(
    "dvr_last_reload_successful",
    "Whether the saved inputs are in force: 0 if the last save was refused.",
)
RELOAD_TIME = gauge(
    "dvr_last_reload_success_timestamp_seconds",
    "When the inputs in force were read, in seconds since 1970.",
)
STEP = histogram(
    "dvr_step_seconds",
    "Durations of the program's steps. Controller: read (the inputs), sync (a bridge, from an edit "
    "or a connection to its flows), look (at a bridge's flows), dump (of the counters). Companion: "
    "read, apply (a change of the host), round (all of a look).",
    "step",
)
BOTH = (BUILD_INFO, RELOADS, RELOAD_SUCCESSFUL, RELOAD_TIME, STEP)

# The controller -----------------------------------------------------------------------------------

_BRIDGE = ("host", "bridge")
_LINE = ("file", "line", "table")

OBJECTS = gauge("dvr_objects", "Objects of the topology, by kind.", "kind")
MOVING = gauge("dvr_instances_moving", "Instances that move to another host and have not arrived.")
CONNECTED = gauge(
    "dvr_bridge_connected", "Whether a bridge of the topology is connected.", *_BRIDGE
)
IN_SYNC = gauge(
    "dvr_bridge_in_sync",
    "Whether a bridge has all its flows, as far as the controller knows.",
    *_BRIDGE,
)
WANTED = gauge("dvr_flows_wanted", "Flows that a connected bridge should have.", *_BRIDGE)
INSTALLED = gauge("dvr_flows_installed", "Flows of dvr_ryu that a connected bridge has.", *_BRIDGE)
LEARNED = gauge(
    "dvr_flows_learned", "Flows that a bridge has learned by lines of flows/.", *_BRIDGE
)
FOREIGN = gauge(
    "dvr_flows_foreign", "Foreign flows on a connected bridge; dvr_ryu leaves them alone.", *_BRIDGE
)
REFUSED = gauge("dvr_flows_refused", "Flows that a bridge's switch refuses.", *_BRIDGE)
UNKNOWN = gauge("dvr_unknown_connections", "Connected switches that are no bridge of the topology.")
CONNECTIONS = counter("dvr_connections_total", "Connections that switches have made.")
DISCONNECTIONS = counter("dvr_disconnections_total", "Connections of switches that have ended.")
FLOW_MODS = counter(
    "dvr_flow_mods_total",
    "Flows that the controller has added, modified or deleted on bridges.",
    "command",
)
REFUSALS = counter(
    "dvr_changes_refused_total",
    "Changes that a bridge could not take, counted at each attempt: its switch refused flows, or "
    "the lines of flows/ contradict each other.",
)
FLOW_MOD_ERRORS = counter("dvr_flow_mod_errors_total", "Flows that switches have refused.")
DRIFTED = counter(
    "dvr_flows_drifted_total",
    "Flows of dvr_ryu that others changed or removed; the controller restores them.",
)
LINE_PACKETS = counter(
    "dvr_line_packets_total",
    "Packets that matched the flows of a line of flows/, on all hosts. The table is that of the "
    "flows; learned flows count for the line that learns them.",
    *_LINE,
)
LINE_BYTES = counter("dvr_line_bytes_total", "Bytes of these packets.", *_LINE)
LINE_INFO = gauge(
    "dvr_line_info",
    "The lines of flows/, with the value 1: the name of the table, and whether the line drops.",
    *_LINE,
    "table_name",
    "drops",
)
CONTROLLER = (
    OBJECTS, MOVING, CONNECTED, IN_SYNC, WANTED, INSTALLED, LEARNED, FOREIGN, REFUSED, UNKNOWN,
    CONNECTIONS, DISCONNECTIONS, FLOW_MODS, FLOW_MOD_ERRORS, REFUSALS, DRIFTED, LINE_PACKETS,
    LINE_BYTES, LINE_INFO,
)  # fmt: skip

# A companion --------------------------------------------------------------------------------------

STATE = gauge(
    "dvr_companion_state",
    "The state of the host, 1 for one of: applied, moving (instances leave it), failed.",
    "state",
)
ROUNDS = counter("dvr_rounds_total", "Looks at the host, by the state that they led to.", "state")
ROUND_TIME = gauge(
    "dvr_last_round_timestamp_seconds",
    "When the last look at the host ended, in seconds since 1970.",
)
LED = gauge("dvr_controller_connected", "Whether a bridge of this host has its controller.")
RESOURCES = gauge("dvr_resources", "Resources of dvr_ryu that the host has, by kind.", "kind")
APPLIES = counter(
    "dvr_applies_total", "Changes of the host, by cause: an edit, or drift by others.", "cause"
)
CHANGES = counter(
    "dvr_resource_changes_total",
    "Resources that were added, changed or removed.",
    "kind",
    "change",
)
MENDED = counter(
    "dvr_drift_mended_total",
    "Resources that the companion restored without an edit, by kind. Its first look counts none.",
    "kind",
)
FOREIGN_ITEMS = gauge(
    "dvr_foreign_items",
    "Foreign ports, controllers, bridges and firewall rules; dvr_ryu leaves them alone.",
    "kind",
)
LEASES = gauge(
    "dvr_leases",
    "DHCP leases of this host's servers; declared: whether the topology has the machine.",
    "network",
    "declared",
)
COMPANION = (
    STATE, ROUNDS, ROUND_TIME, LED, RESOURCES, APPLIES, CHANGES, MENDED, FOREIGN_ITEMS, LEASES,
)  # fmt: skip
