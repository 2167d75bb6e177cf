"""One Open vSwitch for the bridges of a test module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.switch.interpreter.tracer import Tracer
from tests.switch.support.ovs import Ovs


@pytest.fixture(scope="module")
def tracer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracer]:
    ovs = Ovs(tmp_path_factory.mktemp("ovs"), tunnels=True)
    try:
        ovs.start()
        yield Tracer(ovs)
    finally:
        ovs.stop()
