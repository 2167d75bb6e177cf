"""A topology and flows that tests edit, and what is desired by them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from dvr_ryu.desired_state import DesiredState
from dvr_ryu.shipped import examples_dir, flows_dir
from dvr_ryu.source.file import FileSource
from dvr_ryu.source.inputs import InputReader
from dvr_ryu.switch.guard.identity import BridgeName

BRIDGE = BridgeName("server-233", "br-tun")
PORTS = {"patch-int": 1, "vxlan-0a002c40": 2, "vxlan-0a002c44": 3}


class Files:
    """A topology and flows to be edited; every save looks like one, however soon it comes."""

    def __init__(self, folder: Path) -> None:
        self.topology = folder / "topology.yaml"
        self.flows = folder / "flows"
        self.tunnel = self.flows / "br-tun.flows"
        self._saves = 0
        shutil.copy(examples_dir() / "human-defined-dvr.yaml", self.topology)
        self.flows.mkdir()
        for file in flows_dir().glob("*.flows"):
            shutil.copy(file, self.flows)

    def save(self, file: Path, text: str) -> None:
        file.write_text(text)
        self._saves += 1
        when = 2_000_000_000 + self._saves
        os.utime(file, (when, when))

    def edit(self, file: Path, old: str, new: str) -> None:
        text = file.read_text()
        assert old in text
        self.save(file, text.replace(old, new))


def of_files(topology: Path, flows: Path) -> DesiredState:
    return DesiredState(InputReader(FileSource(topology), flows))


def settle(desired: DesiredState) -> bool:
    """Whether a save is applied, which is so in the second look at it."""
    assert desired.reload() is False
    return desired.reload()
