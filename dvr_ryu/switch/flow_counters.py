"""Reads the counters of bridges' flows on request, and adds them up by the lines of flows/.

A dump of many flows takes time, on the switch and here. So a bridge's flows are dumped at most
every few seconds, however often the counts are requested, and dumps take a small part of the time
only. Between two dumps a request gets the counts of the last one. It changes no switch.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from attrs import define, field
from ryu.lib import hub

from dvr_ryu.errors import SwitchError
from dvr_ryu.pipeline.compile.basis import Basis
from dvr_ryu.pipeline.compile.flow_stats import FlowDump
from dvr_ryu.pipeline.compile.line_counts import LineCount, LineCounts
from dvr_ryu.pipeline.language.flow import Flow
from dvr_ryu.switch.bridge import Bridge
from dvr_ryu.switch.connection import mistake
from dvr_ryu.switch.guard.identity import BridgeName
from dvr_ryu.switch.pauses import pause
from dvr_ryu.switch.peer_log import log_peer

LEAST_PAUSE = 2.0
"""Seconds between two dumps of a bridge's flows, or more if dumps take long (see `pause`)."""
PATIENCE = 4.0
"""A caller waits so many seconds for new dumps. A switch that is later is counted the next time."""

_LOOK = 0.005


class Cookies(Protocol):
    """The cookies in use, as `DesiredState` has them."""

    def cookies(self) -> frozenset[int]:
        """The cookies that mark flows as ours."""

    def learned(self) -> frozenset[int]:
        """The cookies of flows that switches learn by themselves."""


@define
class BridgeCounts:
    """The counts of one bridge's lines, and the numbers of its flows."""

    installed: int = 0
    """Our flows."""
    learned: int = 0
    """The flows that the bridge has learned by our lines."""
    foreign: int = 0
    """The flows of others."""
    _counts: LineCounts = field(factory=LineCounts)

    def lines(self) -> Sequence[LineCount]:
        """The count of each line of the bridge's pipeline, in the order of its file; then those of
        flows that the bridge has learned."""
        return list(self._counts.lines())

    def take(
        self, dump: FlowDump, learned: Iterable[int], total: int, basis: Basis | None
    ) -> Iterator[None]:
        """Take a dump of our flows, of which those with these cookies are `learned`, on a bridge
        that has `total` flows by this basis. It takes time: it yields between two parts.
        """
        self.learned = sum(dump.flows[cookie] for cookie in learned)
        self.installed = dump.flows.total() - self.learned
        self.foreign = max(0, total - dump.flows.total())
        if basis:
            yield from self._counts.follow(basis)
            self._counts.count(dump.counted)

    def release(self) -> None:
        """Forget all but the counts of lines: the topology has no such bridge any more."""
        self.installed = self.learned = self.foreign = 0
        self._counts.release()


@define
class _Dumps:
    """The dumps of one bridge's flows, and the counts by the last one."""

    counts: BridgeCounts = field(factory=BridgeCounts)
    due: float = 0.0
    """When the next dump may be made, in seconds of the monotonic clock."""
    under_way: bool = False


class FlowCounters:
    """The counters of all bridges, through their connections: `read`, then look at them."""

    def __init__(self, cookies: Cookies, observe: Callable[[float], None] | None = None) -> None:
        """`observe` gets the seconds of each dump."""
        self._cookies = cookies
        self._observe = observe
        self._by_bridge: dict[BridgeName, _Dumps] = {}

    def read(self, bridges: Iterable[Bridge]) -> None:
        """Dump the flows of those connected bridges whose last dump is old. Wait for the dumps, but
        not for long. Raises nothing: a switch that does not answer keeps its last counts.
        """
        bridges = list(bridges)
        waiting = [dumps for each in bridges if (dumps := self._begun(each, len(bridges)))]
        deadline = time.monotonic() + PATIENCE
        while any(each.under_way for each in waiting) and time.monotonic() < deadline:
            hub.sleep(_LOOK)

    def of(self, name: BridgeName) -> BridgeCounts:
        """The counts of a bridge by its last dump; zeroes if there was none."""
        return self._by_bridge.get(name, _Dumps()).counts

    def by_line(self) -> Mapping[tuple[str, Flow, int], tuple[int, int]]:
        """Bridge, line, and table of the line's flows → packets and bytes on all hosts, also of
        bridges that are not connected any more.
        """
        sums: dict[tuple[str, Flow, int], tuple[int, int]] = {}
        for name, dumps in self._by_bridge.items():
            for line in dumps.counts.lines():
                key = name.bridge, line.flow, line.table
                packets, size = sums.get(key, (0, 0))
                sums[key] = packets + line.packets, size + line.bytes
        return sums

    def release(self, hosts: Collection[str]) -> None:
        """Forget all but the counts of lines of bridges whose hosts are none of these."""
        for name, dumps in self._by_bridge.items():
            if name.host not in hosts:
                dumps.counts.release()

    def _begun(self, bridge: Bridge, bridges: int) -> _Dumps | None:
        """Begin a dump unless one is under way; the dumps, if their counts will be new soon."""
        if bridge.name is None or bridge.basis is None:
            return None
        dumps = self._by_bridge.setdefault(bridge.name, _Dumps())
        if not dumps.under_way:
            if time.monotonic() < dumps.due:
                return None
            dumps.under_way = True
            hub.spawn(self._dump, bridge, dumps, bridges)
        return dumps

    def _dump(self, bridge: Bridge, dumps: _Dumps, bridges: int) -> None:
        began = time.monotonic()
        try:
            self._count(bridge, dumps.counts)
        except SwitchError:
            pass  # its connection ends, and the log says why
        except Exception as error:
            log_peer(logging.ERROR, f"{bridge}: its flows are not counted: {mistake(error)}")
        finally:
            now = time.monotonic()
            dumps.due = now + pause(LEAST_PAUSE, now - began, bridges)
            dumps.under_way = False
        if self._observe:
            self._observe(now - began)

    def _count(self, bridge: Bridge, counts: BridgeCounts) -> None:
        basis = bridge.basis
        ours, learned = self._cookies.cookies(), self._cookies.learned() - self._cookies.cookies()
        dump = bridge.session.flow_counts(ours | learned)
        total = bridge.session.count_flows()
        for _ in counts.take(dump, learned, total, basis):
            hub.sleep(0)
