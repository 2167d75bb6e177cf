"""dvr_ryu installs, from the folder of wheels without a network or from PyPI by README's line, and
then its programs run. `make test-wheelhouse` runs this; each test types what README.rst says.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from packaging.utils import NormalizedName, canonicalize_name

from tests.install.environments import ADDRESS, Environment
from tools.wheelhouse import pins

pytestmark = pytest.mark.timeout(1800)  # a busy machine and a slow mirror take their time

ROOT = Path(__file__).parents[2]
TOPOLOGY = f"""
controller: tcp:{ADDRESS}:6653
hosts: {{h1: {{address: 192.0.2.1}}}}
networks: {{blue: {{subnets: [{{cidr: 10.1.0.0/24}}]}}}}
instances: {{a: {{host: h1, network: blue}}}}
"""
START_CONTROLLER = f"""
import socket, subprocess, time
controller = subprocess.Popen(["ryu-manager", "dvr_ryu.app"])
while controller.poll() is None:
    try:
        socket.create_connection(("{ADDRESS}", 6653)).close()
        print("it listens")
        break
    except ConnectionRefusedError:
        time.sleep(0.05)
controller.terminate()
controller.wait()
"""
README = (ROOT / "README.rst").read_text()


def line_of_readme(words: str) -> str:
    """Return the line with these words that README.rst tells people to type."""
    (line,) = re.findall(f"^    (?:sudo )?(.*{re.escape(words)}.*)$", README, re.M)
    return str(line).replace("/opt/dvr_ryu/bin/", "")


def test_the_wheelhouse_installs_without_a_network(
    environment: Environment, python: str, wheelhouse: Path, tmp_path: Path
) -> None:
    there = releases(environment)  # older Pythons bring a setuptools, which pip leaves as it is
    line = line_of_readme("--find-links wheelhouse")
    environment.run("sh", "-ec", line, cwd=wheelhouse.parent)
    new = {name: release for name, release in releases(environment).items() if name not in there}
    assert "ryu" in new and new.pop(canonicalize_name("dvr_ryu"))
    assert new.items() <= pins(python).items()
    works(environment, tmp_path)


def test_the_wheel_installs_from_pypi(environment: Environment, tmp_path: Path) -> None:
    line = line_of_readme("--no-build-isolation")
    (wheel,) = (ROOT / "dist").glob("*.whl")
    shutil.copy(wheel, tmp_path)
    environment.run("sh", "-ec", line, cwd=tmp_path, network=True)
    works(environment, tmp_path)


def releases(environment: Environment) -> dict[NormalizedName, str]:
    """Return the releases of what is installed, by the package's name."""
    listed = json.loads(environment.run("pip", "list", "--format=json"))
    return {canonicalize_name(each["name"]): each["version"] for each in listed}


def works(environment: Environment, folder: Path) -> None:
    """Fail unless the installed programs run, in a folder without our files and with no network."""
    environment.run("pip", "check")
    assert environment.run("dvr", "--version").startswith("dvr, version ")
    assert environment.run("ryu-manager", "--version") == "ryu-manager 4.34\n"
    (folder / "topology.yaml").write_text(TOPOLOGY)
    environment.run("dvr", "check", "topology.yaml", cwd=folder)
    output = environment.run("python", "-c", START_CONTROLLER, cwd=folder)
    assert "it listens" in output.splitlines()
