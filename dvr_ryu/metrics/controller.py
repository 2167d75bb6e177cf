"""The controller's metrics: bridges, their flows, and the counts of the lines of flows/.

`WorkMetrics` observes bridges' work as it happens. `StateMetrics` reads their state for a scrape,
and then lets flows' counters be dumped. Neither changes anything.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from dvr_ryu.metrics import catalogue as metrics
from dvr_ryu.metrics.exposition import Exposition, family
from dvr_ryu.metrics.metric import Metric
from dvr_ryu.metrics.reloads import Reloads
from dvr_ryu.pipeline.compile.line_counts import counted
from dvr_ryu.switch.guard.identity import BridgeName

if TYPE_CHECKING:
    from dvr_ryu.desired_state import DesiredState
    from dvr_ryu.pipeline.language.flow import Flow
    from dvr_ryu.switch.bridge import Bridge
    from dvr_ryu.switch.changes import FlowChange
    from dvr_ryu.switch.flow_counters import BridgeCounts, FlowCounters

LOOK, SYNC, DUMP = "look", "sync", "dump"
ADD, MODIFY, DELETE = "add", "modify", "delete"


class WorkMetrics:
    """Counts bridges' work: the `Observer` that they report to."""

    def __init__(self, exposition: Exposition) -> None:
        self.reloads = Reloads(exposition, (LOOK, SYNC, DUMP))
        self._steps = self.reloads.steps
        self._flow_mods = exposition.counter(metrics.FLOW_MODS)
        for command in (ADD, MODIFY, DELETE):
            self._flow_mods.labels(command)
        self._drifted = exposition.counter(metrics.DRIFTED)
        self._refusals = exposition.counter(metrics.REFUSALS)
        self._errors = exposition.counter(metrics.FLOW_MOD_ERRORS)
        self.connections = exposition.counter(metrics.CONNECTIONS)
        self.disconnections = exposition.counter(metrics.DISCONNECTIONS)

    def looked(self, seconds: float, drifted: int) -> None:
        """Count a look at a bridge's flows, and our flows that others had changed."""
        self._steps.labels(LOOK).observe(seconds)
        self._drifted.inc(drifted)

    def synced(self, seconds: float, change: FlowChange) -> None:
        """Count a change that a bridge has made."""
        self._steps.labels(SYNC).observe(seconds)
        self._flow_mods.labels(ADD).inc(len(change.added))
        self._flow_mods.labels(MODIFY).inc(len(change.changed))
        self._flow_mods.labels(DELETE).inc(len(change.removed))

    def refused(self, flows: int) -> None:
        """Count a change that a bridge could not take, and the flows that its switch refused."""
        self._refusals.inc()
        self._errors.inc(flows)

    def dumped(self, seconds: float) -> None:
        """Count a dump of a bridge's counters."""
        self._steps.labels(DUMP).observe(seconds)


class StateMetrics(Collector):
    """Reads the state of the controller for each scrape."""

    def __init__(
        self,
        desired: DesiredState,
        bridges: Callable[[], Collection[Bridge]],
        counters: FlowCounters,
    ) -> None:
        """`bridges` returns the connected bridges."""
        self._desired = desired
        self._bridges = bridges
        self._counters = counters

    def describe(self) -> Iterator[Family]:
        """Nothing: names need not be known before the first scrape, which would dump flows."""
        return iter(())

    def collect(self) -> Iterator[Family]:
        """Dump counters that are old, then yield the whole state."""
        self._counters.read(self._bridges())
        yield from self._topology()
        yield from self._of_bridges()
        yield from self._of_lines()

    def _topology(self) -> Iterator[Family]:
        topology = self._desired.topology
        kinds = {
            "host": topology.hosts,
            "network": topology.networks,
            "router": topology.routers,
            "instance": topology.instances,
            "floating_ip": topology.floating_ips,
        }
        yield family(metrics.OBJECTS, {(kind,): len(each) for kind, each in kinds.items()})
        yield family(metrics.MOVING, len(self._desired.moving))

    def _of_bridges(self) -> Iterator[Family]:
        connected = {each.name: each for each in self._bridges() if each.name}
        hosts, bridges = self._desired.topology.hosts, self._desired.pipelines.by_bridge
        names = [BridgeName(host, bridge) for host in hosts for bridge in bridges]

        def of(metric: Metric, value: Callable[[BridgeName], float]) -> Family:
            return family(metric, {(name.host, name.bridge): value(name) for name in names})

        def of_connected(metric: Metric, value: Callable[[Bridge, BridgeCounts], float]) -> Family:
            values: dict[tuple[str, ...], float] = {
                (name.host, name.bridge): value(connected[name], self._counters.of(name))
                for name in names
                if name in connected
            }
            return family(metric, values)

        yield of(metrics.CONNECTED, lambda name: name in connected)
        yield of(metrics.IN_SYNC, lambda name: name in connected and connected[name].in_sync)
        yield of_connected(metrics.WANTED, lambda bridge, _: bridge.wanted)
        yield of_connected(metrics.INSTALLED, lambda _, counts: counts.installed)
        yield of_connected(metrics.LEARNED, lambda _, counts: counts.learned)
        yield of_connected(metrics.FOREIGN, lambda _, counts: counts.foreign)
        yield of_connected(metrics.REFUSED, lambda bridge, _: bridge.refused_flows)
        yield family(metrics.UNKNOWN, sum(each.name is None for each in self._bridges()))

    def _of_lines(self) -> Iterator[Family]:
        counts = self._counters.by_line()
        packets: dict[tuple[str, ...], float] = {}
        sizes: dict[tuple[str, ...], float] = {}
        named: dict[tuple[str, ...], float] = {}
        for bridge, pipeline in self._desired.pipelines.by_bridge.items():
            names = {table.number: table.name for table in pipeline.tables}
            for flow, learn in counted(flow for _, flow in pipeline.flows()):
                table = learn.learned_table if learn else flow.table
                labels = _labels(flow, table)
                packets[labels], sizes[labels] = counts.get((bridge, flow, table), (0, 0))
                described = (*labels, names.get(table, ""), str(flow.drops).lower())
                named[described] = 1
        yield family(metrics.LINE_PACKETS, packets)
        yield family(metrics.LINE_BYTES, sizes)
        yield family(metrics.LINE_INFO, named)


def _labels(flow: Flow, table: int) -> tuple[str, str, str]:
    """The name of a line's file, its line, and the table of flows that it makes."""
    assert flow.location
    return Path(flow.location.file).name, str(flow.location.line), str(table)
