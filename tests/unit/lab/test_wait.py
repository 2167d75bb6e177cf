"""Waits of a lab: a slow machine's are longer."""

from __future__ import annotations

import pytest

from dvr_ryu.errors import HostError
from dvr_ryu.lab.wait import SLOWNESS, timeout_here, wait_until


def test_a_slow_machine_waits_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SLOWNESS, raising=False)
    assert timeout_here(20) == 20
    monkeypatch.setenv(SLOWNESS, "6")
    assert timeout_here(20) == 120
    with pytest.raises(HostError, match=r"the sea: not within 0\.06 s"):
        wait_until(lambda: False, 0.01, "the sea")
