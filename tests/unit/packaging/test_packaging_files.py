"""The hand-written files of the Debian package agree with the code that they are for."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from ryu.cfg import CONF

import dvr_ryu.options  # registers [dvr]
from dvr_ryu.cli.companion import companion_run
from dvr_ryu.companion.providers.commands import PROGRAMS
from dvr_ryu.companion.resources.virtual_machine import QEMU
from dvr_ryu.packages import PACKAGES, packages_of
from dvr_ryu.topology.loading import load_topology
from tools.deb.bundle import COMMANDS, PREFIX, PYTHONS

ROOT = Path(__file__).resolve().parents[3]
PACKAGING = ROOT / "packaging"
DEBIAN = PACKAGING / "debian"
UNITS = sorted((PACKAGING / "systemd").iterdir())
SCORES = {"dvr-controller.service": 15, "dvr-companion@.service": 60}
"""Unit → ten times the exposure that `systemd-analyze security` may compute; 100 is the worst."""


def fields(name: str) -> dict[str, list[str]]:
    """Field → the packages that it names."""
    text = (DEBIAN / name).read_text()
    found = re.findall(r"^(Depends|Recommends|Suggests): (.*(?:\n .*)*)", text, re.M)
    return {field: re.findall(r"[^\s,]+", value) for field, value in found}


def values(unit: Path, key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", unit.read_text(), re.M)


def test_the_package_depends_on_what_the_companion_runs() -> None:
    needed = packages_of(each for each in PROGRAMS if each != QEMU)  # few hosts have a machine
    assert set(needed.split()) <= set(fields("control")["Depends"])
    assert "${dvr:Pythons}" in fields("control")["Depends"]


def test_the_package_tells_apt_of_every_program() -> None:
    known = {each for packages in fields("control").values() for each in packages}
    # Debian always has the first ones; another package of Depends needs the last one.
    others = {"dash", "procps", "util-linux", "openvswitch-common"}
    assert set(PACKAGES.values()) - known <= others


def test_the_changelog_has_the_projects_version() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    first = (DEBIAN / "changelog").read_text().split("\n")[0]
    assert first.startswith(f"dvr-ryu ({config['metadata']['version']}-")


def test_setup_cfg_names_each_python() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    for python in PYTHONS:
        assert f"Python :: {python}" in config["metadata"]["classifiers"]


@pytest.mark.parametrize("script", ["postinst", "prerm", "postrm", "rtupdate"])
def test_maintainer_scripts_are_scripts_of_sh(script: str) -> None:
    text = (DEBIAN / f"dvr-ryu.{script}").read_text()
    assert text.startswith("#!/bin/sh\n") and "\nset -e\n" in text
    assert ("#DEBHELPER#" in text) == (script != "rtupdate")
    subprocess.run(["sh", "-n"], input=text, text=True, check=True)


# Configuration -----------------------------------------------------------------------------------


def test_the_controllers_configuration_has_every_option() -> None:
    text = (PACKAGING / "etc/dvr.conf").read_text()
    named = set(re.findall(r"^#?(\w+) = ", text.partition("[dvr]")[2], re.M))
    assert dvr_ryu.options and named == set(CONF.dvr.keys())


def test_ryu_knows_the_other_options_of_the_configuration() -> None:
    text = (PACKAGING / "etc/dvr.conf").read_text().partition("[dvr]")[0]
    named = set(re.findall(r"^#(\w+) = ", text, re.M))
    # In a process of its own: ryu-manager replaces Python's sockets.
    program = "from ryu.cmd import manager; import ryu.controller.controller; print(*manager.CONF)"
    known = subprocess.check_output([sys.executable, "-c", program], text=True).split()
    assert named and named <= set(known)


def test_the_companions_configuration_has_every_variable() -> None:
    text = (PACKAGING / "etc/companion.conf").read_text()
    named = set(re.findall(r"^#?(DVR_\w+)=", text, re.M))
    taken = {
        str(p.envvar) for p in companion_run.params if isinstance(p, click.Option) and p.envvar
    }
    assert named == taken | {"DVR_TOPOLOGY"}


def test_the_example_is_a_topology() -> None:
    assert len(load_topology(PACKAGING / "etc/topology.example.yaml").hosts) == 2


def test_files_that_documents_name_are_in_the_package() -> None:
    text = (DEBIAN / "README.Debian").read_text()
    for name in re.findall(r"/etc/dvr_ryu/([\w.]+)", text):
        assert (PACKAGING / "etc" / name).exists() or name in {"topology.yaml", "pki"}


# Units -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_run_the_packages_commands_for_ever(unit: Path) -> None:
    (command,) = values(unit, "ExecStart")
    program, *_ = command.split()
    assert Path(program) in {PREFIX / "bin" / name for name in COMMANDS}
    assert values(unit, "Restart") == ["always"]
    assert values(unit, "StartLimitIntervalSec") == ["0"]


def test_the_controller_runs_as_the_user_that_the_package_makes() -> None:
    controller = PACKAGING / "systemd/dvr-controller.service"
    (user,) = values(controller, "User")
    assert f"\nu {user} " in (DEBIAN / "dvr-ryu.sysusers").read_text()
    assert f" {user} {user} -" in (DEBIAN / "dvr-ryu.tmpfiles").read_text()
    assert f"userdel {user}" in (DEBIAN / "dvr-ryu.postrm").read_text()


def test_the_companion_stays_in_the_machines_mount_namespace() -> None:
    """Any of these would give it a mount namespace: nobody else would see its namespaces."""
    text = (PACKAGING / "systemd/dvr-companion@.service").read_text()
    keys = set(re.findall(r"^(\w+)=", text, re.M))
    assert not keys & {
        *("PrivateTmp", "PrivateDevices", "PrivateMounts", "ProtectSystem", "ProtectHome"),
        *("ProtectProc", "ProcSubset", "ProtectControlGroups", "ProtectKernelLogs", "ProcSubset"),
        *("ProtectKernelModules", "ProtectKernelTunables", "ReadOnlyPaths", "ReadWritePaths"),
        *("InaccessiblePaths", "BindPaths", "TemporaryFileSystem", "RootDirectory", "DynamicUser"),
    }


needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is missing"
)


@needs_systemd
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_takes_the_units(unit: Path, tmp_path: Path) -> None:
    """The programs of the units need not be installed for this."""
    here = tmp_path / unit.name
    text = re.sub(r"^(ExecStart=)\S+", r"\1/bin/true", unit.read_text(), flags=re.M)
    here.write_text(text.replace("openvswitch-switch.service", ""))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(here)],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


@needs_systemd
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_is_content_with_the_units_protection(unit: Path) -> None:
    threshold = f"--threshold={SCORES[unit.name]}"
    subprocess.run(
        ["systemd-analyze", "security", "--offline=true", threshold, str(unit)],
        check=True,
        capture_output=True,
    )
