"""Keeps one connected bridge as it should be: reads what it has, subtracts, sends the difference,
remembers.

A bridge lives as long as its connection. Its greenlet does one thing at a time; whatever happens
meanwhile only marks that there is something to do.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from typing import Any, Protocol

from ryu.lib import hub

from dvr_ryu.errors import DvrError, SwitchError
from dvr_ryu.pipeline.compile.basis import Basis, FlowDelta
from dvr_ryu.pipeline.compile.desired_flows import Contradiction, DesiredFlows
from dvr_ryu.pipeline.compile.flow_bytes import cookie_of, may_lapse
from dvr_ryu.pipeline.compile.option_lengths import same_but_option_lengths
from dvr_ryu.reconcile import subtract, subtract_in_parts
from dvr_ryu.switch.changes import Change, diff_lines, in_sync, occasion
from dvr_ryu.switch.claims import Claims
from dvr_ryu.switch.connection import Connection, mistake
from dvr_ryu.switch.guard.identity import BridgeName, Peer
from dvr_ryu.switch.guard.wording import shown
from dvr_ryu.switch.pauses import LONGEST_PAUSE, LOOK_SECONDS, pause
from dvr_ryu.switch.ports import MOST_PORTS, NamedPort, Ports, port_of
from dvr_ryu.switch.session import Session
from dvr_ryu.switch.telling import tell, tell_coming
from dvr_ryu.topology.changes import TopologyChange
from dvr_ryu.topology.topology import Topology

LOG = logging.getLogger("dvr_ryu")

SHUT_SECONDS = 2.0
"""Pause until a bridge is told again to shut a port."""


class DesiredState(Protocol):
    """What a bridge asks about what is wanted."""

    def identify(self, description: str, datapath_id: int) -> BridgeName | None:
        """Which bridge it is that describes itself so and has this datapath id; None if the
        topology has no such bridge.
        """

    def objection(self, name: BridgeName, peer: Peer) -> str | None:
        """Why a bridge that `identify` knows cannot be at this peer; None if it can."""

    def cookies(self) -> frozenset[int]:
        """The cookies that mark flows as ours."""

    def learned(self) -> frozenset[int]:
        """The cookies of flows that switches learn by themselves."""

    def basis(self, name: BridgeName, ports: Mapping[str, int]) -> Basis:
        """What the flows of a bridge with these ports are made from, now."""

    def change_between(self, before: Topology, after: Topology) -> TopologyChange:
        """What turned an earlier topology into a later one."""

    def see_ports(self, name: BridgeName, ports: Collection[str]) -> None:
        """The ports of a bridge that are not shut."""


class Surroundings(Protocol):
    """What a bridge shares with all others that are connected."""

    claims: Claims

    def bridges(self) -> int:
        """How many there are, this one among them."""

    def knows(self, connection: Connection, known: bool) -> None:
        """Take note whether a connection is of a bridge of the topology."""

    def ports_changed(self) -> None:
        """Look, soon, what follows from the ports that were told."""


class Bridge:
    """One connected bridge."""

    def __init__(
        self, connection: Connection, desired: DesiredState, surroundings: Surroundings
    ) -> None:
        self._connection = connection
        self.session = Session(connection)
        self._desired = desired
        self._surroundings = surroundings
        self._name: BridgeName | None = None
        self._told = False
        self._told_of_others = False
        self._description = ""
        self._ports = Ports()
        self._has_read = False
        """Whether it is known what the bridge has."""
        self._port_events: list[tuple[int, NamedPort]] | None = None
        """What happened to ports since we asked for them, until we have them."""
        self._basis: Basis | None = None
        """What the bridge's flows are made from: the last that it did not refuse."""
        self._wanted = DesiredFlows()
        self._found: dict[bytes, bytes] | None = None
        """What the bridge has, where that is not what is wanted."""
        self._taught: frozenset[int] = frozenset()
        """The cookies of flows that the bridge learns by the lines that it has."""
        self._work = hub.Event()
        self._busy = True
        self._touched = 0.0
        self._least_pause = LOOK_SECONDS
        self._shut_again: dict[str, float] = {}
        """When ports that were shut are to be shut again, if they are up."""
        self._refused = ""
        """What is wrong with what is wanted now."""
        self._retry_pause = LOOK_SECONDS
        self._retry_at = 0.0
        self._look_seconds = 0.0
        """How long the last look at the flows took."""
        connection.receive = self._receive

    @property
    def settled(self) -> bool:
        """Whether all that is known to have changed is on the bridge."""
        return not self._work.is_set() and not self._busy

    @property
    def name(self) -> BridgeName | None:
        """Which bridge of the topology it is, if any."""
        return self._name

    def __str__(self) -> str:
        return str(self._name or self._connection.peer)

    def keep(self) -> None:
        """Bring the bridge to what it should be, and again whenever `touch` says that something
        changed. A switch that does not answer is let go, so that it connects again.
        """
        try:
            self._introduce()
            self._touched = time.monotonic()
            while True:
                self._sync()
                self._busy = False
                if self._name and not (self._told_of_others or self._work.is_set()):
                    self._told_of_others = True
                    hub.spawn(self._tell_of_others, self._name)
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
            # Of ours; but a bridge whose greenlet has ended may not look as if it were cared for.
            self._connection.end(f"{mistake(error)}; the connection is closed", logging.ERROR)

    def _pause(self) -> float:
        return pause(self._least_pause, self._look_seconds, self._surroundings.bridges())

    def _is_right(self) -> bool:
        """Look whether the bridge still has what it was given; note what it has, if not. False,
        too, when it is time to try again what was refused.

        A switch does not tell what others do to our flows. A flow with a timeout may be gone.
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
            value != (told := found.get(identity, value if may_lapse(value) else b""))
            and not same_but_option_lengths(told, value)
            for identity, value in wanted.items()
        )
        self._look_seconds = time.monotonic() - began
        if not wrong:
            self._least_pause = LOOK_SECONDS
            return True
        self._least_pause = min(2 * self._least_pause, LONGEST_PAUSE)
        LOG.warning("%s: somebody else changed %d of our flows", self, wrong)
        self._found, self._touched = found, began
        return False

    def touch(self) -> None:
        """What the bridge should have may have changed."""
        if not self._work.is_set():
            self._touched = time.monotonic()
        self._work.set()

    def _receive(self, message: Any) -> None:
        """The switch answers, complains, or tells of a port (OFPT_PORT_STATUS)."""
        if message.msg_type != self._connection.ofproto.OFPT_PORT_STATUS:
            self.session.deliver(message)
        elif self._port_events is not None:
            self._port_events.append((message.reason, port_of(message.desc)))
            if len(self._port_events) > MOST_PORTS:
                raise SwitchError(f"tells of more than {MOST_PORTS} changes of ports at once")
        elif self._has_read and self._ports.follow(message.reason, port_of(message.desc)):
            self.tell_ports()
            self.touch()

    def shut(self, name: str) -> None:
        """Take a port down, if it is there and up. A bridge that does not, is told again."""
        port, now = self._ports.find(name), time.monotonic()
        if port is None or not port.up or now < self._shut_again.get(name, now):
            return
        if self._name and self._connection.has_room:
            self._shut_again[name] = now + SHUT_SECONDS
            tell_coming(self._name, "shut", f"shuts {name}: its instance is on another host now")
            self.session.shut(port)

    def tell_ports(self) -> None:
        """Tell which ports there are, once it is known whose."""
        if self._name is not None and self._has_read:
            self._desired.see_ports(self._name, self._ports.up())
            self._surroundings.ports_changed()

    def _introduce(self) -> None:
        """Ask the switch what it is."""
        self._description = self.session.description()
        self._connection.described = True
        self._recognise()

    def _recognise(self) -> None:
        """Find out which bridge of the topology this is: an edit may have brought or taken it.
        Raises SwitchError if it cannot be.
        """
        known, number = self._name, self._connection.id
        name = self._desired.identify(self._description, number)
        if name is not None:
            if objection := self._desired.objection(name, self._connection.peer):
                raise SwitchError(objection)
            self._surroundings.claims.take(name, self._connection)
        if known not in (None, name):
            self._surroundings.claims.drop(known, self._connection)
        self._name = name
        self._surroundings.knows(self._connection, name is not None)
        if name is None and (known or not self._told):
            self._told = True
            peer = self._connection.peer
            subject = known or shown(self._description) or f"datapath {number:016x}"
            line = f"{subject} is no bridge of the topology: left alone, at {peer}"
            tell(logging.WARNING, line, peer)
        self.tell_ports()

    def _read(self) -> None:
        """Read what the bridge has."""
        self._port_events = []
        self._ports = self.session.ports()
        # In order: those that the answer knows already lead to where it is.
        for event in self._port_events:
            self._ports.follow(*event)
        self._port_events, self._has_read = None, True
        self.tell_ports()
        self._found = self._ours()
        line = (
            f"connected: OpenFlow 1.{self.session.version - 1}, {len(self._ports)} ports, "
            f"{len(self._found)} flows of ours"
        )
        assert self._name is not None
        tell_coming(self._name, "connected", line)

    def _ours(self) -> dict[bytes, bytes]:
        """Our flows on the bridge. A cookie that no line names any more marked ours until now."""
        known = {cookie_of(value) for value in self._wanted.flows.values()} - {0}
        return self.session.flows(self._desired.cookies() | known)

    def _tell_of_others(self, name: BridgeName) -> None:
        """Tell how many flows others have on the bridge, if any; they are left alone. Nothing else
        waits for the answer, nor needs it.
        """
        ours = self._desired.cookies() | self._desired.learned()
        count = 0
        with suppress(SwitchError):
            count = self.session.count_flows() - sum(map(self.session.count_flows, ours))
        if count > 0:
            tell_coming(
                name, "others", f"has {count} flow{'s' * (count != 1)} of others: left alone"
            )

    def _sync(self) -> None:
        """Make what is installed what is wanted; what the switch refuses is logged."""
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
            self._keep_last(str(error))
            return
        seconds = time.monotonic() - started
        self._basis, self._found, self._taught = after, None, learned
        self._refused, self._retry_pause = "", LOOK_SECONDS
        # The first fill of a connection is no edit: its flows are not told one by one.
        lines: Iterable[str] = ()
        if before is not None:
            gone = delta.removed if delta else before.all()
            come = delta.added if delta else after.all()
            lines = diff_lines(difference, gone, come)
        self._report(difference, seconds, lines, occasion(before, after))

    def _keep_last(self, reason: str) -> None:
        """Say, once, why what is wanted cannot be; see to it that the bridge has what it had."""
        if reason != self._refused:
            tell(logging.ERROR, f"{self}: {reason}", self._connection.peer)
        self._refused = reason
        self._retry_at = time.monotonic() + self._retry_pause
        self._retry_pause = min(2 * self._retry_pause, LONGEST_PAUSE)
        self._found = self._ours()
        if self._basis is not None:
            difference = subtract(self._wanted.flows, self._found, same_but_option_lengths)
            with suppress(SwitchError):  # if it refuses even that, the next look tells
                self.session.change([difference], _location_in(self._basis), lambda _: ())
                self._found = None

    def _edited(self, after: Basis) -> FlowDelta | None:
        """The flows that an edit removes and adds; None if every flow may become another one."""
        if self._basis is None or self._found is not None:
            return None
        change = self._desired.change_between(self._basis.view.topology, after.view.topology)
        return self._basis.edited(after, change)

    def _refill(self, after: Basis) -> Change:
        """Compare all that is wanted with what is there; send while it is made."""
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

    def _exchange(self, delta: FlowDelta, after: Basis) -> Change:
        """Replace the flows that an edit removes by those that it adds."""
        exchange = self._wanted.exchange(delta.removed, delta.added)
        difference = subtract(exchange.after, exchange.before)
        learned = self._desired.learned() if delta.outdates_learned else ()
        try:
            return self.session.change([difference], _location_in(after), lambda _: learned)
        except SwitchError:
            self._wanted.exchange(delta.added, delta.removed)
            raise

    def _report(self, difference: Change, seconds: float, lines: Iterable[str], why: str) -> None:
        line = in_sync(len(self._wanted.flows), difference, seconds)
        if why and self._name:
            tell_coming(self._name, why, line, lines)
        else:
            LOG.info("%s %s%s", self, line, "".join(f"\n{each}" for each in lines))


def _location_in(basis: Basis) -> Callable[[bytes], str]:
    """A function that tells where the flow of an identity is written, and which it is."""

    def location(identity: bytes) -> str:
        filled, _ = next(basis.find({identity}), (None, 0))
        return f"{filled.flow.location}: {filled.flow}" if filled else "a flow to delete"

    return location
