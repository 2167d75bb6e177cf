"""The article's lab on the kernel's datapath: it comes up, and all checks of its proof pass.

Where this machine's kernel has the datapath, all of tests/lab run on it, so this adds nothing.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from dvr_ryu.companion.providers.netlink.datapath import datapath_type
from tests.kernel_guest.guest import CHECKOUT, guest

TOPOLOGY = CHECKOUT / "examples/human-defined-dvr.yaml"
DVR = Path(sys.executable).with_name("dvr")

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="shows the machine's root to a guest"),
    pytest.mark.skipif(datapath_type() == "system", reason="tests/lab run on this datapath here"),
]


@pytest.mark.timeout(1800)
def test_the_articles_proof_passes_on_the_kernels_datapath() -> None:
    steps = (
        f"lab up {TOPOLOGY}",
        "lab exec server-233 -- ovs-appctl dpif/show",
        "lab test",
        "lab down",
    )
    with guest() as running:
        job = running.start(["sh", "-c", " && ".join(f"{DVR} {step}" for step in steps)])
        running.await_end(job, 1500)
        code = job.code
        seen = job.output.read_text() + job.error.read_text()
    assert code == 0, seen
    assert "system@ovs-system:" in seen
    assert "checks PASS" in seen
