"""Keeps one connected bridge as it should be: reads what it has, subtracts, sends the difference,
remembers.

A bridge lives as long as its connection. Its greenlet does one thing at a time; whatever happens
meanwhile only marks that there is something to do.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from attrs import frozen
from ryu.lib import hub

from dvr_ryu.errors import DvrError, SwitchError
from dvr_ryu.pipeline.program import Wanted
from dvr_ryu.pipeline.wire import cookie_of
from dvr_ryu.reconcile import subtract
from dvr_ryu.switch.changes import Change, by_table, diff_lines
from dvr_ryu.switch.session import Session, port_of

LOG = logging.getLogger("dvr_ryu")


@frozen
class BridgeName:
    """A bridge of a host. Its description on the switch is "HOST/BRIDGE"."""

    host: str
    bridge: str

    def __str__(self) -> str:
        return f"{self.host}/{self.bridge}"


Intent = Callable[[BridgeName, Mapping[str, int]], "dict[bytes, Wanted]"]
"""What a bridge with these ports shall have."""

Cookies = Callable[[], frozenset[int]]
"""The cookies that mark flows as ours."""

Identify = Callable[[str, int], "BridgeName | None"]
"""Which bridge it is that describes itself so and has this datapath id; None if the topology has no
such bridge.
"""


class Bridge:
    """One connected bridge."""

    def __init__(self, datapath: Any, identify: Identify, intent: Intent, cookies: Cookies) -> None:
        self.session = Session(datapath)
        self._identify = identify
        self._intent = intent
        self._cookies = cookies
        self._name: BridgeName | None = None
        self._told = False
        self._description = ""
        self._ports: dict[str, int] = {}
        self._installed: dict[bytes, bytes] = {}
        self._before: dict[bytes, Wanted] | None = None
        self._work = hub.Event()

    def __str__(self) -> str:
        return str(self._name or f"datapath {self.session.datapath.id:016x}")

    def keep(self) -> None:
        """Bring the bridge to what it should be, and again whenever `touch` says that something
        changed. A switch that does not answer is let go, so that it connects again.
        """
        try:
            self._read()
            self._recognise()
            while True:
                self._sync()
                self._work.wait()
                self._work.clear()
                self._recognise()
        except SwitchError as error:
            LOG.error("%s: %s", self, error)
            self.session.datapath.close()

    def touch(self) -> None:
        """What the bridge should have may have changed."""
        self._work.set()

    def port_changed(self, reason: int, port: Any) -> None:
        """A port came, went or changed (OFPT_PORT_STATUS)."""
        name, number = port_of(port)
        self._ports = {other: at for other, at in self._ports.items() if at != number}
        if reason != self.session.datapath.ofproto.OFPPR_DELETE:
            self._ports[name] = number
        self.touch()

    def _read(self) -> None:
        self._description = self.session.description()
        self._ports = {**self.session.ports(), **self._ports}
        self._installed = self._ours()
        LOG.info(
            "%s connected: OpenFlow 1.%d, %d ports, %d flows of ours",
            self._description or self,
            self.session.version - 1,
            len(self._ports),
            len(self._installed),
        )

    def _ours(self) -> dict[bytes, bytes]:
        """Our flows on the bridge. A cookie that no line names any more marked ours until now."""
        known = {cookie_of(value) for value in self._installed.values()} - {0}
        return self.session.flows(self._cookies() | known)

    def _recognise(self) -> None:
        """Find out which bridge of the topology this is: an edit may have brought or taken it."""
        known = self._name
        self._name = self._identify(self._description, self.session.datapath.id)
        if self._name is None and (known or not self._told):
            self._told = True
            who = known or self._description or self
            LOG.warning("%s is no bridge of the topology: left alone", who)

    def _sync(self) -> None:
        """Make what is installed what is wanted; what the switch refuses is logged."""
        if self._name is None:
            return
        started = time.monotonic()
        try:
            wanted = self._intent(self._name, self._ports)
        except DvrError as error:
            LOG.error("%s: %s", self, error)
            return
        difference = subtract({key: each.value for key, each in wanted.items()}, self._installed)
        try:
            if difference:
                self.session.change(difference, lambda identity: _place(wanted, identity))
        except SwitchError as error:
            LOG.error("%s: %s", self, error)
            self._installed = self._ours()
            return
        seconds = time.monotonic() - started
        self._installed = {key: each.value for key, each in wanted.items()}
        before, self._before = self._before, wanted
        # The first fill of a connection is no edit: its flows are not told one by one.
        lines = diff_lines(difference, before, wanted) if before is not None else ()
        self._report(difference, seconds, lines)

    def _report(self, difference: Change, seconds: float, lines: Iterable[str]) -> None:
        total = len(self._installed)
        if not difference:
            LOG.info("%s in sync: %d flows, nothing to change", self, total)
            return
        LOG.info(
            "%s in sync: %d flows, %d added, %d changed, %d removed in %.1f ms (%s)%s",
            self,
            total,
            len(difference.added),
            len(difference.changed),
            len(difference.removed),
            1000 * seconds,
            by_table(difference),
            "".join(f"\n{line}" for line in lines),
        )


def _place(wanted: Mapping[bytes, Wanted], identity: bytes) -> str:
    if identity not in wanted:
        return "a flow to delete"
    flow = wanted[identity].flow
    return f"{flow.place}: {flow}"
