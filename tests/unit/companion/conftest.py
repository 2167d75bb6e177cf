"""The article's topology, as each of its hosts sees it."""

from __future__ import annotations

import pytest

from dvr_ryu.shipped import examples_dir
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.topology import Topology


@pytest.fixture(scope="session")
def article() -> Topology:
    return load_topology(examples_dir() / "human-defined-dvr.yaml")
