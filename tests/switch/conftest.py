"""One Open vSwitch and one controller for a test, on a copy of the article's topology."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from dvr_ryu.pipeline.compile.pipelines import Pipelines
from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.shipped import examples_dir, flows_dir
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.view import HostView
from tests.switch.support.controller import Controller
from tests.switch.support.loopback import from_loopback
from tests.switch.support.ovs import Ovs


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path, because a unix socket's path has at most 108 bytes."""
    path = Path(tempfile.mkdtemp(prefix="dvr"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def ovs(folder: Path) -> Iterator[Ovs]:
    switch = Ovs(folder)
    try:
        switch.start()
        yield switch
    finally:
        switch.stop()


@pytest.fixture
def topology_file(folder: Path) -> Path:
    """A copy of the article's topology, which a test may edit."""
    file = folder / "topology.yaml"
    file.write_text(from_loopback((examples_dir() / "human-defined-dvr.yaml").read_text()))
    return file


@pytest.fixture
def flows_folder(folder: Path) -> Path:
    """A copy of the shipped flows, which a test may edit."""
    target = folder / "flows"
    target.mkdir()
    for file in flows_dir().glob("*.flows"):
        shutil.copy(file, target)
    return target


@pytest.fixture
def controller(folder: Path, topology_file: Path, flows_folder: Path) -> Iterator[Controller]:
    config = folder / "ryu.conf"
    config.write_text(f"[dvr]\nflows = {flows_folder}\n")
    with Controller(folder, topology_file, f"--config-file={config}") as running:
        yield running


@pytest.fixture
def pipelines() -> Pipelines:
    return load_pipelines(flows_dir())


def view_of(topology_file: Path, host: str) -> HostView:
    return HostView(load_topology(topology_file), host)
