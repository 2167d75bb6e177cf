"""An environment for each Python that this machine has, and each kind of pip."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.install.environments import PYTHONS, Environment, settings

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def newest_pip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of pip's newest release."""
    folder = tmp_path_factory.mktemp("pip")
    pip = [sys.executable, "-m", "pip", "--quiet"]
    download = [*pip, "download", "--no-deps", "--dest", str(folder), "pip"]
    subprocess.run(download, env=settings(registry=True), check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(params=PYTHONS)
def python(request: pytest.FixtureRequest) -> str:
    """The version of a Python: "3.10"."""
    return str(request.param)


@pytest.fixture(params=["newest pip", "its own pip"])
def environment(
    request: pytest.FixtureRequest, python: str, newest_pip: Path, tmp_path: Path
) -> Environment:
    """A fresh virtual environment of that Python."""
    pip = newest_pip if request.param == "newest pip" else None
    return Environment.make(PYTHONS[python], tmp_path / "venv", pip)


@pytest.fixture(scope="session")
def wheelhouse() -> Path:
    """The folder that `make wheelhouse` has made."""
    folder = ROOT / "wheelhouse"
    assert folder.is_dir(), "type: make wheelhouse"
    return folder
