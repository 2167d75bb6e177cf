"""Moves running virtual machines between hosts: qemu's own migration, over the underlay.

The host that a machine comes to starts it with nothing but its devices, and waits for its state;
the host that it leaves sends that. Neither asks the other: each sees its own qemu's progress.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from attrs import evolve

from dvr_ryu.companion.paths import RUN_DIRECTORY
from dvr_ryu.companion.providers import notes
from dvr_ryu.companion.providers.processes import processes, qmp
from dvr_ryu.companion.providers.processes.processes import Processes
from dvr_ryu.companion.resources.virtual_machine import INCOMING, VirtualMachine, qmp_socket
from dvr_ryu.errors import HostError

ARRIVING = Path(RUN_DIRECTORY, "arriving")
"""The names of machines that wait for their state. They are useless to another companion."""
BEGIN_SECONDS = 8.0
"""Seconds for the other host to begin: it may not have read the edit yet."""
WHOLE_SECONDS = 60.0
PAUSE = 0.03
WAITING, ENDED_WELL = "inmigrate", "running"


def receive(machines: Mapping[VirtualMachine, str]) -> list[VirtualMachine]:
    """Start machines that wait for their state at the URIs; return those that run here in the end.

    The others have been ended: their old host did not send them in time.
    """
    provider = Processes()
    notes.replace(ARRIVING, "".join(f"{machine.name}\n" for machine in machines))
    waiting = [*machines]
    arrived: list[VirtualMachine] = []
    with suppress(HostError):  # one that cannot listen is started in the usual way
        provider.make(
            [evolve(each, argv=(*each.argv, INCOMING, uri)) for each, uri in machines.items()]
        )
    began = time.monotonic()
    while waiting:
        for machine in [*waiting]:
            if (state := _arrival(machine.instance, time.monotonic() - began)) != WAITING:
                waiting.remove(machine)
                arrived += [machine] if state == ENDED_WELL else []
        time.sleep(PAUSE)
    provider.remove([machine for machine in machines if machine not in arrived])
    notes.remove(ARRIVING)
    return arrived


def _arrival(instance: str, seconds: float) -> str:
    """The state of a machine that has waited for some seconds; empty if there is no more hope."""
    try:
        with qmp.opened(qmp_socket(instance)) as machine:
            state = str(machine.execute("query-status")["status"])
            begun = machine.execute("query-migrate").get("status") == "active"
    except (HostError, OSError):
        return ""
    patience = WHOLE_SECONDS if begun else BEGIN_SECONDS
    return "" if state == WAITING and seconds > patience else state


def send(instance: str, uri: str) -> None:
    """Begin to send a machine's state, unless that is done already. Call it again and again: the
    other host may not listen yet.
    """
    with suppress(HostError, OSError), qmp.opened(qmp_socket(instance)) as machine:
        status = machine.execute("query-migrate").get("status")
        if status in (None, "none", "failed", "cancelled"):
            machine.execute("migrate", uri=uri)


def announce(instances: Iterable[str]) -> None:
    """Let machines announce their addresses for some seconds, as after any migration."""
    for instance in instances:
        with suppress(HostError, OSError), qmp.opened(qmp_socket(instance)) as machine:
            machine.execute("announce-self", initial=50, max=200, rounds=20, step=20)


def tidy() -> None:
    """End the machines for which a killed companion waited."""
    processes.end((notes.text(ARRIVING) or "").splitlines())
    notes.remove(ARRIVING)
