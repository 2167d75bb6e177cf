"""Killed processes of the article's lab and resources that are removed by hand come back exactly.
Packets that do not need them keep passing meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from dvr_ryu.lab.hosts.host import LabHost
from dvr_ryu.lab.wait import wait_until
from tests.lab.support.article import CIRROS, PEER, Article, article_lab, pinging
from tests.lab.support.companions import await_answer
from tests.lab.support.inventory import Inventory, differences, inventory

PINGS = ((CIRROS, "10.10.10.4"), (PEER, "192.168.10.222"), (("server-64", None), "2.2.2.100"))
PATIENCE = 60


@pytest.fixture(scope="module")
def article(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Article]:
    with article_lab(tmp_path_factory.mktemp("unkillable")) as article:
        yield article


@pytest.fixture
def host(article: Article) -> LabHost:
    return article.lab["server-233"]


@pytest.fixture
def before(host: LabHost) -> Inventory:
    return inventory(host)


def await_same(host: LabHost, before: Inventory) -> None:
    """Wait until the host's inventory is the same again."""
    left: list[str] = []

    def same() -> bool:
        left[:] = differences(before, inventory(host))
        return not left

    wait_until(same, PATIENCE, f"{host.name} as it was", lambda: "\n".join(left))


def kill_service(host: LabHost, service: str) -> None:
    """Kill a service, and wait for its restart."""
    starts = host.service_starts(service)
    host.run(["kill", "-9", str(host.service_pid(service))])
    wait_until(lambda: host.service_starts(service) > starts, PATIENCE, f"another {service}")


def await_answers(article: Article) -> None:
    """Wait until all addresses answer; Open vSwitch drops the first packet of a new tunnel."""
    for (name, namespace), address in PINGS:
        await_answer(article.lab[name], namespace, address)


@contextmanager
def undisturbed(article: Article) -> Iterator[None]:
    with ExitStack() as stack:
        for endpoint, address in PINGS:
            stack.enter_context(pinging(article, endpoint, address))
        yield


@pytest.mark.alone
@pytest.mark.parametrize("service", ["companion", "ovsdb-server"])
def test_a_kill_of_a_service_without_packets_disturbs_none(
    article: Article, host: LabHost, before: Inventory, service: str
) -> None:
    log = article.folder.log("companion-server-233")
    known = len(log.read_text())
    with undisturbed(article):
        kill_service(host, service)
        # It returns when ovs-vswitchd has read it, and so is connected again.
        command = ["ovs-vsctl", "--retry", "set", "Open_vSwitch", ".", "external_ids:probe=1"]
        host.run([*command[:2], "--timeout=60", *command[2:]])
        await_same(host, before)
    assert "Traceback" not in log.read_text()[known:]
    # The companion works with the new OVSDB.
    host.run(["ovs-vsctl", "clear", "Bridge", "br-tun", "controller"])
    await_same(host, before)
    targets = [
        line for line in host.run(["ovs-vsctl", "show"]).stdout.splitlines() if "6653" in line
    ]
    assert len(targets) == 2


def test_a_companion_announces_addresses_of_its_predecessor(
    article: Article, host: LabHost
) -> None:
    """The killed companion may have made the address without announcing it."""
    beyond = article.lab["server-64"]

    def known_as() -> str:
        return beyond.run(["ip", "-json", "neigh", "show", "2.2.2.100"]).stdout

    await_answers(article)
    (known,) = json.loads(known_as())
    wrong = "02:00:00:00:00:99"
    command = f"ip neigh replace 2.2.2.100 lladdr {wrong} dev {known['dev']} nud stale"
    beyond.run(command.split())
    assert wrong in known_as()
    kill_service(host, "companion")
    wait_until(lambda: known["lladdr"] in known_as(), PATIENCE, "2.2.2.100 announced", known_as)


@pytest.mark.alone
def test_open_vswitch_comes_back_with_all_that_it_had(
    article: Article, host: LabHost, before: Inventory
) -> None:
    """On the userspace datapath the host's own packets stop meanwhile; those of other hosts
    pass.
    """
    with pinging(article, ("server-68", "vm-blue-68"), "10.10.10.4"):
        kill_service(host, "ovs-vswitchd")
        await_same(host, before)
    await_answers(article)


@pytest.mark.alone
@pytest.mark.parametrize("program", ["dnsmasq-", "udhcpc-cirros"])
def test_programs_come_back_and_leases_stay(
    article: Article, host: LabHost, before: Inventory, program: str
) -> None:
    leases = {path: path.read_text() for path in host.path("/run/dvr_ryu/dhcp").glob("*.leases")}
    assert any("192.168.10.222" in text for text in leases.values())
    files = list(host.path("/run/dvr_ryu/processes").glob(f"{program}*.pid"))
    killed = {file: file.read_text() for file in files}
    with undisturbed(article):
        host.run(["kill", "-9", *map(str.strip, killed.values())])
        wait_until(lambda: _all_new(killed), PATIENCE, f"another {program}")
        await_same(host, before)
    for path, text in leases.items():
        assert sorted(_leased(path.read_text())) == sorted(_leased(text))


def _all_new(killed: dict[Path, str]) -> bool:
    return all(file.exists() and file.read_text() not in ("", pid) for file, pid in killed.items())


def _leased(text: str) -> list[tuple[str, ...]]:
    """The MAC and the address of each lease. The end is left out, because a client may have
    renewed.
    """
    return [tuple(line.split()[1:3]) for line in text.splitlines()]


DAMAGE = (
    "ip netns del vm-lonely-233",
    "ip -n {qrouter} addr flush dev {rfp}",
    "ovs-vsctl del-port {qr}",
    "ovs-vsctl set Port {qr} tag=99",
    "ovs-ofctl -OOpenFlow14 del-flows br-int",
    "ovs-ofctl -OOpenFlow14 mod-flows br-tun actions=drop",
)


@pytest.mark.parametrize("command", DAMAGE)
def test_resources_that_are_removed_by_hand_come_back(
    article: Article, host: LabHost, before: Inventory, command: str
) -> None:
    spaces = host.run(["ip", "netns"]).stdout.split()
    names = {each: next(s for s in spaces if s.startswith(each)) for each in ("fip", "qrouter")}
    links = host.run(["ip", "-br", "link"], namespace=names["qrouter"]).stdout.split()
    for prefix in ("rfp", "qr"):
        names[prefix] = next(word for word in links if word.startswith(f"{prefix}-")).split("@")[0]
    mender = "controller" if "flows" in command else "companion-server-233"
    log = article.folder.log(mender)
    offset = len(log.read_text())
    host.run(command.format(**names).split())
    wait_until(lambda: len(log.read_text()) > offset, PATIENCE, f"the {mender} mends")
    await_same(host, before)
    await_answers(article)


def test_down_leaves_nothing_of_a_host_whose_companion_is_dead(
    article: Article, host: LabHost, tmp_path: Path
) -> None:
    """The companion has crashed for good; the command alone removes all that it made."""
    dvr = Path(article.controller().command[0]).with_name("dvr")
    host.run(["kill", str(host.service_pid("companion"))])
    wait_until(lambda: host.service_pid("companion") is None, PATIENCE, "its end")
    host.run([str(dvr), "companion", "down", "--host", "server-233"])
    left = inventory(host)
    assert (left["namespaces"], left["processes"], left["files"]) == ([""], [], [])
    assert host.run(["ovs-vsctl", "list-br"]).stdout.split() in (["br-phys"], [])
