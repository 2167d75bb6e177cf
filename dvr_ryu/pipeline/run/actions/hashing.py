"""Runs multipath and bundle, which choose by a hash over the packet.

Open vSwitch's hash functions may change with its version, so a choice of several is not computed:
the step says that it is one of them, and goes on with the first.
"""

from __future__ import annotations

from dvr_ryu.pipeline.language.actions.multipath import Bundle, Multipath
from dvr_ryu.pipeline.language.operands import number
from dvr_ryu.pipeline.run.actions.output import output_to
from dvr_ryu.pipeline.run.headers import put_bits
from dvr_ryu.pipeline.run.machine import Machine, runs

_NO_PORT = 0xFFFF


@runs(Multipath)
def multipath(machine: Machine, action: Multipath) -> None:
    """Write the number of a link."""
    if action.links > 1:
        machine.note(
            f"a hash chooses one of {action.links} links: this goes on with link 0, "
            "Open vSwitch may take another"
        )
    put_bits(machine.fields, action.target, 0)


@runs(Bundle)
def bundle(machine: Machine, action: Bundle) -> None:
    """Send to a member that the bridge has, or write its number."""
    members = [number(each) for each in action.members]
    up = [each for each in members if each in machine.environment.ports]
    if action.algorithm != "active_backup" and len(up) > 1:
        machine.note(
            f"a hash chooses one of {len(up)} members: this goes on with the first, "
            "Open vSwitch may take another"
        )
    if action.target is not None:
        put_bits(machine.fields, action.target, up[0] & _NO_PORT if up else _NO_PORT)
    elif up:
        output_to(machine, up[0])
    else:
        machine.note("the bridge has none of the bundle's members")
