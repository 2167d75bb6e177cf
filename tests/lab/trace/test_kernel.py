"""A host's kernel as computed does what the real kernel does, namespace by namespace: with random
frames at every port, and with the routes, rules and neighbours that iproute2 tells.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from dvr_ryu.shipped import examples_dir
from dvr_ryu.topology.loading import parse_topology
from tests.lab.support import random_edits

FRAMES = 300
EDITS = 25
EXAMPLES = [
    (file.name, host)
    for file in sorted(examples_dir().glob("*.yaml"))
    for host in parse_topology(file.read_text(), file.name).hosts
]
_ALONE = 'mount --make-rprivate / && mount -t tmpfs none /run && exec "$@"'


def differences(file: Path, host: str, seed: int) -> list[str]:
    """Every difference, found in namespaces of the test's own."""
    judge = [sys.executable, "-m", "tests.lab.support.judges.kernel"]
    alone = ["unshare", "--net", "--mount", "sh", "-ec", _ALONE, "-"]
    done = subprocess.run(
        [*alone, *judge, str(file), host, str(seed), str(FRAMES)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(("name", "host"), EXAMPLES)
def test_the_examples_hosts_do_as_computed(name: str, host: str) -> None:
    assert differences(examples_dir() / name, host, 1) == []


@pytest.mark.parametrize("seed", range(2))
def test_hosts_of_random_topologies_do_as_computed(tmp_path: Path, seed: int) -> None:
    random, document = Random(seed), random_edits.start()
    for _ in range(EDITS):
        _, document = random_edits.edited(document, random)
    file = tmp_path / "topology.yaml"
    file.write_text(random_edits.yaml_of(document))
    for host in document["hosts"]:
        assert differences(file, host, seed) == [], file.read_text()
