"""A lab's own keys and certificates, made when it comes up and gone with it.

Each host has its own files and no others, where `dvr pki host` says that they go; but in the lab
host's /run, for /etc may be the machine's.
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
"""In each host: its files."""


def is_needed(topology: Topology, always: bool) -> bool:
    """Whether a lab of this topology speaks TLS; `always` if it does whatever the file says."""
    return always or bool(topology.controller and topology.controller.tls)


def made_in(folder: StateFolder) -> Path:
    """The folder of `dvr pki init` of a lab."""
    return folder.path / "pki"


def make(topology: Topology, folder: StateFolder, progress: Callable[[str], None]) -> None:
    """Make what is missing of the authorities, and of the hosts' and the controller's files."""
    pki = made_in(folder)
    missing = [host for host in topology.hosts if not folder_of_host(pki, host).exists()]
    if missing:
        progress("keys and certificates")
    making.init(pki)
    for host in missing:
        making.make_host(pki, host)


def equip(lab: Lab, topology: Topology, folder: StateFolder) -> None:
    """Give each host the files that it has not got."""
    pki = made_in(folder)
    for name in topology.hosts:
        if not lab[name].path(FOLDER).exists():
            shutil.copytree(folder_of_host(pki, name), lab[name].path(FOLDER))
    if not lab.controller.path(FOLDER).exists():
        _give(lab.controller, of_controller(pki), pki)


def _give(controller: LabHost, files: PkiFiles, pki: Path) -> None:
    """Give the controller its files, and not what the authorities sign with."""
    for file in files.all:
        target = controller.path(f"{FOLDER}/{file.relative_to(pki)}")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, target)
