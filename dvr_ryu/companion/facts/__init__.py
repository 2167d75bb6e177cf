"""What should be true on one Linux host: facts, computed from the view of it. Pure.

One file per concern; `kinds` has the words. Nothing here knows how a fact is read or made.
"""

from __future__ import annotations

from collections.abc import Iterator

from dvr_ryu.companion.facts import bridges, dhcp, external, fip, instances, qrouter, snat, tls
from dvr_ryu.companion.facts.around import Around
from dvr_ryu.companion.facts.kept import Kept
from dvr_ryu.companion.facts.kernel_made import with_kernel_made
from dvr_ryu.companion.facts.kinds import Fact
from dvr_ryu.companion.facts.tls import DEFAULTS, TlsOptions
from dvr_ryu.topology.view import HostView


def facts(
    view: HostView,
    datapath_type: str,
    kept: Kept | None = None,
    options: TlsOptions = DEFAULTS,
) -> tuple[Fact, ...]:
    """Return every fact of a host, each once.

    `datapath_type` is "system", or "netdev" where the kernel has no openvswitch module. `kept` is
    what the last facts of this host left for these.
    """
    kept = kept or Kept()
    kept.begin()
    each = _facts(view, datapath_type, kept, options)
    return tuple({fact.key: fact for fact in with_kernel_made(each)}.values())


def _facts(view: HostView, datapath_type: str, kept: Kept, options: TlsOptions) -> Iterator[Fact]:
    around, tx_checksum = Around(view, kept), datapath_type != "netdev"
    yield from tls.facts(view, options)
    yield from bridges.facts(view, datapath_type, options.controller(view))
    yield from instances.facts(view, tx_checksum, kept, around)
    yield from dhcp.facts(view, tx_checksum, kept, around)
    yield from qrouter.facts(view, tx_checksum, kept, around)
    yield from fip.facts(view, tx_checksum)
    yield from snat.facts(view, tx_checksum)
    yield from external.facts(view, tx_checksum)
