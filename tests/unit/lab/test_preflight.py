"""The packages that `make deps` installs are those of all programs that dvr_ryu runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from dvr_ryu.companion import script
from dvr_ryu.companion.providers import commands
from dvr_ryu.companion.resources.virtual_machine import QEMU
from dvr_ryu.errors import DvrError
from dvr_ryu.graph import graphviz
from dvr_ryu.lab import preflight
from dvr_ryu.lab.guests import image, root
from dvr_ryu.lab.hosts import bare
from dvr_ryu.packages import PACKAGES
from dvr_ryu.pki import making
from dvr_ryu.topology.loading import load_topology, parse_topology

TOOL = Path(__file__).parents[3] / "tools" / "debian-packages"


def test_all_programs_are_in_an_installed_package() -> None:
    _, table, _ = TOOL.read_text().split("'", 2)
    installed = dict(line.split() for line in table.split("\n") if line)
    assert installed == {program: PACKAGES[program] for program in installed}
    run = {*script.PROGRAMS, *commands.PROGRAMS, *preflight.PROGRAMS, *making.PROGRAMS}
    run.add(graphviz.PROGRAM)
    of_machines = {QEMU, *image.PROGRAMS}
    assert PACKAGES.keys() == run | of_machines
    # Only a topology with virtual machines needs qemu and busybox.
    run -= {QEMU, root.BUSYBOX}
    assert set(installed.values()) == {PACKAGES[program] for program in run}


SMALLEST = "hosts: {h1: {address: 10.0.0.1}}\n"


@pytest.mark.parametrize(
    ("text", "controller"),
    [
        (SMALLEST, "tcp:10.0.0.254:6653"),
        ("hosts: {h1: {address: 10.0.0.254}, h2: {address: 10.0.0.253}}", "tcp:10.0.0.252:6653"),
        (SMALLEST + "controller: ssl:10.0.0.9:7000", "ssl:10.0.0.9:7000"),
        (SMALLEST + "underlay: {cidr: 10.0.0.0/8}", "tcp:10.255.255.254:6653"),
    ],
)
def test_a_lab_chooses_a_free_address_for_a_controller_that_the_file_does_not_name(
    text: str, controller: str
) -> None:
    assert str(bare.controller_of(parse_topology(text, "t.yaml"))) == controller


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (SMALLEST + "controller: tcp:192.0.2.1:6653", "example controller: tcp:10.0.0.254:6653,"),
        (
            "underlay: {cidr: 10.0.0.0/30}\n"
            "hosts: {a: {address: 10.0.0.1}, b: {address: 10.0.0.2}}",
            "has no free address",
        ),
    ],
)
def test_the_advice_is_a_valid_topology(text: str, expected: str) -> None:
    with pytest.raises(DvrError, match=expected):
        bare.controller_of(parse_topology(text, "t.yaml"))


def test_the_environment_names_the_controller_of_a_file_that_names_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "t.yaml"
    monkeypatch.setenv("DVR_CONTROLLER", "tcp:10.0.0.254:6653")
    for text, controller in ((SMALLEST, 254), (SMALLEST + "controller: tcp:10.0.0.9:6653", 9)):
        file.write_text(text)
        assert str(load_topology(file).controller) == f"tcp:10.0.0.{controller}:6653"
