"""Check the companion's rights here."""

from __future__ import annotations

import os
from collections.abc import Iterator

from dvr_ryu.command import as_typed
from dvr_ryu.companion.check.finding import Finding, fails, passes
from dvr_ryu.companion.providers.kernel.rights import CAPABILITIES, is_root, missing


def findings() -> Iterator[Finding]:
    """Yield whether we are root, and have root's usual rights."""
    if not is_root():
        yield fails("root", f"user {os.geteuid()}", f"type sudo {as_typed()}")
        return
    yield passes("root", "yes")
    if lacking := missing():
        advice = "give this container or service these rights"
        yield fails("rights", f"no {', '.join(lacking)}", advice)
    else:
        yield passes("rights", ", ".join(CAPABILITIES))
