"""Virtual environments of the Pythons that this machine has, each with pip's newest release or with
the one that the Python brings. Commands run without this machine's settings of pip, and without its
cache, or there would be nothing to build.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from attrs import frozen

from tools.wheelhouse import pythons

PYENV = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
ADDRESS = "192.0.2.254"
"""The only address, beside loopback, that commands without a network have."""
_ALONE = f'ip link set lo up; ip address add {ADDRESS}/24 dev lo; exec "$@"'
_NO_NETWORK = ["unshare", "--net", "sh", "-ec", _ALONE, "-"]
_AS_ROOT = [] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user"]


@frozen
class Environment:
    """A virtual environment."""

    folder: Path

    @classmethod
    def make(cls, python: Path, folder: Path, pip: Path | None) -> Environment:
        """Make the environment; with `pip`, a wheel, it gets that release of pip, and no more."""
        only = ["--without-pip"] if pip else []
        subprocess.run([python, "-m", "venv", *only, folder], check=True)
        made = cls(folder)
        if pip:
            made.run("python", f"{pip}/pip", "install", "--quiet", "--no-index", str(pip))
        return made

    def command(self, *command: str, network: bool = False) -> list[str]:
        """A command line of this environment's programs, by default without a network."""
        path = f"PATH={self.folder}/bin:{os.environ['PATH']}"
        return [*([] if network else [*_AS_ROOT, *_NO_NETWORK]), "env", path, *command]

    def run(self, *command: str, cwd: str | Path = "/", network: bool = False) -> str:
        """Run a command to its end and return its output; a failure shows all of it."""
        done = subprocess.run(
            self.command(*command, network=network),
            cwd=cwd,
            env=settings(network),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}"
        return done.stdout


def settings(registry: bool) -> dict[str, str]:
    """The environment of commands: of pip's settings only those by which it reaches a registry."""
    reaching = {"PIP_CERT", "PIP_INDEX_URL", "PIP_PROXY", "PIP_DEFAULT_TIMEOUT"} if registry else ()
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PIP_", "PYTHON", "VIRTUAL_ENV", "DVR_")) or name in reaching
    }
    config = {} if registry else {"PIP_CONFIG_FILE": os.devnull}
    return kept | config | {"PIP_NO_CACHE_DIR": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def python_here(version: str) -> Path | None:
    """Return a Python of this version ("3.10") that can make environments, if there is one."""
    name = f"python{version}"
    of_path = shutil.which(name)
    candidates = [*([Path(of_path)] if of_path else []), Path("/usr/bin") / name]
    candidates += PYENV.glob(f"versions/{version}.*/bin/{name}")
    asked = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"
    for python in candidates:
        try:
            done = subprocess.run([python, "-c", asked], capture_output=True, text=True)
        except OSError:
            continue
        if done.stdout.strip() == version:
            return python
    return None


PYTHONS = {version: python for version in pythons() if (python := python_here(version))}
"""The Pythons of setup.cfg that this machine has, by version."""
