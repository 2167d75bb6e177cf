"""The network of the lab that is up, as a value, and the way to ask its hosts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dvr_ryu.lab import preflight
from dvr_ryu.lab.hosts.host import LabHost
from dvr_ryu.lab.lifecycle import THE_LAB, pipelines_of, running
from dvr_ryu.lab.plugging import as_led
from dvr_ryu.lab.state import StateFolder
from dvr_ryu.topology.bridges import Plug, bridge_of

if TYPE_CHECKING:
    from dvr_ryu.trace.live.asking import Answer, Ask
    from dvr_ryu.trace.network import Network


def network(folder: StateFolder = THE_LAB) -> Network:
    """The network that the lab was brought to last. HostError if no lab is up."""
    from dvr_ryu.pipeline.load import load_pipelines
    from dvr_ryu.topology.loading import parse_topology
    from dvr_ryu.trace.network import Network

    preflight.require_root()
    state = running(folder)
    topology = as_led(parse_topology(folder.remembered(), state.topology), state.lab_hosts)
    datapaths = {name: _datapath_type(state.lab_hosts[name]) for name in topology.hosts}
    return Network(topology, load_pipelines(pipelines_of(folder)), others=datapaths)


def _datapath_type(host: LabHost) -> str:
    """The type that a host's bridges have: it follows from the kernel at the host's start."""
    ask = ["ovs-vsctl", "--if-exists", "get", "Bridge", bridge_of(Plug.DEVICES), "datapath_type"]
    return host.run(ask).stdout.strip()


def asker(folder: StateFolder = THE_LAB) -> Ask:
    """The way to ask any host of the lab that is up. HostError if none is up."""
    from dvr_ryu.trace.live.asking import Answer

    preflight.require_root()
    hosts: dict[str, LabHost] = running(folder).lab_hosts

    def ask(host: str, namespace: str, command: Sequence[str]) -> Answer | None:
        if namespace and not hosts[host].has(namespace):
            return None  # a guest that others have plugged in: its inside is theirs
        done = hosts[host].run(command, namespace=namespace or None, check=False)
        return Answer(done.stdout, done.stderr, bool(done.returncode))

    return ask


def asker_of(topology: Path, folder: StateFolder = THE_LAB) -> Ask | None:
    """The way to ask any host of the lab that is up, if this file is its topology."""
    state = folder.read()
    is_of = state is not None and state.whole and state.topology == str(topology.resolve())
    return asker(folder) if is_of else None
