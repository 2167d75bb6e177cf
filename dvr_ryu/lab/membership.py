"""Makes the hosts that a lab lacks, and ends the hosts that its topology no longer has."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dvr_ryu.command import dvr
from dvr_ryu.errors import HostError
from dvr_ryu.lab.hosts import bare
from dvr_ryu.lab.services import services
from dvr_ryu.lab.state import LabState, StateFolder
from dvr_ryu.topology.topology import Topology

if TYPE_CHECKING:
    from dvr_ryu.lab.services.readiness import Goal

Progress = Callable[[str], None]
"""A function that prints each step when it begins."""


def make_hosts(
    topology: Topology,
    path: Path,
    folder: StateFolder,
    progress: Progress,
    over_tls: bool = False,
) -> bare.Lab:
    """Make the bare lab of `topology` from the file `path`; note it in the locked `folder`."""
    count = len(topology.hosts)
    hosts = "1 host" if count == 1 else f"{count} hosts"
    progress(f"{hosts}, one for the controller, and their underlay")
    state = LabState.new(path, over_tls)
    folder.write(state)
    with _ctrl_c_waits():
        lab = bare.build(topology, str(folder.path))
    folder.write(state.of(lab, topology))
    return lab


def renew_hosts(
    state: LabState, topology: Topology, folder: StateFolder, progress: Progress
) -> bare.Lab:
    """Make the hosts that a running lab lacks, and note them; they get the previous topology.

    A host that left the topology stays until `end_hosts`, because instances may still be moving
    away from it. It ends at once if a new host has its name or its address. HostError if the
    topology needs another lab. If the new hosts cannot be made, the lab keeps its other hosts.
    """
    lab, wanted = bare.Lab(state.lab_hosts), bare.addresses_of(topology)
    controller = wanted[bare.CONTROLLER] == state.addresses[bare.CONTROLLER]
    if not controller or str(topology.underlay.cidr) != state.cidr:
        raise HostError(
            f"the underlay's cidr, or the controller's address, in {state.topology} is not that"
            f" of the lab that is up: type sudo {dvr('lab down')}, then lab up again"
        )
    removed = dict(state.addresses.items() - wanted.items())
    added = {name: wanted[name] for name, _ in sorted(wanted.items() - state.addresses.items())}
    if removed or added:
        signs = [*(f"-{name}" for name in removed), *(f"+{name}" for name in added)]
        progress(f"hosts: {' '.join(signs)}")
    displaced = {
        name: address
        for name, address in removed.items()
        if name in added or address in added.values()
    }
    staying = dict(removed.items() - displaced.items())
    mtu = topology.underlay.mtu
    with _ctrl_c_waits():
        bare.end(lab, displaced)
        state = state.without(displaced)
        folder.write(state)
        if mtu != state.mtu:
            progress(f"the underlay's MTU: {mtu}")
            bare.set_mtu(lab, state.addresses, mtu)
        try:
            made = bare.add(lab.underlay_host, added, topology.underlay, str(folder.path))
            for host in made.values():
                if memory := folder.remembered():
                    services.seed_memory(host, memory)
        except BaseException:
            bare.remove(str(folder.path), among=added)
            raise
        hosts = {**state.lab_hosts, **made}
        lab = bare.Lab({name: hosts[name] for name in (*wanted, *staying, bare.UNDERLAY)})
        folder.write(state.of(lab, topology, staying))
    return lab


def end_hosts(topology: Topology, folder: StateFolder, goal: Goal) -> None:
    """End the hosts that left the topology of a running lab, once their instances have left."""
    state = folder.read()
    assert state is not None
    lab, wanted = bare.Lab(state.lab_hosts), bare.addresses_of(topology)
    removed = {name: state.addresses[name] for name in state.addresses.keys() - wanted.keys()}
    services.await_departure([lab[name] for name in removed], goal)
    with _ctrl_c_waits():
        bare.end(lab, removed)
        lab = bare.Lab({name: lab[name] for name in (*wanted, bare.UNDERLAY)})
        folder.write(state.of(lab, topology))


@contextmanager
def _ctrl_c_waits() -> Iterator[None]:
    """Delay Ctrl-C until the end of the block: a thread that is being started could be lost."""
    typed: list[int] = []
    previous = signal.signal(signal.SIGINT, lambda number, _frame: typed.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
        if typed:
            raise KeyboardInterrupt
