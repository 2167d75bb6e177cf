"""Pictures of the examples, and the pipelines that are shipped."""

from __future__ import annotations

import pytest

from dvr_ryu.pipeline.compile.pipelines import Pipelines
from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.shipped import examples_dir, flows_dir
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.topology import Topology


@pytest.fixture(scope="session")
def article() -> Topology:
    return load_topology(examples_dir() / "human-defined-dvr.yaml")


@pytest.fixture(scope="session")
def pipelines() -> Pipelines:
    return load_pipelines(flows_dir())
