"""docs/three-servers.rst, whole: from three fresh machines to instances, and back. Its commands are
typed in the document's order; under some titles the test also watches what they do.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dvr_ryu.lab.wait import wait_until
from tests.deb.later import LATER, make_later
from tests.machines.machine import Machine
from tests.machines.site import Site, start
from tests.servers.chapter import PATIENCE, Chapter
from tests.servers.pings import Loss, Pings

pytestmark = pytest.mark.timeout(3 * 3600)
INSTANCES = {
    "server-1": ("web", "192.168.10.11"),
    "server-2": ("db", "192.168.20.12"),
    "server-3": ("vm", "192.168.10.13"),
}
"""Server → its instance, and that one's address."""
FEW = 2
"""Pings that emulated machines may lose on a busy machine, where nothing else is in their way."""


@pytest.fixture(params=os.environ.get("DVR_DEBIAN", "12").split(","))
def servers(request: pytest.FixtureRequest) -> Iterator[dict[str, Machine]]:
    """Three fresh servers on one link, the third without the kernel's module. $DVR_DEBIAN names
    the releases, with commas between them.
    """
    with Site() as site:
        link = site.link()
        made = {name: site.machine(name, request.param, [link]) for name in INSTANCES}
        made["server-3"].kernel_words = ["module_blacklist=openvswitch"]
        start([*made.values()])
        for server in made.values():
            # What a person answers when apt asks.
            server.run("echo 'APT::Get::Assume-Yes \"true\";' >/etc/apt/apt.conf.d/answers")
            server.run("echo DEBIAN_FRONTEND=noninteractive >>/etc/environment")
        yield made


def test_every_command_of_the_chapter(servers: dict[str, Machine], tmp_path: Path) -> None:
    chapter = Chapter(tmp_path, servers)
    before: dict[str, str] = {}
    for title in dict.fromkeys(command.title for command in chapter.commands):
        if title == "The package":
            before = {name: state(server) for name, server in servers.items()}
        WATCHED.get(title, lambda chapter: chapter.type_all(chapter.under(title)))(chapter)  # noqa: B023
    assert {name: state(server) for name, server in servers.items()} == before


def reboot_each(chapter: Chapter) -> None:
    """Reboot each server. The two others' instances reach each other meanwhile."""
    for command in chapter.under("A reboot"):
        gone = command.where
        first, second = (name for name in INSTANCES if name != gone)
        between = pings(chapter, first, second)
        into = pings(chapter, first, gone)
        chapter.servers[gone].reboot()
        await_answer(chapter, first, gone)
        report(f"reboot of {gone}: from {first} to {gone}", into.end())
        loss = between.end()
        report(f"reboot of {gone}: from {first} to {second}", loss)
        assert loss.lost <= FEW
        await_answer(chapter, second, gone)
        chapter.type_all(each for each in chapter.commands if each.text == "dvr status")


def upgrade(chapter: Chapter) -> None:
    """Install a later package while pings run from each instance to each other one."""
    (package,) = chapter.desk.glob("build/deb/*.deb")
    make_later(package, package.with_name("dvr-ryu_later.deb"))
    package.unlink()
    running = {
        (one, other): pings(chapter, one, other)
        for one in INSTANCES
        for other in INSTANCES
        if one != other
    }
    chapter.type_all(chapter.under("An upgrade"))
    chapter.type_all(each for each in chapter.commands if each.text == "dvr status")
    losses = {pair: each.end() for pair, each in running.items()}
    for (one, other), loss in losses.items():
        report(f"upgrade: from {one} to {other}", loss)
    assert all(loss.lost <= FEW for loss in losses.values())
    for server in chapter.servers.values():
        assert LATER in server.run("dpkg-query --show dvr-ryu").stdout


def remove(chapter: Chapter) -> None:
    """Remove all of it; no file with the project's name stays."""
    chapter.type_all(chapter.under("Removal"))
    for server in chapter.servers.values():
        left = "find / -xdev -iname '*dvr*ryu*' -not -path '/var/log/*' -not -path '/root/*'"
        assert server.run(left).stdout == ""


def state(server: Machine) -> str:
    """What the package and its programs change on a server outside of files."""
    return server.run(
        "ip -o -4 address show | sort -k 2; ip -o link | cut -d ' ' -f 2 | sort; ip rule; ip route;"
        " ip netns; ovs-vsctl list-br;"
        " ovs-vsctl get Open_vSwitch . external_ids | grep dvr || true;"
        " iptables-save | grep '^-' || true; getent passwd _dvr_ryu;"
        " ls /run/dvr_ryu 2>&1; systemctl list-units --plain --no-legend 'dvr-*'"
    ).stdout


def pings(chapter: Chapter, one: str, other: str) -> Pings:
    """Begin pings from the instance of one server to that of another."""
    return Pings(chapter.servers[one], INSTANCES[one][0], INSTANCES[other][1])


def await_answer(chapter: Chapter, one: str, other: str) -> None:
    """Return when the instance of one server reaches that of another."""
    server, instance, address = chapter.servers[one], INSTANCES[one][0], INSTANCES[other][1]
    ping = f"ip netns exec vm-{instance} ping -n -c 1 -W 2 {address}"
    wait_until(lambda: server.run(ping, check=False).returncode == 0, PATIENCE, f"{one}# {ping}")


WATCHED: dict[str, Callable[[Chapter], None]] = {
    "A reboot": reboot_each,
    "An upgrade": upgrade,
    "Removal": remove,
}
"""Title → what types the commands under it, in the document's order."""


def report(what: str, loss: Loss) -> None:
    """Print a figure: pytest -s shows it."""
    print(f"{what}: {loss.lost} of {loss.sent} pings lost, {loss.silence:.1f} s without an answer")
