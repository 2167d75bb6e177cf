"""Machines do as servers: they boot, obey, copy, restart, lose power, and reach each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.machines.image import RELEASES
from tests.machines.machine import Machine
from tests.machines.site import Site, start

pytestmark = pytest.mark.timeout(1200)


def address(machine: Machine, number: int) -> None:
    machine.run(f"ip address add 192.0.2.{number}/24 dev eth1; ip link set eth1 up mtu 1550")


def test_machines_of_all_releases_reach_each_other_and_keep_their_disks(tmp_path: Path) -> None:
    with Site() as site:
        link = site.link()
        machines = [site.machine(f"debian-{name}", name, [link]) for name in RELEASES]
        third = site.machine("third", links=[link])
        start([*machines, third])
        for number, machine in enumerate((*machines, third), 1):
            address(machine, number)
            assert machine.run("hostname").stdout.strip() == machine.name
            machine.run("modprobe openvswitch")
        for machine, release in zip(machines, RELEASES, strict=True):
            assert f'VERSION_ID="{release}"' in machine.run("cat /etc/os-release").stdout
        first, second = machines
        for number in 2, 3:
            first.run(f"ping -c 3 -i 0.2 -M do -s 1522 192.0.2.{number}")

        assert third.run("echo out; echo err >&2; exit 7", check=False).returncode == 7
        with pytest.raises(AssertionError, match="out\nerr\nexit code 7"):
            third.run("echo out; echo err >&2; exit 7")

        (tmp_path / "file").write_text("kept\n")
        second.copy_in(tmp_path / "file", "/root/file")
        boot = second.run("cat /proc/sys/kernel/random/boot_id").stdout
        second.reboot()
        assert second.run("cat /proc/sys/kernel/random/boot_id").stdout != boot
        second.copy_out("/root/file", tmp_path / "back")
        assert (tmp_path / "back").read_text() == "kept\n"

        third.run("echo flushed >/root/file; sync")
        third.stop(hard=True)
        first.stop()
        third.kernel_words = ["module_blacklist=openvswitch"]
        third.start()
        assert third.run("cat /root/file").stdout == "flushed\n"
        assert third.run("modprobe openvswitch", check=False).returncode != 0


def test_a_machine_installs_packages_of_the_mirror() -> None:
    with Site() as site:
        machine = site.machine("apt", "13")
        machine.start()
        machine.run("apt-get update -qq && apt-get install -qq --yes --no-install-recommends jq")
        assert machine.run("echo '{\"a\": 7}' | jq .a").stdout == "7\n"
