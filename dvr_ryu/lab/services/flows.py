"""Selects the flows of a lab, and replaces them while the lab is up.

The controller reads its flows through a symbolic link in its host's own /run. A new target of the
link is the whole change: the controller notices other files and brings every bridge to them.
"""

from __future__ import annotations

import re
from pathlib import Path

from dvr_ryu.errors import DvrError, HostError
from dvr_ryu.lab.hosts.host import LabHost
from dvr_ryu.lab.services.services import FLOWS_LINK, LabService
from dvr_ryu.lab.wait import wait_until
from dvr_ryu.pipeline.compile.pipelines import Pipelines
from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.shipped import flows_dir
from dvr_ryu.topology.bridges import BRIDGES
from dvr_ryu.topology.topology import Topology

_PATIENCE = 30.0
_IN_SYNC = re.compile(r"^\S+ ((\S+/br-\S+) in sync: .*)(?=\n)", re.MULTILINE)
_REFUSED = re.compile(r"^\S+ (\S+/br-\S+: |the saved change is not applied)", re.MULTILINE)
"""Log lines of the controller, behind the time: a bridge has its flows; flows are refused."""


def require_valid(folder: Path, topology: Topology) -> Pipelines:
    """Return the flows of `folder`, if every bridge can have them.

    Raises FileError with locations if a file is wrong, DvrError if a bridge has no file.
    """
    pipelines = load_pipelines(folder)
    missing = [each.flow_file for each in BRIDGES.values() if each.name not in pipelines.by_bridge]
    if missing:
        raise DvrError(
            f"{folder}: no {' and no '.join(missing)} here; each bridge of a lab needs its file"
        )
    pipelines.require_fit(topology)
    return pipelines


def select(controller: LabHost, folder: Path) -> None:
    """Let the controller on this host use the flows of `folder`; HostError if it cannot read them.

    At any time the link leads to the old folder or to the new one.
    """
    target = folder.resolve()
    if not controller.path(str(target)).is_dir():
        raise HostError(
            f"lab hosts have a /run of their own and cannot read {target}; move it elsewhere"
        )
    new = controller.path(f"{FLOWS_LINK}.new")
    new.parent.mkdir(exist_ok=True)
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(controller.path(FLOWS_LINK))


def selected(controller: LabHost) -> Path:
    """The folder of the flows that the controller uses; the shipped one if the link is lost."""
    try:
        return controller.path(FLOWS_LINK).readlink()
    except OSError:
        return flows_dir()


def change(controller: LabService, topology: Topology, folder: Path) -> list[str]:
    """Give the running controller the flows of `folder`, and wait until every bridge has them.

    Return the controller's log line about each bridge; an empty list if it already had these flows.
    HostError, with the end of its log, if the controller refuses the flows or takes too long.
    """
    if folder.resolve() == selected(controller.host):
        return []
    bridges = {f"{host}/{bridge}" for host in topology.hosts for bridge in BRIDGES}
    start = controller.log.stat().st_size
    reports: dict[str, str] = {}

    def all_in_sync() -> bool:
        controller.require_alive()
        text = controller.log.read_bytes()[start:].decode(errors="replace")
        if _REFUSED.search(text):
            raise HostError(f"the controller refuses {folder}. {controller.log_tail()}")
        reports.update((found[2], found[1]) for found in _IN_SYNC.finditer(text))
        return bridges <= reports.keys()

    def unfinished() -> str:
        names = ", ".join(sorted(bridges - reports.keys()))
        return f"not so: {names}\n{controller.log_tail()}"

    select(controller.host, folder)
    wait_until(all_in_sync, _PATIENCE, f"every bridge has the flows of {folder}", unfinished)
    return [reports[bridge] for bridge in sorted(bridges)]
