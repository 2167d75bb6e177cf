"""Lines for the log about faults of TLS between this host and its controller.

It looks at this host's files, which may expire or be replaced, and at the connections of Open
vSwitch. It changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from dvr_ryu.companion.desired.tls import TlsOptions
from dvr_ryu.companion.host import Host
from dvr_ryu.pki.files import of_host
from dvr_ryu.pki.watch import FilesWatch
from dvr_ryu.topology.view import HostView

REFUSED_SECONDS = 10.0
"""Seconds without a connected bridge before a line reports it: a controller may be starting."""


class TlsWatch:
    """Watches one host's TLS."""

    def __init__(self, host: str, options: TlsOptions) -> None:
        self._options = options
        self._files = FilesWatch(of_host(options.pki, host))
        self._refused_since: float | None = None

    def lines(self, view: HostView, host: Host) -> Iterator[str]:
        """Yield the current faults. A line stays the same as long as nothing changes."""
        controller = self._options.controller(view)
        if controller is None or not controller.tls:
            self._refused_since = None
            return
        wrong = self._files.line()
        error = host.refusal()
        now = time.monotonic()
        if error is None:
            self._refused_since = None
        elif self._refused_since is None:
            self._refused_since = now
        if wrong:
            yield wrong
        elif self._refused_since is not None and now - self._refused_since > REFUSED_SECONDS:
            yield (
                f"no bridge is connected to {controller} ({error}); the reason is in the "
                "controller's log, or: dvr companion check"
            )
