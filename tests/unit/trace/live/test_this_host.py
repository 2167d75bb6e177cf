"""Commands that ask this host."""

from __future__ import annotations

import pytest

from dvr_ryu.companion.resources.namespace import ROOT
from dvr_ryu.errors import HostError
from dvr_ryu.trace.live.asking import Answer
from dvr_ryu.trace.live.this_host import run


def test_an_answer() -> None:
    assert run(ROOT, ["echo", "yes"]) == Answer("yes\n")
    assert run(ROOT, ["false"]).failed


def test_a_switch_that_hangs() -> None:
    with pytest.raises(HostError, match=r"sleep 600 did not end within 0\.1 s"):
        run(ROOT, ["sleep", "600"], patience=0.1)


def test_a_missing_program() -> None:
    with pytest.raises(HostError, match="this host has no no-such-program"):
        run(ROOT, ["no-such-program"])
