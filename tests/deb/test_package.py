"""The Debian package on clean Debian machines: installed, configured, upgraded, removed, purged."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dvr_ryu.lab.wait import wait_until
from tests.deb.later import make_later
from tests.deb.traces import listeners, snapshot
from tests.machines.image import RELEASES
from tests.machines.machine import Machine
from tests.machines.site import Site

pytestmark = pytest.mark.timeout(3600)

BUILT = Path(__file__).resolve().parents[2] / "build/deb"
APT = "DEBIAN_FRONTEND=noninteractive apt-get -qq --yes --no-install-recommends"
COMPANION = "dvr-companion@server-64"
DEPENDS = ("dnsmasq-base", "iptables", "openssl", "openvswitch-switch", "udhcpc")
"""What the package depends on, and a machine of tests has not anyway."""
# The underlay is a device that leads nowhere: all is on one machine. The controller's address is
# its second one.
UNDERLAY = """\
ip link add under0 mtu 1550 type dummy
ip link set under0 up
ip address add 10.0.44.64/24 dev under0
ip address add 10.0.44.1/24 dev under0
"""
TOPOLOGY = """\
controller: tcp:10.0.44.1:6653
underlay: {cidr: 10.0.44.0/24, mtu: 1550}
hosts:
  server-64: {address: 10.0.44.64, management_address: 10.0.44.1}
networks:
  blue: {subnets: [{cidr: 192.168.10.0/24}]}
  green: {subnets: [{cidr: 192.168.20.0/24, gateway_ip: 192.168.20.1}]}
routers:
  r1: {interfaces: [{network: blue}, {network: green}]}
instances:
  a: {host: server-64, network: blue}
  b: {host: server-64, network: green, ip: 192.168.20.20}
"""
PING = "ip netns exec vm-a ping -c 1 -W 1 192.168.20.20"


@pytest.fixture(scope="module")
def package() -> Path:
    (found,) = BUILT.glob("*.deb")
    return found


@pytest.fixture(scope="module")
def upgrade(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A later package."""
    later = tmp_path_factory.mktemp("upgrade") / "dvr-ryu-later.deb"
    make_later(package, later)
    return later


@pytest.fixture(scope="module", params=RELEASES)
def machine(request: pytest.FixtureRequest, package: Path, upgrade: Path) -> Iterator[Machine]:
    """A machine with what the package depends on, and the packages' files."""
    with Site() as site:
        more = (*DEPENDS, "man-db", "nftables")
        machine = site.machine("server-64", request.param, (), more, memory=1536, vcpus=2)
        machine.start()
        machine.copy_in(package, "/tmp/dvr-ryu.deb")
        machine.copy_in(upgrade, "/tmp/later.deb")
        machine.run(UNDERLAY)
        yield machine


@pytest.fixture(scope="module")
def bare(machine: Machine) -> set[str]:
    """What was on the machine before the package."""
    return snapshot(machine)


def pid(machine: Machine, unit: str) -> str:
    return machine.run(f"systemctl show --value -p MainPID {unit}").stdout.strip()


def journal(machine: Machine) -> str:
    return machine.run("journalctl --no-pager -n 60 -u 'dvr-*'").stdout


def await_answer(machine: Machine) -> None:
    def answers() -> bool:
        return machine.run(PING, check=False).returncode == 0

    wait_until(answers, 180, "an answer of b", lambda: journal(machine))


def test_a_fresh_installation_starts_nothing(machine: Machine, bare: set[str]) -> None:
    before = listeners(machine)
    machine.run(f"{APT} install /tmp/dvr-ryu.deb", 900)
    assert listeners(machine) == before
    assert machine.run("systemctl --failed --no-legend 'dvr*'").stdout == ""
    for unit in ("dvr-controller", COMPANION):
        assert machine.run(f"systemctl is-active {unit}", check=False).stdout == "inactive\n"
        assert machine.run(f"systemctl is-enabled {unit}", check=False).stdout == "disabled\n"
    assert not [line for line in snapshot(machine) - bare if line.startswith("/run/")]


def test_its_commands_are_there(machine: Machine) -> None:
    version = machine.run("dpkg-query -f '${Version}' -W dvr-ryu").stdout.partition("-")[0]
    assert machine.run("cd /; dvr --version").stdout == f"dvr, version {version}\n"
    assert "companion" in machine.run("/opt/dvr_ryu/bin/ryu-manager --version; dvr --help").stdout
    machine.run("dvr check /etc/dvr_ryu/topology.example.yaml --strict")
    machine.run("dvr check /opt/dvr_ryu/examples/human-defined-dvr.yaml --flows /opt/dvr_ryu/flows")
    for page in ("1 dvr", "5 dvr-topology"):
        assert "NAME" in machine.run(f"man {page}").stdout
    offered = "source /usr/share/bash-completion/completions/dvr; complete -p dvr"
    assert "_dvr_completion" in machine.run(offered).stdout
    assert machine.run("find /opt/dvr_ryu -name '*.pyc' | wc -l").stdout != "0\n"


def test_it_works_when_it_is_configured(machine: Machine) -> None:
    machine.run(f"cat >/etc/dvr_ryu/topology.yaml <<'END'\n{TOPOLOGY}END")
    machine.run(f"systemctl enable --now dvr-controller {COMPANION}")
    await_answer(machine)
    checked = machine.run("dvr companion check /etc/dvr_ryu/topology.yaml --host server-64")
    assert "FAIL" not in checked.stdout
    machine.run("dvr status")


def test_its_protection_is_as_its_units_say(machine: Machine) -> None:
    here = machine.run("readlink /proc/1/ns/mnt").stdout
    assert machine.run(f"readlink /proc/{pid(machine, COMPANION)}/ns/mnt").stdout == here
    controller = pid(machine, "dvr-controller")
    assert machine.run(f"readlink /proc/{controller}/ns/mnt").stdout != here
    assert machine.run(f"ps -o user:20= -p {controller}").stdout.strip() == "_dvr_ryu"
    for unit, worst in (("dvr-controller", 1.5), (COMPANION, 6.0)):
        score = machine.run(f"systemd-analyze security --no-pager {unit} | tail -1").stdout
        (exposure,) = re.findall(r": ([\d.]+) ", score)
        assert float(exposure) <= worst, score


def test_the_controller_reads_a_private_key_that_root_makes(machine: Machine) -> None:
    machine.run("dvr pki init && dvr pki host server-64")
    machine.run("cp -p /etc/dvr_ryu/pki/hosts/server-64/* /etc/dvr_ryu/pki/")
    machine.run(
        "sed -i 's/tcp:/ssl:/' /etc/dvr_ryu/topology.yaml; systemctl restart dvr-controller"
    )
    owner = "stat -c %U:%a /etc/dvr_ryu/pki/controller-privkey.pem"
    assert machine.run(owner).stdout == "_dvr_ryu:600\n"
    connected = "ovs-vsctl --bare --columns=target find controller is_connected=true"

    def speaks_tls() -> bool:
        return machine.run(connected).stdout.count("ssl:") == 2

    wait_until(speaks_tls, 60, "TLS", lambda: journal(machine))
    await_answer(machine)


def test_a_killed_companion_starts_again(machine: Machine) -> None:
    was = pid(machine, COMPANION)
    machine.run(f"kill -9 {was}")
    wait_until(lambda: pid(machine, COMPANION) not in ("0", was), 60, "a new companion")


def test_an_upgrade_keeps_configuration_and_loses_no_packet(machine: Machine) -> None:
    machine.run("echo '#ours' >>/etc/dvr_ryu/companion.conf")
    machine.run("sha256sum /etc/dvr_ryu/*.* >/tmp/before")
    before = pid(machine, "dvr-controller"), pid(machine, COMPANION)
    ping = machine.begin("ip netns exec vm-a ping -i 0.05 -w 1500 192.168.20.20")
    keep = "-o Dpkg::Options::=--force-confold"
    machine.run(f"{APT} {keep} install /tmp/later.deb", 900)
    after = pid(machine, "dvr-controller"), pid(machine, COMPANION)
    assert not set(before) & set(after) and "0" not in after
    wait_until(lambda: machine.run("dvr status", check=False).returncode == 0, 120, "all in sync")
    machine.run("pkill -INT -x ping")
    lines, _ = ping.communicate(timeout=60)
    answered = [int(number) for number in re.findall(r"icmp_seq=(\d+)", lines)]
    assert answered == list(range(1, len(answered) + 1)) and len(answered) > 100, lines[-2000:]
    machine.run("sha256sum --quiet -c /tmp/before; rm -f /etc/dvr_ryu/*.dpkg-dist")


def test_removed_it_takes_back_what_it_made_and_keeps_configuration(machine: Machine) -> None:
    machine.run(f"{APT} remove dvr-ryu", 600)
    assert machine.run("ovs-vsctl list-br; ip netns").stdout == ""
    assert machine.run("ls /etc/dvr_ryu").stdout.split() == [
        "companion.conf", "dvr.conf", "pki", "topology.example.yaml", "topology.yaml",
    ]  # fmt: skip
    assert machine.run("find /opt/dvr_ryu /run/dvr_ryu", check=False).stdout == ""


def test_installed_again_it_goes_on_as_before(machine: Machine) -> None:
    machine.run(f"{APT} install /tmp/dvr-ryu.deb", 900)
    await_answer(machine)


def test_purged_it_leaves_no_trace(machine: Machine, bare: set[str]) -> None:
    machine.run(f"{APT} purge dvr-ryu", 600)
    now = snapshot(machine)
    assert (sorted(now - bare), sorted(bare - now)) == ([], [])
