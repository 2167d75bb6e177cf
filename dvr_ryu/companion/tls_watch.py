"""What is wrong between this host and its controller where they speak TLS, in lines for a log.

It looks at this host's files, which may expire or be replaced while all runs, and at what Open
vSwitch says of its connections; it changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from dvr_ryu.companion.facts.tls import TlsOptions
from dvr_ryu.companion.host import Host
from dvr_ryu.errors import HostError
from dvr_ryu.pki import certificates
from dvr_ryu.pki.files import PkiFiles, of_host
from dvr_ryu.topology.view import HostView

LOOK_SECONDS = 3600.0
"""How long files that stay the same are taken to be as good as they were."""
REFUSED_SECONDS = 10.0
"""How long no bridge is connected before that is told: a controller may be started anew."""


class TlsWatch:
    """Looks again and again on behalf of one host."""

    def __init__(self, host: str, options: TlsOptions) -> None:
        self._options = options
        self._files = of_host(options.pki, host)
        self._seen: object = None
        self._look_again = 0.0
        self._wrong = ""
        self._refused_since: float | None = None

    def lines(self, view: HostView, host: Host) -> Iterator[str]:
        """Yield what is wrong now. A line stays the same as long as nothing changes."""
        controller = self._options.controller(view)
        if controller is None or not controller.tls:
            self._refused_since = None
            return
        wrong = self._wrong_with_files()
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

    def _wrong_with_files(self) -> str:
        now, seen = time.monotonic(), _look(self._files)
        if seen != self._seen or now > self._look_again:
            self._seen, self._look_again = seen, now + LOOK_SECONDS
            self._wrong = _wrong(self._files)
        return self._wrong


def _look(files: PkiFiles) -> list[tuple[int, int] | None]:
    """What tells whether files were replaced."""
    found: list[tuple[int, int] | None] = []
    for file in files.all:
        try:
            status = file.stat()
            found.append((status.st_mtime_ns, status.st_size))
        except OSError:
            found.append(None)
    return found


def _wrong(files: PkiFiles) -> str:
    now = time.time()
    try:
        certificate = certificates.require(files, now)
    except HostError as error:
        return str(error)
    if certificate.days_left(now) < certificates.WARNING_DAYS:
        advice = certificates.advice(files.owner)
        return f"{files.certificate} expires on {certificate.last_day}; {advice}"
    return ""
