"""Makes a lab's own keys and certificates when the lab comes up; they are removed with the lab.

Each host gets only its own files. They are in the lab host's /run, not in /etc as `dvr pki host`
advises, because a lab host may share the machine's /etc.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from dvr_ryu.lab.hosts.bare import Lab
from dvr_ryu.lab.hosts.host import LabHost
from dvr_ryu.lab.state import StateFolder
from dvr_ryu.pki import making
from dvr_ryu.pki.files import PkiFiles, folder_of_host, of_controller
from dvr_ryu.topology.topology import Topology

FOLDER = "/run/dvr_lab/pki"
"""The folder of a host's files, in that host."""


def is_needed(topology: Topology, always: bool) -> bool:
    """Whether a lab of this topology uses TLS: if the file requires it, or if `always`."""
    return always or bool(topology.controller and topology.controller.tls)


def made_in(folder: StateFolder) -> Path:
    """The folder that `dvr pki init` would make, of a lab."""
    return folder.path / "pki"


def make(topology: Topology, folder: StateFolder, progress: Callable[[str], None]) -> None:
    """Make the missing files of the authorities, the hosts and the controller."""
    pki = made_in(folder)
    missing = [host for host in topology.hosts if not folder_of_host(pki, host).exists()]
    if missing:
        progress("keys and certificates")
    making.init(pki)
    for host in missing:
        making.make_host(pki, host)


def equip(lab: Lab, topology: Topology, folder: StateFolder) -> None:
    """Copy its files to each host that lacks them."""
    pki = made_in(folder)
    for name in topology.hosts:
        if not lab[name].path(FOLDER).exists():
            shutil.copytree(folder_of_host(pki, name), lab[name].path(FOLDER))
    if not lab.controller.path(FOLDER).exists():
        _copy_to_controller(lab.controller, of_controller(pki), pki)


def _copy_to_controller(controller: LabHost, files: PkiFiles, pki: Path) -> None:
    """Copy the controller's files to its host, without the authorities' private keys."""
    for file in files.all:
        target = controller.path(f"{FOLDER}/{file.relative_to(pki)}")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, target)
