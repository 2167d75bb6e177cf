"""Selects the flows of a lab, and replaces them while the lab is up.

The controller reads its flows through a symbolic link in its host's own /run. A new target of the
link is the whole change: the controller notices other files and brings every bridge to them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dvr_ryu.errors import DvrError, HostError
from dvr_ryu.lab.hosts.host import LabHost
from dvr_ryu.lab.services.services import FLOWS_LINK, LabService
from dvr_ryu.lab.wait import wait_until
from dvr_ryu.pipeline.compile.pipelines import Pipelines
from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.shipped import flows_dir
from dvr_ryu.topology.bridges import BRIDGES
from dvr_ryu.topology.topology import Topology
from dvr_ryu.web import client, status

_PATIENCE = 30.0


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


def change(controller: LabService, page: str, topology: Topology, folder: Path) -> list[str]:
    """Give the running controller the flows of `folder`, and wait until every bridge has them.

    `page` is the URL of the controller's page. Return a line about each bridge's change; an empty
    list if the controller already had these flows. HostError if it refuses them or takes too long.
    """
    if folder.resolve() == selected(controller.host):
        return []
    try:
        before = client.fetch(page, status.PATH)
    except client.NoAnswer as error:
        raise HostError(f"{error}\n{controller.log_tail()}") from None
    found: dict[str, Any] = {}

    def all_in_sync() -> bool:
        controller.require_alive()
        try:
            found.update(client.fetch(page, status.PATH))
        except client.NoAnswer:  # it may just start anew
            return False
        if error := _refusal(found, before):
            raise HostError(f"the controller refuses {folder}. {error}")
        return _has_read(found, before) and all(each["in_sync"] for each in found["bridges"])

    def unfinished() -> str:
        late = [each for each in found.get("bridges", ()) if not each["in_sync"]]
        return f"not so: {', '.join(map(_name, late))}\n{controller.log_tail()}"

    select(controller.host, folder)
    wait_until(all_in_sync, _PATIENCE, f"every bridge has the flows of {folder}", unfinished)
    return sorted(f"{_name(each)} {each['last_sync']}" for each in found["bridges"])


def _name(bridge: dict[str, Any]) -> str:
    return f"{bridge['host']}/{bridge['bridge']}"


def _has_read(found: dict[str, Any], before: dict[str, Any]) -> bool:
    """Whether the controller has read an edit since `before`, or was started since."""
    now, then = found["controller"], before["controller"]
    edited: bool = now["edits"]["applied"] > then["edits"]["applied"]
    return edited or now["started"] != then["started"]


def _refusal(found: dict[str, Any], before: dict[str, Any]) -> str:
    """Why the controller or a bridge refuses an edit since `before`; empty if none does. A bridge
    that refused the flows before may still say so.
    """
    edits, error = found["controller"]["edits"], found["controller"]["error"]
    if edits["refused"] > before["controller"]["edits"]["refused"] and error:
        return str(error["text"])
    known = {_name(each): each["last_error"] for each in before["bridges"]}
    refused = (each for each in found["bridges"] if each["refused"])
    new = (each for each in refused if each["last_error"] != known.get(_name(each)))
    return "\n".join(f"{_name(each)}: {each['refused']}" for each in new)
