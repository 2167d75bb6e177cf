"""What is on this host beside what is ours, and what is wrong with TLS and the underlay: lines for
the log. Nothing of it is changed.
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
        """`shortage` tells what keeps packets of a topology's MTU from this host, if anything."""
        self._host = host
        self._shortage = shortage
        self._tls = TlsWatch(host, options)

    def lines(self, host: Host, topology: Topology, unread: bool) -> list[str]:
        """What there is now. The underlay is left out while the host is `unread` since an edit."""
        lines = [*foreign.lines(host.foreign, topology, self._host)]
        lines += foreign.lines_of_rules(host.foreign_rules)
        if self._host in topology.hosts:
            lines += self._tls.lines(HostView(topology, self._host), host)
        if not unread and (lack := self._shortage(topology)):
            lines.append(f"{lack}; until then large packets are lost")
        return [f"{self._host}: {line}" for line in lines]
