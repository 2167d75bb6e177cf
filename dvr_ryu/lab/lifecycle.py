"""Brings the lab of a topology up, replaces its flows, and takes it down.

If an error or Ctrl-C ends the first `up`, nothing of the lab stays.
"""

from __future__ import annotations

from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve

from dvr_ryu.command import dvr
from dvr_ryu.companion.resources.virtual_machine import QEMU as QEMU_PROGRAM
from dvr_ryu.errors import DvrError, HostError
from dvr_ryu.lab import membership, preflight
from dvr_ryu.lab.hosts import bare
from dvr_ryu.lab.membership import Progress
from dvr_ryu.lab.services import services, tls
from dvr_ryu.lab.state import LabState, StateFolder
from dvr_ryu.shipped import flows_dir
from dvr_ryu.topology.model import QEMU
from dvr_ryu.topology.topology import Topology

if TYPE_CHECKING:
    from dvr_ryu.topology.loading import Declaration

THE_LAB = StateFolder()


def up(
    topology_path: Path,
    progress: Progress,
    folder: StateFolder = THE_LAB,
    pipelines: Path | None = None,
    over_tls: bool = False,
) -> None:
    """Make the lab of the topology in this file, with its controller and its companions; if the
    lab of this file is up, change it to the current text of the file.

    `pipelines` is the folder of the flows; by default the lab keeps its flows, and a new lab gets
    the shipped ones. With `over_tls` the lab uses TLS for as long as it is up, even if the file
    says tcp. This returns when the lab is ready. After DvrError and HostError a new lab is gone,
    and a lab that was up still is.
    """
    # These imports take 0.1 s and more; dvr lab exec should not wait for them.
    from dvr_ryu.lab.proof import neighbours
    from dvr_ryu.lab.services import flows, page, readiness
    from dvr_ryu.source.file import FileSource

    preflight.require_root()
    path = topology_path.resolve()
    preflight.require_programs()
    preflight.require_mounted_root()
    preflight.require_devices()
    with folder.locked():
        state = _lab_of(path, folder)
        if state is None:
            refuse_second(folder)
        elif over_tls and not state.tls:
            raise HostError("the lab that is up was made without --tls: type dvr lab down first")
        over_tls = state.tls if state else over_tls
        # Like a companion, it refuses a file that drops half of the hosts without confirmation.
        previous = _in_force(folder, path) if state else None
        snapshot = FileSource(path).read()
        declaration = snapshot.declaration(previous)
        topology = declaration.topology
        try:
            chosen = pipelines or (
                flows.selected(state.lab_hosts[bare.CONTROLLER]) if state else flows_dir()
            )
            valid = flows.require_valid(chosen, topology)
            goal = readiness.Goal(topology, snapshot.version, valid)
            if state is None and (warning := neighbours.shortage(topology)):
                progress(warning)
            _prepare_machines(topology, progress)
            lab = _hosts(state, topology, path, folder, progress, over_tls)
            goal = evolve(goal, hosts=lab.hosts)
            flows.select(lab.controller, chosen)
            running = services.services_of(topology, path, lab, folder, over_tls)
            with nullcontext() if state else page.opened(folder) as listens:
                starts = services.start(running, path, listens)
            services.await_ready(running, starts, goal, progress)
            if state:
                membership.end_hosts(topology, folder, goal)
        except BaseException:
            if state is None:
                _remove(folder)
            raise
        folder.remember(declaration.text)
        _complete(folder)


def _in_force(folder: StateFolder, path: Path) -> Declaration | None:
    """The topology that the lab was brought to last; None if it is unknown."""
    from dvr_ryu.topology.loading import declaration_of

    with suppress(DvrError):
        return declaration_of(folder.remembered(), str(path))
    return None


def _prepare_machines(topology: Topology, progress: Progress) -> None:
    """Make the image of virtual machines, if an instance is one."""
    if any(card.guest == QEMU for card in topology.instances.values()):
        from dvr_ryu.lab.guests import image

        preflight.require_programs((QEMU_PROGRAM, *image.PROGRAMS))
        image.make(progress)


def _hosts(
    state: LabState | None,
    topology: Topology,
    path: Path,
    folder: StateFolder,
    progress: Progress,
    over_tls: bool,
) -> bare.Lab:
    """Make the hosts of a new lab, or update those of the lab that is up; give them TLS files."""
    needs_keys = tls.is_needed(topology, over_tls)
    if needs_keys:
        tls.make(topology, folder, progress)
    if state:
        lab = membership.renew_hosts(state, topology, folder, progress)
    else:
        lab = membership.make_hosts(topology, path, folder, progress, over_tls)
    if needs_keys:
        tls.equip(lab, topology, folder)
    return lab


def _lab_of(path: Path, folder: StateFolder) -> LabState | None:
    """The state of the lab that is up, if this file is its topology; else None."""
    state = folder.read()
    return state if state and state.whole and state.topology == str(path) else None


def refuse_second(folder: StateFolder) -> None:
    """Raise HostError if the locked `folder` belongs to a lab or has remains of one."""
    state = folder.read()
    if state is not None and state.whole:
        raise HostError(
            f"the lab of {state.topology} is up since {state.started};"
            f" there is one at a time: type sudo {dvr('lab down')} first"
        )
    if folder.used():
        raise HostError(
            f"a lab that was not taken down left its remains: type sudo {dvr('lab down')} first"
        )


def _complete(folder: StateFolder) -> None:
    state = folder.read()
    assert state is not None
    folder.write(evolve(state, complete=True))


def down(folder: StateFolder = THE_LAB, topology: Path | None = None) -> list[str]:
    """Remove the lab, or the remains of one; return a line for each thing that was removed.

    HostError if `topology` is not None and the lab has another one.
    """
    preflight.require_root()
    with folder.locked():
        require_lab_of(topology, folder)
        return _remove(folder)


def require_lab_of(topology: Path | None, folder: StateFolder = THE_LAB) -> None:
    """Raise HostError if `topology` is not None and the lab in `folder` has another one."""
    state = folder.read()
    if topology and state and topology.resolve() != Path(state.topology):
        raise HostError(f"the lab here is that of {state.topology}, not of {topology}")


def _remove(folder: StateFolder) -> list[str]:
    removed = [f"lab host {name}" for name in bare.remove(str(folder.path))]
    if folder.used():
        removed.append(f"{folder.path} and the logs in it")
    folder.remove()
    return removed


def running(folder: StateFolder = THE_LAB) -> LabState:
    """The state of the lab that is up; HostError if none is up, or if a host of it has ended."""
    state = folder.read()
    if state is None:
        raise HostError(f"no lab is up: type sudo {dvr('lab up')} TOPOLOGY")
    if not state.whole:
        raise HostError(
            f"a part of the lab has ended: type sudo {dvr('lab down')}, then lab up TOPOLOGY"
        )
    return state


def pipelines_of(folder: StateFolder = THE_LAB) -> Path:
    """The folder of the flows of the lab that is up; HostError if none is up."""
    from dvr_ryu.lab.services import flows

    preflight.require_root()
    return flows.selected(running(folder).lab_hosts[bare.CONTROLLER])


def change_pipelines(pipelines: Path, folder: StateFolder = THE_LAB) -> list[str]:
    """Give the lab that is up the flows in `pipelines`, and wait until every bridge has them.

    Return a line about each bridge's change; an empty list if the lab already had these
    flows. After FileError and DvrError nothing was changed.
    """
    from dvr_ryu.lab.services import flows
    from dvr_ryu.topology.loading import load_topology

    preflight.require_root()
    state = running(folder)
    path = Path(state.topology)
    topology = load_topology(path)
    flows.require_valid(pipelines, topology)
    with folder.locked():
        lab = bare.Lab(state.lab_hosts)
        controller, *_ = services.services_of(topology, path, lab, folder, state.tls)
        return flows.change(controller, state.page, topology, pipelines)
