"""Whatever a person edits in a topology, the shipped pipelines do what it says: the judge and the
interpreter, which have nothing in common but the topology, agree.

DVR_TOPOLOGIES is the number of topologies, DVR_SEED their seed, which is printed.
"""

from __future__ import annotations

import os
import secrets
from random import Random

from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.prove.proof import Proof
from dvr_ryu.shipped import flows_dir
from dvr_ryu.topology.loading import parse_topology
from tests.lab.support.random_edits import edited, start, yaml_of

TOPOLOGIES = int(os.environ.get("DVR_TOPOLOGIES", "4"))
SEED = int(os.environ.get("DVR_SEED", secrets.randbelow(1_000_000)))


def test_random_topologies_hold() -> None:
    print(f"DVR_SEED={SEED}")
    chance, document, proof = Random(SEED), start(), Proof(load_pipelines(flows_dir()))
    for _ in range(TOPOLOGIES):
        did = ""
        for _ in range(3):
            did, document = edited(document, chance)
        report = proof.prove(parse_topology(yaml_of(document), "edited.yaml"))
        assert [str(each) for each in report.findings] == [], did
