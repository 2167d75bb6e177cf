"""A folder of `dvr pki init` with one host; it is made once, because openssl takes a second."""

from __future__ import annotations

from pathlib import Path

import pytest

from dvr_ryu.pki import making


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pki") / "pki"
    making.init(folder)
    making.make_host(folder, "h1")
    return folder
