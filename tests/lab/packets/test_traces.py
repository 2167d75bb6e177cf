"""Traces say what real packets do, between all ends of random labs. The tests of the examples' labs
do the same for the examples.

DVR_LABS is the number of labs, DVR_SEED the seed of the first, which is printed.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from dvr_ryu.lab import lifecycle
from dvr_ryu.lab.hosts.bare import Lab
from dvr_ryu.lab.proof.checks import address_checks
from dvr_ryu.lab.state import StateFolder
from dvr_ryu.topology.loading import load_topology
from tests.lab.support.random_edits import edited, start, yaml_of
from tests.lab.support.verdicts import differences

LABS = int(os.environ.get("DVR_LABS", "1"))
SEED = int(os.environ.get("DVR_SEED", secrets.randbelow(1_000_000)))
EDITS = 12


@contextmanager
def random_lab(file: Path, seed: int) -> Iterator[Lab]:
    """A lab whose instances have their addresses, for as long as the block lasts."""
    random, document = Random(seed), start()
    for _ in range(EDITS):
        _, document = edited(document, random)
    file.write_text(yaml_of(document))
    folder = StateFolder(file.with_name("dvr_lab"))
    try:
        lifecycle.up(file, lambda _: None, folder)
        lab = Lab(lifecycle.running(folder).lab_hosts)
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda check: check.probe(lab), address_checks(load_topology(file))))
        yield lab
    finally:
        lifecycle.down(folder)


# Tests are named by number, not by seed: each process that pytest starts draws a seed of its own.
@pytest.mark.parametrize("number", range(LABS))
def test_verdicts_in_a_random_lab(tmp_path: Path, number: int) -> None:
    file, seed = tmp_path / "random.yaml", SEED + number
    print(f"DVR_SEED={seed}")
    with random_lab(file, seed) as lab:
        found = differences(lab, load_topology(file))
    assert not found, "\n".join([f"DVR_SEED={seed}", *found])
