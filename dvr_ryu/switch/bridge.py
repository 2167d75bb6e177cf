"""Keeps one connected bridge in sync: reads its flows, subtracts, sends the difference, remembers.

A bridge lasts as long as its connection. Its greenlet does one thing at a time; an event meanwhile
only marks that there is something to do.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from ryu.lib import hub

from dvr_ryu.errors import DvrError, SwitchError
from dvr_ryu.pipeline.compile.basis import Basis, FlowDelta
from dvr_ryu.pipeline.compile.desired_flows import Contradiction, DesiredFlows
from dvr_ryu.pipeline.compile.flow_bytes import cookie_of, may_lapse
from dvr_ryu.pipeline.compile.option_lengths import same_but_option_lengths
from dvr_ryu.reconcile import subtract, subtract_in_parts
from dvr_ryu.switch.changes import FlowChange, diff_lines, in_sync, occasion
from dvr_ryu.switch.connection import Connection, mistake
from dvr_ryu.switch.environment import DesiredState, SharedState
from dvr_ryu.switch.guard.identity import BridgeName
from dvr_ryu.switch.guard.wording import shown
from dvr_ryu.switch.pauses import LONGEST_PAUSE, LOOK_SECONDS, pause
from dvr_ryu.switch.peer_log import log_bridge, log_peer
from dvr_ryu.switch.ports import MOST_PORTS, NamedPort, Ports, port_of
from dvr_ryu.switch.record import BridgeRecord
from dvr_ryu.switch.session import Refused, Session

LOG = logging.getLogger("dvr_ryu")

SHUT_SECONDS = 2.0
"""Seconds until the controller asks a bridge again to shut a port."""


class Bridge:
    """One connected bridge."""

    def __init__(self, connection: Connection, desired: DesiredState, shared: SharedState) -> None:
        self._connection = connection
        self.session = Session(connection)
        self._desired = desired
        self._shared = shared
        self._name: BridgeName | None = None
        self._unknown_logged = False
        self._foreign_logged = False
        self._description = ""
        self._ports = Ports()
        self._has_read = False
        """Whether the bridge's ports and flows have been read."""
        self._port_events: list[tuple[int, NamedPort]] | None = None
        """The events of ports between the request for the ports and its reply."""
        self._basis: Basis | None = None
        """The basis of the bridge's flows: the last one that it did not refuse."""
        self._wanted = DesiredFlows()
        self._found: dict[bytes, bytes] | None = None
        """The installed flows, if they are not the desired ones."""
        self._taught: frozenset[int] = frozenset()
        """The cookies of flows that the bridge learns by its current lines."""
        self._work = hub.Event()
        self._busy = True
        self._touched = 0.0
        self._least_pause = LOOK_SECONDS
        self._shut_again: dict[str, float] = {}
        """Port → when it may be shut again, if it is up."""
        self._refused = ""
        """The reason why the bridge cannot have the desired flows; empty if it can."""
        self.refused_flows = 0
        """The number of desired flows that the switch refused, or at least of those it named."""
        self._retry_pause = LOOK_SECONDS
        self._retry_at = 0.0
        self._look_seconds = 0.0
        """The duration of the last look at the flows, in seconds."""
        connection.receive = self._receive
        connection.receive_packet = self._take_packet

    @property
    def settled(self) -> bool:
        """Whether every known change is on the bridge."""
        return not self._work.is_set() and not self._busy

    @property
    def in_sync(self) -> bool:
        """Whether the bridge has the desired flows, by all that is known."""
        return self.settled and self._has_read and self._found is None and not self._refused

    @property
    def refused(self) -> str:
        """Why the bridge cannot have the desired flows; empty if it can."""
        return self._refused

    @property
    def record(self) -> BridgeRecord:
        """What became of this bridge so far. It must be one of the topology."""
        assert self._name is not None
        return self._shared.records.of(self._name)

    @property
    def name(self) -> BridgeName | None:
        """The name of the bridge in the topology, if it is in it."""
        return self._name

    @property
    def wanted(self) -> int:
        """The number of desired flows."""
        return len(self._wanted.flows)

    @property
    def basis(self) -> Basis | None:
        """The basis of the flows that the bridge has; None before it has them."""
        return self._basis

    def __str__(self) -> str:
        return str(self._name or self._connection.peer)

    def keep(self) -> None:
        """Bring the bridge to the desired state, and again after each `touch`. A switch that does
        not answer is disconnected, so that it connects again.
        """
        try:
            self._introduce()
            self._touched = time.monotonic()
            while True:
                self._sync()
                self._busy = False
                if self._name and not (self._foreign_logged or self._work.is_set()):
                    self._foreign_logged = True
                    hub.spawn(self._log_foreign_flows, self._name)
                while not self._work.wait(self._pause()) and self._is_right():
                    pass
                self._busy = True
                if self._work.is_set():
                    self._refused, self._retry_pause = "", LOOK_SECONDS
                self._work.clear()
                self._recognise()
        except SwitchError as error:
            self._connection.end(f"{error}; the connection is closed", logging.ERROR)
        except Exception as error:
            # A mistake of ours. A bridge without its greenlet must not stay connected.
            self._connection.end(f"{mistake(error)}; the connection is closed", logging.ERROR)

    def _pause(self) -> float:
        return pause(self._least_pause, self._look_seconds, self._shared.bridges())

    def _is_right(self) -> bool:
        """Read the flows; return whether the bridge still has the desired ones; if not, note the
        installed ones. Return False, too, when it is time to send refused flows again.

        A switch does not report others' changes to our flows. A flow with a timeout may be gone.
        """
        if self._name is None:
            return True
        return (self._basis is None or self._has_its_flows()) and not self._may_retry()

    def _may_retry(self) -> bool:
        if not self._refused or time.monotonic() < self._retry_at:
            return False
        self._touched = time.monotonic()
        return True

    def _has_its_flows(self) -> bool:
        began = time.monotonic()
        found, wanted = self._ours(), self._wanted.flows
        wrong = len(found.keys() - wanted.keys()) + sum(
            value != (installed := found.get(identity, value if may_lapse(value) else b""))
            and not same_but_option_lengths(installed, value)
            for identity, value in wanted.items()
        )
        self._look_seconds = time.monotonic() - began
        self._shared.observer.looked(self._look_seconds, wrong)
        if not wrong:
            self._least_pause = LOOK_SECONDS
            return True
        self._least_pause = min(2 * self._least_pause, LONGEST_PAUSE)
        self.record.fails(line := f"somebody else changed {wrong} of our flows")
        LOG.warning("%s: %s", self, line)
        self._found, self._touched = found, began
        return False

    def touch(self) -> None:
        """Note that the desired flows may have changed."""
        if not self._work.is_set():
            self._touched = time.monotonic()
        self._work.set()

    def _receive(self, message: Any) -> None:
        """Take a reply, an error, or a change of a port (OFPT_PORT_STATUS)."""
        if message.msg_type != self._connection.ofproto.OFPT_PORT_STATUS:
            self.session.deliver(message)
        elif self._port_events is not None:
            self._port_events.append((message.reason, port_of(message.desc)))
            if len(self._port_events) > MOST_PORTS:
                raise SwitchError(f"tells of more than {MOST_PORTS} changes of ports at once")
        elif self._has_read and self._ports.follow(message.reason, port_of(message.desc)):
            self.report_ports()
            self.touch()

    def _take_packet(self, number: int) -> None:
        """Take a packet from a port: a roaming instance announces itself there."""
        if self._name and (instance := self._desired.announced(self._name, number)):
            log_bridge(self._name, "announced", f"{instance} announces itself here")
            self._shared.ports_changed()

    def shut(self, name: str) -> None:
        """Take a port down, if it is there and up. If it stays up, ask again after a while."""
        port, now = self._ports.find(name), time.monotonic()
        if port is None or not port.up or now < self._shut_again.get(name, now):
            return
        if self._name and self._connection.has_room:
            self._shut_again[name] = now + SHUT_SECONDS
            log_bridge(self._name, "shut", f"shuts {name}: its instance is on another host now")
            self.session.shut(port)

    def report_ports(self) -> None:
        """Report the ports, once the bridge's name and ports are known."""
        if self._name is not None and self._has_read:
            self._ports.devices = self._desired.devices(self._name)
            self._desired.see_ports(self._name, self._ports.up())
            self._shared.ports_changed()

    def _introduce(self) -> None:
        """Ask the switch for its description."""
        self._description = self.session.description()
        self._connection.described = True
        self._recognise()

    def _recognise(self) -> None:
        """Find out which bridge of the topology this is: an edit may have added or removed it.
        Raises SwitchError if the topology forbids it.
        """
        known, number = self._name, self._connection.id
        name = self._desired.identify(self._description, number)
        if name is not None:
            record = self._shared.records.of(name)
            if objection := self._desired.objection(name, self._connection.peer):
                if record.peer is None:
                    record.fails(f"{self._connection.peer}: {objection}")
                raise SwitchError(objection)
            self._shared.claims.take(name, self._connection)
            if name != known:
                record.connected(self._connection.peer)
        if known not in (None, name):
            self._shared.claims.drop(known, self._connection)
        self._name = name
        self._shared.knows(self._connection, name is not None)
        if name is None and (known or not self._unknown_logged):
            self._unknown_logged = True
            peer = self._connection.peer
            subject = known or shown(self._description) or f"datapath {number:016x}"
            line = f"{subject} is no bridge of the topology: left alone, at {peer}"
            log_peer(logging.WARNING, line, peer)
        self.report_ports()

    def _read(self) -> None:
        """Read the bridge's ports and flows."""
        self._port_events = []
        self._ports = self.session.ports()
        # In order: events that the reply contains already change nothing.
        for event in self._port_events:
            self._ports.follow(*event)
        self._port_events, self._has_read = None, True
        self.report_ports()
        self._found = self._ours()
        line = (
            f"connected: OpenFlow 1.{self.session.version - 1}, {len(self._ports)} ports, "
            f"{len(self._found)} flows of ours"
        )
        assert self._name is not None
        log_bridge(self._name, "connected", line)

    def _ours(self) -> dict[bytes, bytes]:
        """Our flows on the bridge, also those with a cookie that only the last lines named."""
        known = {cookie_of(value) for value in self._wanted.flows.values()} - {0}
        return self.session.flows(self._desired.cookies() | known)

    def _log_foreign_flows(self, name: BridgeName) -> None:
        """Log how many foreign flows the bridge has, if any; they are left alone. Nothing waits
        for this.
        """
        ours = self._desired.cookies() | self._desired.learned()
        count = 0
        with suppress(SwitchError):
            count = self.session.count_flows() - sum(map(self.session.count_flows, ours))
        if count > 0:
            log_bridge(
                name, "others", f"has {count} flow{'s' * (count != 1)} of others: left alone"
            )

    def _sync(self) -> None:
        """Make the installed flows the desired ones; log the flows that the switch refuses."""
        if self._name is None:
            return
        if not self._has_read:
            self._read()
        if self._work.is_set():
            return  # an edit may have taken this bridge from the topology meanwhile
        started = self._touched
        numbers = self._ports.numbers()
        before, after = self._basis, self._desired.basis(self._name, numbers)
        learned = self._desired.learned()
        try:
            delta = self._edited(after)
            difference = self._exchange(delta, after) if delta else self._refill(after)
        except Contradiction as contradiction:
            self._keep_last(str(after.explained(contradiction)))
            return
        except DvrError as error:
            self._keep_last(str(error), error.flows if isinstance(error, Refused) else 0)
            return
        seconds = time.monotonic() - started
        self._basis, self._found, self._taught = after, None, learned
        self._shared.observer.synced(seconds, difference)
        self._refused, self.refused_flows, self._retry_pause = "", 0, LOOK_SECONDS
        # The first fill of a connection is no edit: its flows are not logged one by one.
        lines: Sequence[str] = ()
        if before is not None:
            gone = delta.removed if delta else before.all()
            come = delta.added if delta else after.all()
            lines = [*diff_lines(difference, gone, come)]
        self._report(difference, seconds, lines, occasion(before, after))

    def _keep_last(self, reason: str, flows: int = 0) -> None:
        """Log once why the desired flows are impossible; make sure that it has its last ones."""
        if reason != self._refused:
            self.record.fails(reason)
            log_peer(logging.ERROR, f"{self}: {reason}", self._connection.peer)
        self._refused, self.refused_flows = reason, flows
        self._shared.observer.refused(flows)
        self._retry_at = time.monotonic() + self._retry_pause
        self._retry_pause = min(2 * self._retry_pause, LONGEST_PAUSE)
        self._found = self._ours()
        if self._basis is not None:
            difference = subtract(self._wanted.flows, self._found, same_but_option_lengths)
            with suppress(SwitchError):  # if it refuses even that, the next look shows it
                self.session.change([difference], _location_in(self._basis), lambda _: ())
                self._found = None

    def _edited(self, after: Basis) -> FlowDelta | None:
        """The flows that an edit removes and adds; None if every flow may become another one."""
        if self._basis is None or self._found is not None:
            return None
        change = self._desired.change_between(self._basis.view.topology, after.view.topology)
        return self._basis.edited(after, change)

    def _refill(self, after: Basis) -> FlowChange:
        """Compare all desired flows with the installed ones; send parts while others are made."""
        wanted = DesiredFlows()
        installed = self._wanted.flows if self._found is None else self._found
        filled = (wanted.add(each) for each in after.all())
        parts = subtract_in_parts(filled, installed, same_but_option_lengths)
        learned = self._taught | self._desired.learned()
        difference = self.session.change(
            parts, _location_in(after), lambda made: learned if any(p.removed for p in made) else ()
        )
        self._wanted = wanted
        return difference

    def _exchange(self, delta: FlowDelta, after: Basis) -> FlowChange:
        """Replace the flows that an edit removes by those that it adds."""
        exchange = self._wanted.exchange(delta.removed, delta.added)
        difference = subtract(exchange.after, exchange.before)
        learned = self._desired.learned() if delta.outdates_learned else ()
        try:
            return self.session.change([difference], _location_in(after), lambda _: learned)
        except SwitchError:
            self._wanted.exchange(delta.added, delta.removed)
            raise

    def _report(
        self, difference: FlowChange, seconds: float, lines: Sequence[str], why: str
    ) -> None:
        count = len(self._wanted.flows)
        line = in_sync(count, difference, seconds)
        self.record.synced(count, line, lines, bool(difference))
        if why and self._name:
            log_bridge(self._name, why, line, lines)
        else:
            LOG.info("%s %s%s", self, line, "".join(f"\n{each}" for each in lines))


def _location_in(basis: Basis) -> Callable[[bytes], str]:
    """A function: a flow's identity → where the flow is written, and its text."""

    def location(identity: bytes) -> str:
        filled, _ = next(basis.find({identity}), (None, 0))
        return f"{filled.flow.location}: {filled.flow}" if filled else "a flow to delete"

    return location
