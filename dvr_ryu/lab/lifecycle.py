"""The lab of a topology, from up to down: makes it, runs commands in it, changes its flows, removes
it.

Whatever ends `up` before it is done, Ctrl-C included, leaves nothing behind.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from attrs import evolve

from dvr_ryu.command import dvr
from dvr_ryu.errors import DvrError, HostError
from dvr_ryu.lab import preflight
from dvr_ryu.lab.hosts import bare
from dvr_ryu.lab.hosts.host import LabHost, environment
from dvr_ryu.lab.services import services, tls
from dvr_ryu.lab.state import LabState, StateFolder
from dvr_ryu.shipped import flows_dir
from dvr_ryu.topology.model import CONTROLLER_VARIABLE, instance_namespace
from dvr_ryu.topology.topology import Topology

if TYPE_CHECKING:
    from dvr_ryu.lab.services.readiness import Goal
    from dvr_ryu.topology.loading import Declaration

Progress = Callable[[str], None]
"""Told, in a few words, of each step that begins."""

THE_LAB = StateFolder()


def up(
    topology_path: Path,
    progress: Progress,
    folder: StateFolder = THE_LAB,
    pipelines: Path | None = None,
    over_tls: bool = False,
) -> None:
    """Bring up the lab of the topology in this file, with its controller and its companions; or
    bring the lab of this file, which is up, to what the file says by now.

    `pipelines` is the folder of its flows, if not those that it has, or the shipped ones.
    `over_tls`: it speaks TLS, whatever the file says, as long as it is up. Returns when all is in
    place. DvrError and HostError: no lab was made, or none was left; one that was up still is.
    """
    # Costs 0.1 s and more, which dvr lab exec should not wait for.
    from dvr_ryu.lab.proof import neighbours
    from dvr_ryu.lab.services import flows, readiness
    from dvr_ryu.topology.loading import load_declaration

    preflight.require_root()
    path = topology_path.resolve()
    preflight.require_programs()
    with folder.locked():
        state = _lab_of(path, folder)
        if state is None:
            refuse_second(folder)
        elif over_tls and not state.tls:
            raise HostError("the lab that is up was made without --tls: type dvr lab down first")
        over_tls = state.tls if state else over_tls
        # As the companions, it takes no file that drops half of the hosts unconfirmed.
        previous = _in_force(folder, path) if state else None
        declaration = load_declaration(path, previous)
        topology = declaration.topology
        try:
            chosen = pipelines or (
                flows.selected(state.lab_hosts[bare.CONTROLLER]) if state else flows_dir()
            )
            goal = readiness.Goal.of(topology, path, flows.require_valid(chosen, topology))
            if state is None and (warning := neighbours.shortage(topology)):
                progress(warning)
            lab = _hosts(state, topology, path, folder, progress, over_tls)
            flows.select(lab.controller, chosen)
            running = services.services_of(topology, path, lab, folder, over_tls)
            starts = services.start(running, path)
            services.await_ready(running, starts, goal, progress)
            if state:
                end_hosts(topology, folder, goal)
        except BaseException:
            if state is None:
                _remove(folder)
            raise
        folder.remember(declaration.text)
        _complete(folder)


def _in_force(folder: StateFolder, path: Path) -> Declaration | None:
    """What the lab was brought to last; None if nobody can tell any more."""
    from dvr_ryu.topology.loading import restored

    with suppress(DvrError):
        return restored(folder.remembered(), str(path))
    return None


def _hosts(
    state: LabState | None,
    topology: Topology,
    path: Path,
    folder: StateFolder,
    progress: Progress,
    over_tls: bool,
) -> bare.Lab:
    """The hosts of a new lab, or of the one that is up, each with its keys if it needs any."""
    needs_keys = tls.is_needed(topology, over_tls)
    if needs_keys:
        tls.make(topology, folder, progress)
    if state:
        lab = renew_hosts(state, topology, folder, progress)
    else:
        lab = make_hosts(topology, path, folder, progress, over_tls)
    if needs_keys:
        tls.equip(lab, topology, folder)
    return lab


def _lab_of(path: Path, folder: StateFolder) -> LabState | None:
    """The lab that is up, if it is that of this file."""
    state = folder.read()
    return state if state and state.whole and state.topology == str(path) else None


def refuse_second(folder: StateFolder) -> None:
    """HostError if the locked `folder` is that of a lab, or of the remains of one."""
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


def make_hosts(
    topology: Topology,
    path: Path,
    folder: StateFolder,
    progress: Progress,
    over_tls: bool = False,
) -> bare.Lab:
    """Make the bare lab of `topology`, read from `path`, and note it in the locked `folder`."""
    count = len(topology.hosts)
    hosts = "1 host" if count == 1 else f"{count} hosts"
    progress(f"{hosts}, one for the controller, and the wire between them")
    state = LabState.new(path, over_tls)
    folder.write(state)
    with _ctrl_c_waits():
        lab = bare.build(topology, str(folder.path))
    folder.write(state.of(lab, topology))
    return lab


def renew_hosts(
    state: LabState, topology: Topology, folder: StateFolder, progress: Progress
) -> bare.Lab:
    """Make the hosts that a running lab lacks, and note it; they know what the file said before.

    Those that it has too many stay until `end_hosts`, for what is there may be about to leave; but
    not one whose name or address another one has now. HostError if this needs another lab. If hosts
    cannot be made, the lab is one of those that were not replaced.
    """
    lab, wanted = bare.Lab(state.lab_hosts), bare.addresses_of(topology)
    controller = wanted[bare.CONTROLLER] == state.addresses[bare.CONTROLLER]
    if not controller or str(topology.underlay) != state.underlay:
        raise HostError(
            f"the underlay, or the controller's address, is another one in {state.topology} than"
            f" in the lab that is up: type sudo {dvr('lab down')}, then lab up again"
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
    with _ctrl_c_waits():
        bare.end(lab, displaced)
        state = state.without(displaced)
        folder.write(state)
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
    """End the hosts of a running lab that its file has no more, once nothing is on them."""
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
    """Hold Ctrl-C back until the block's end: while threads are started it would lose one."""
    typed: list[int] = []
    previous = signal.signal(signal.SIGINT, lambda number, _frame: typed.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
        if typed:
            raise KeyboardInterrupt


def _complete(folder: StateFolder) -> None:
    state = folder.read()
    assert state is not None
    folder.write(evolve(state, complete=True))


def down(folder: StateFolder = THE_LAB, topology: Path | None = None) -> list[str]:
    """Remove the lab, or whatever is left of one; return what that was, empty if nothing was.

    HostError if it is known to be that of another topology than the one named.
    """
    preflight.require_root()
    with folder.locked():
        require_lab_of(topology, folder)
        return _remove(folder)


def require_lab_of(topology: Path | None, folder: StateFolder = THE_LAB) -> None:
    """HostError if the lab in `folder` is that of another file than the one named, if one is."""
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
    """The lab that is up; HostError if none is, or if some of it has ended."""
    state = folder.read()
    if state is None:
        raise HostError(f"no lab is up: type sudo {dvr('lab up')} TOPOLOGY")
    if not state.whole:
        raise HostError(
            f"a part of the lab has ended: type sudo {dvr('lab down')}, then lab up TOPOLOGY"
        )
    return state


def pipelines_of(folder: StateFolder = THE_LAB) -> Path:
    """The folder of the flows that the lab which is up runs; HostError if none is up."""
    from dvr_ryu.lab.services import flows

    preflight.require_root()
    return flows.selected(running(folder).lab_hosts[bare.CONTROLLER])


def change_pipelines(pipelines: Path, folder: StateFolder = THE_LAB) -> list[str]:
    """Change the lab that is up to the flows in `pipelines`; return what the controller said of
    each bridge when all have them, nothing if they had them already.

    FileError, DvrError: nothing was changed.
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
        return flows.change(controller, topology, pipelines)


def find(name: str, folder: StateFolder = THE_LAB) -> tuple[LabHost, str | None]:
    """Where `name` is: a host, or an instance's host and namespace. DvrError tells all names."""
    hosts = running(folder).lab_hosts
    if name in hosts:
        return hosts[name], None
    namespace = instance_namespace(name)
    for host in hosts.values():
        if host.path(f"/run/netns/{namespace}").exists():
            return host, namespace
    raise DvrError(f"the lab has no {name}; it has {', '.join(names(folder))}")


def names(folder: StateFolder = THE_LAB) -> list[str]:
    """What `find` finds: the hosts of the lab that is up, then its instances."""
    hosts = running(folder).lab_hosts
    return [*hosts, *(instance for host in hosts.values() for instance in instances_of(host))]


def instances_of(host: LabHost) -> list[str]:
    """The instances that are on `host` now, by the namespaces that it has."""
    start = instance_namespace("")
    folder = host.path("/run/netns")
    return sorted(entry.name.removeprefix(start) for entry in folder.glob(f"{start}*"))


def execute(name: str, command: Sequence[str], folder: StateFolder = THE_LAB) -> NoReturn:
    """Become `command` in the host or instance `name`, with our terminal; its exit code is ours."""
    preflight.require_root()
    host, namespace = find(name, folder)
    argv = host.enter(command, namespace)
    address = running(folder).addresses[bare.CONTROLLER]
    controller = {CONTROLLER_VARIABLE: f"tcp:{address}:{bare.OPENFLOW_PORT}"}
    os.execvpe(argv[0], argv, environment(controller))
