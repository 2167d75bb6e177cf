"""Collect log lines about foreign items on this host, and about faults of TLS and the underlay. It
changes none of them.
"""

from __future__ import annotations

from collections.abc import Callable

from dvr_ryu.companion import foreign
from dvr_ryu.companion.desired.tls import TlsOptions
from dvr_ryu.companion.host import Host
from dvr_ryu.companion.upkeep.tls_watch import TlsWatch
from dvr_ryu.topology.topology import Topology
from dvr_ryu.topology.view import HostView


class Notices:
    """Collects them for one host."""

    def __init__(
        self, host: str, options: TlsOptions, shortage: Callable[[Topology], str | None]
    ) -> None:
        """`shortage` returns the obstacle to packets of a topology's MTU on this host, if any."""
        self._host = host
        self._shortage = shortage
        self._tls = TlsWatch(host, options)

    def lines(self, host: Host, topology: Topology, unread: bool) -> list[str]:
        """The present notices. The underlay is omitted while the host is `unread` since an edit."""
        lines = [*foreign.lines(host.foreign, topology, self._host)]
        lines += foreign.lines_of_rules(host.foreign_rules)
        if self._host in topology.hosts:
            view = HostView(topology, self._host)
            lines += host.plugged_lines(view)
            lines += self._tls.lines(view, host)
        if not unread and (lack := self._shortage(topology)):
            lines.append(f"{lack}; until then large packets are lost")
        return [f"{self._host}: {line}" for line in lines]
