"""Refuse a file that removes half of the hosts in force, or more, and does not name them.

The file itself confirms, by `removed_hosts`: so one confirmation reaches the controller, the
companions and the lab alike. Pure.
"""

from __future__ import annotations

from collections.abc import Collection

from dvr_ryu.topology.checks.findings import Findings
from dvr_ryu.topology.spec.declaration import TopologySpec
from dvr_ryu.topology.spec.yaml_nodes import written


def check(spec: TopologySpec, in_force: Collection[str], findings: Findings) -> None:
    """Find hosts that are named as removed but exist, and a removal without confirmation.

    `in_force` are the hosts of the file that this one replaces, if it replaces one.
    """
    for index, name in enumerate(spec.removed_hosts):
        if name in spec.hosts:
            message = f"'{name}' is a host of this file; remove it here, or there"
            findings.at_value(("removed_hosts", index), message)
    removed = [name for name in in_force if name not in spec.hosts]
    if 2 * len(removed) < len(in_force) or {*removed} <= {*spec.removed_hosts}:
        return
    names = ", ".join(map(written, removed))
    message = (
        f"{len(removed)} of the {len(in_force)} hosts in force are not here: {names}; put them "
        f"back, or confirm that they shall go: removed_hosts: [{names}]"
    )
    findings.at_key(("removed_hosts",) if spec.removed_hosts else ("hosts",), message)
