"""Check this host's key and certificate, where the controller speaks TLS."""

from __future__ import annotations

import time
from collections.abc import Iterator

from dvr_ryu.companion.check.finding import Finding, fails, passes, warns
from dvr_ryu.companion.desired.tls import TlsOptions
from dvr_ryu.errors import HostError
from dvr_ryu.pki import certificates
from dvr_ryu.pki.files import of_host
from dvr_ryu.topology.view import HostView

WHAT = "certificate"


def findings(view: HostView, options: TlsOptions) -> Iterator[Finding]:
    """Yield the controller's objections, or the time until which it has none."""
    controller = options.controller(view)
    if controller is None or not controller.tls:
        return
    now = time.time()
    try:
        shown = certificates.require(of_host(options.pki, view.host.name), now)
    except HostError as error:
        seen, _, advice = str(error).partition("; ")
        yield fails(WHAT, seen, advice)
        return
    seen = f"{view.host.name}'s in {options.pki}, good until {shown.last_day}"
    if shown.days_left(now) < certificates.WARNING_DAYS:
        yield warns(WHAT, seen, f"renew it {certificates.advice(view.host.name)}")
    else:
        yield passes(WHAT, seen)
