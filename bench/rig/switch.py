"""An Open vSwitch of the benchmark's own, whose bridges get and lose controllers and flows."""

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
"""The address of a controller that does not exist."""

PATIENCE = 60
"""The timeout for work of Open vSwitch that is not measured."""

_OPENFLOW = ("-O", "OpenFlow14")
_QUIET = 0.05
"""After so many seconds without work, Open vSwitch counts as idle."""


class Switch(Ovs):
    """The daemons. A measurement begins only when they are idle."""

    def add(self, bridge: str, host: str, ports: Mapping[str, int]) -> None:
        """Add an empty bridge of a host, without a reachable controller."""
        self.add_bridge(bridge, f"{host}/br-tun", dict(ports), NOBODY)

    def connect(self, target: str, *bridges: str) -> None:
        """Connect the bridges to a controller, all at once and without waiting for a back-off."""
        arguments = [
            word for bridge in bridges for word in ("--", "set-controller", bridge, target)
        ]
        self.vsctl(*arguments[1:])

    def empty(self, *bridges: str) -> None:
        """Remove the controllers and the flows of the bridges, and wait until Open vSwitch is idle.

        A bridge that loses its last controller loses its flows at once, so all get a controller
        first.
        """
        self.connect(NOBODY, *bridges)
        arguments = [word for bridge in bridges for word in ("--", "del-controller", bridge)]
        self.vsctl(*arguments[1:])
        for bridge in bridges:
            wait_until(partial(self._is_empty, bridge), PATIENCE, f"no flows on {bridge}")
        self.rest()

    def count(self, bridge: str) -> int:
        """The number of flows of a bridge."""
        printed = self.run("ovs-ofctl", *_OPENFLOW, "dump-aggregate", bridge)
        found = re.search(r"flow_count=(\d+)", printed)
        assert found, printed
        return int(found[1])

    def _is_empty(self, bridge: str) -> bool:
        return self.count(bridge) == 0

    def rest(self) -> None:
        """Wait until ovs-vswitchd is idle: it frees deleted flows after its answer."""
        pid = int((self.folder / "ovs-vswitchd.pid").read_text())

        def at_rest() -> bool:
            before = _ticks(pid)
            time.sleep(_QUIET)
            return _ticks(pid) == before

        wait_until(at_rest, PATIENCE, "ovs-vswitchd to be at rest")


@contextmanager
def switch() -> Iterator[Switch]:
    """A started switch in a folder of its own; both are removed at the end."""
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
