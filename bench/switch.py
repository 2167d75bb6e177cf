"""One Open vSwitch of the benchmark's own, whose bridges get and lose controllers and flows."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from dvr_ryu.lab.wait import wait_until
from tests.switch.support.ovs import Ovs

NOBODY = "tcp:127.0.0.1:1"
"""A controller where nobody listens."""

PATIENCE = 60
"""Seconds to wait for Open vSwitch to finish what is not timed."""

_OPENFLOW = ("-O", "OpenFlow14")
_QUIET = 0.05
"""Seconds without work after which Open vSwitch counts as at rest."""


class Switch(Ovs):
    """The daemons. What is still to be done by them is awaited before anything is timed."""

    def add(self, bridge: str, host: str, ports: Mapping[str, int]) -> None:
        """An empty bridge of a host, which connects to nobody."""
        self.add_bridge(bridge, f"{host}/br-tun", dict(ports), NOBODY)

    def connect(self, target: str, *bridges: str) -> None:
        """Connect the bridges to a controller, all at once and without a wait of its back-off."""
        arguments = [
            word for bridge in bridges for word in ("--", "set-controller", bridge, target)
        ]
        self.vsctl(*arguments[1:])

    def empty(self, *bridges: str) -> None:
        """Let the bridges have no controller and no flows; returns when Open vSwitch is at rest.

        Whoever loses his last controller loses his flows, at once; so all have one first.
        """
        self.connect(NOBODY, *bridges)
        arguments = [word for bridge in bridges for word in ("--", "del-controller", bridge)]
        self.vsctl(*arguments[1:])
        for bridge in bridges:
            wait_until(partial(self._is_empty, bridge), PATIENCE, f"no flows on {bridge}")
        self.rest()

    def count(self, bridge: str) -> int:
        """How many flows a bridge has."""
        printed = self.run("ovs-ofctl", *_OPENFLOW, "dump-aggregate", bridge)
        found = re.search(r"flow_count=(\d+)", printed)
        assert found, printed
        return int(found[1])

    def _is_empty(self, bridge: str) -> bool:
        return self.count(bridge) == 0

    def rest(self) -> None:
        """Wait until ovs-vswitchd does nothing: it frees deleted flows after it has said so."""
        pid = int((self.folder / "ovs-vswitchd.pid").read_text())

        def at_rest() -> bool:
            before = _ticks(pid)
            time.sleep(_QUIET)
            return _ticks(pid) == before

        wait_until(at_rest, PATIENCE, "ovs-vswitchd to be at rest")


@contextmanager
def switch() -> Iterator[Switch]:
    """A started switch in a folder of its own; both are gone at the end."""
    # A unix socket's path has 108 bytes at most.
    with tempfile.TemporaryDirectory(prefix="dvr") as folder:
        daemons = Switch(Path(folder))
        try:
            daemons.start()
            yield daemons
        finally:
            daemons.stop()


def _ticks(pid: int) -> int:
    """The processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
