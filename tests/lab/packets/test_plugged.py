"""Guests that others plug into br-int: they get a tag, flows, an address and a floating address,
and nothing of ours stays on what is theirs.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import frozen

from dvr_ryu.lab import lifecycle
from dvr_ryu.lab.guests.debian_kernel import kernel
from dvr_ryu.lab.hosts.bare import Lab
from dvr_ryu.lab.hosts.host import LabHost
from dvr_ryu.lab.proof.proof import try_all
from dvr_ryu.lab.state import StateFolder
from dvr_ryu.lab.wait import wait_until
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.model import Port
from tests.lab.support.companions import await_answer, pings, run, seen_as
from tests.lab.support.plugging import (
    has_lease,
    make_guest,
    plug,
    reaches,
    remove_guest,
    unplug,
)
from tests.lab.support.small_machine import make_initramfs

TOPOLOGY = """\
underlay: {cidr: 10.0.47.0/24, mtu: 1550}
hosts: {h1: {address: 10.0.47.11}, h2: {address: 10.0.47.12, snat: true}}
networks:
  blue: {dhcp_host: h2, subnets: [{cidr: 10.1.0.0/24}]}
  green: {subnets: [{cidr: 10.2.0.0/24}]}
  x: {external: true, gateway_host: h2, subnets: [{cidr: 2.2.2.0/24}]}
routers:
  r: {interfaces: [{network: blue}, {network: green}], external_network: x}
instances:
  vm: {host: h1, network: blue, ip: 10.1.0.77, plugged: true}
  a: {host: h1, network: green}
  b: {host: h2, network: blue, ip: 10.1.0.12}
  roamer: {network: blue, ip: 10.1.0.88, plugged: true}
floating_ips:
  2.2.2.77: {instance: vm}
  2.2.2.88: {instance: roamer}
"""
DVR = str(Path(sys.executable).with_name("dvr"))
PORT = ("tag", "external_ids")
INTERFACE = ("ofport_request", "external_ids")


@frozen
class Site:
    """The lab that is up."""

    lab: Lab
    folder: StateFolder
    file: Path

    def __getitem__(self, host: str) -> LabHost:
        return self.lab[host]

    @property
    def vm(self) -> Port:
        return self.port("vm")

    def port(self, instance: str) -> Port:
        return load_topology(self.file).instances[instance]

    def log(self, host: str) -> str:
        return self.folder.log(f"companion-{host}").read_text()

    def await_log(self, host: str, line: str, times: int = 1) -> None:
        wait_until(lambda: self.log(host).count(line) >= times, 20, line, lambda: self.log(host))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = StateFolder(tmp_path_factory.mktemp("plugged") / "dvr_lab")
    file = folder.path.with_name("topology.yaml")
    file.write_text(TOPOLOGY)
    try:
        lifecycle.up(file, lambda _: None, folder)
        yield Site(Lab(lifecycle.running(folder).lab_hosts), folder, file)
    finally:
        lifecycle.down(folder)


def rows(host: LabHost, device: str) -> list[str]:
    """What Open vSwitch has of a port: the columns that we may change."""
    return [
        run(host, f"ovs-vsctl --columns={','.join(columns)} list {table} {device}")
        for table, columns in (("Port", PORT), ("Interface", INTERFACE))
    ]


def flows_of(host: LabHost, number: int) -> int:
    found = run(host, f"ovs-ofctl -OOpenFlow14 dump-flows br-int in_port={number}")
    return found.count("actions=")


def await_guest(site: Site, device: str) -> None:
    """Wait until the guest on h1 has its address, and the others reach it."""
    wait_until(lambda: has_lease(site["h1"], site.vm, device), 20, "a lease")
    await_answer(site["h1"], f"guest-{device}", "10.1.0.12")


def readme_commands() -> list[str]:
    """The commands that README.rst tells to type."""
    text = Path(__file__).parents[3].joinpath("README.rst").read_text()
    section = text.partition("Plug in your own VM")[2].partition("`Own guests")[0]
    commands = [line.strip() for line in section.splitlines() if line.startswith("    sudo")]
    assert len(commands) == 2
    return commands


def test_a_plugged_guest_is_an_instance(site: Site) -> None:
    h1, h2, vm = site["h1"], site["h2"], site.vm
    site.await_log("h1", "vm is not plugged in; dvr show port vm tells how")
    assert "namespace vm-vm" not in site.log("h1") and "vm-vm" not in run(h1, "ip netns")
    make_guest(h1, vm, "vnet0")
    for command in readme_commands():
        h1.run(["sh", "-ec", command.replace("/opt/dvr_ryu/bin/dvr", DVR).replace("sudo ", "")
                .replace("=ID", f"={vm.id}")])  # fmt: skip
    plug(h1, vm, "bystander", "type=internal", "external_ids:iface-id=of-others")
    await_guest(site, "vnet0")
    assert "mtu 1500" in run(h1, "ip link show eth0", "guest-vnet0")
    assert reaches(h1, "vnet0", "10.2.0.1") and pings(h1, "vm-a", vm.ip)
    assert pings(h2, "vm-b", vm.ip)
    # From outside, and to outside: by its floating address, which h1 translates.
    await_answer(h2, None, "2.2.2.77")
    assert seen_as((h1, "guest-vnet0"), (h2, None), "2.2.2.1") == "2.2.2.77"
    assert seen_as((h2, None), (h1, "guest-vnet0"), "2.2.2.77") == "2.2.2.1"
    number = run(h1, "ovs-vsctl get Interface vnet0 ofport").strip()
    assert number == str(vm.ofport) and flows_of(h1, vm.ofport) > 2
    assert "dvr_ryu" not in "".join(rows(h1, "bystander"))
    site.await_log("h1", "vm is plugged in, as vnet0")


def test_it_may_be_unplugged_and_plugged_in_again_by_another_device(site: Site) -> None:
    h1, vm = site["h1"], site.vm
    remove_guest(h1, "vnet0")
    wait_until(lambda: not flows_of(h1, vm.ofport), 10, "no flow of what is not there")
    assert pings(h1, "vm-a", "10.1.0.12")
    assert not pings(site["h2"], "vm-b", vm.ip, "-W1")
    # By the tap's name alone; with a tag and a number of its own, that of another port.
    make_guest(h1, vm, vm.device)
    run(h1, f"ovs-vsctl add-port br-int {vm.device} tag=3")
    await_guest(site, vm.device)
    # A second one with the same id changes nothing.
    make_guest(h1, vm, "vnet1")
    plug(h1, vm, "vnet1", "external_ids:attached-mac=02:00:00:00:00:01")
    site.await_log("h1", f"vm is plugged in more than once: {vm.device} counts, unplug vnet1")
    assert reaches(h1, vm.device, "10.1.0.12")
    remove_guest(h1, vm.device)
    # One that has another MAC, and does not say so, is known by what it sends.
    make_guest(h1, vm, "a-vnet", "02:00:00:00:00:02")
    plug(h1, vm, "a-vnet")
    site.await_log("h1", "vm is plugged in, as a-vnet")
    assert not has_lease(h1, vm, "a-vnet")
    site.await_log("h1", f"vm should have the MAC {vm.mac}, and sends as 02:00:00:00:00:02")
    remove_guest(h1, "a-vnet")
    # The other one takes over; it says itself that its MAC is wrong.
    site.await_log("h1", f"vm should have the MAC {vm.mac}, and vnet1 has 02:00:00:00:00:01")
    run(h1, "ovs-vsctl set Interface vnet1 external_ids:attached-mac=" + vm.mac)
    await_guest(site, "vnet1")


def test_companions_that_die_and_restart_change_nothing(site: Site) -> None:
    h1 = site["h1"]
    before = rows(h1, "vnet1")
    run(h1, f"kill -9 {h1.service_pid('companion')}")
    wait_until(lambda: h1.service_pid("companion") is None, 10, "its end")
    unplug(h1, "bystander")
    lifecycle.up(site.file, lambda _: None, site.folder)
    assert rows(h1, "vnet1") == before and reaches(h1, "vnet1", "10.1.0.12")


def test_on_another_host_than_declared_it_is_left_alone(site: Site) -> None:
    h2, vm = site["h2"], site.vm
    make_guest(h2, vm, "vnet5")
    plug(h2, vm, "vnet5")
    before = rows(h2, "vnet5")
    site.await_log("h2", "vm is plugged in here, as vnet5, and the file has it on h1: left alone")
    assert rows(h2, "vnet5") == before and reaches(site["h1"], "vnet1", "10.1.0.12")
    check = [DVR, "companion", "check", str(site.file), "--host", "h2"]
    checked = h2.run(check, check=False).stdout
    assert "vm is plugged in here, as vnet5, and the file has it on h1" in checked


def answers_for(host: LabHost, floating: str) -> bool:
    """Whether a host translates a floating address."""
    spaces = [name for name in run(host, "ip netns").split() if name.startswith("fip-")]
    return any(floating in run(host, "ip neigh show proxy", name) for name in spaces)


def test_without_a_host_it_is_where_it_is_plugged_in_and_announces_itself(site: Site) -> None:
    h1, h2, roamer = site["h1"], site["h2"], site.port("roamer")
    assert not any(answers_for(host, "2.2.2.88") for host in (h1, h2))
    home, other = (h1, h2) if roamer.host == "h1" else (h2, h1)
    # Plugged in on the other one than its name chooses, it is there at once.
    make_guest(other, roamer, "tap-a")
    plug(other, roamer, "tap-a")
    wait_until(lambda: has_lease(other, roamer, "tap-a"), 20, "a lease")
    await_answer(other, "guest-tap-a", "10.2.0.1")
    wait_until(lambda: answers_for(other, "2.2.2.88"), 10, "the floating address there")
    await_answer(h2, None, "2.2.2.88")
    # Prepared on a second host, as for a live migration, it is there once it sends from there.
    make_guest(home, roamer, "tap-b")
    for name in ("address add 10.1.0.88/24", "route add default via 10.1.0.1"):
        command, rest = name.split(" ", 1)
        run(home, f"ip -n guest-tap-b {command} {rest} dev eth0")
    run(home, "ip -n guest-tap-b link set eth0 arp off")
    plug(home, roamer, "tap-b")
    site.await_log(home.name, "roamer is plugged in, as tap-b, and on another host until it sends")
    assert reaches(other, "tap-a", "10.1.0.12") and not answers_for(home, "2.2.2.88")
    run(home, "ip -n guest-tap-b link set eth0 arp on")
    run(home, "arping -q -c 3 -A -I eth0 10.1.0.88", "guest-tap-b")
    await_answer(home, "guest-tap-b", "10.1.0.12")
    wait_until(lambda: answers_for(home, "2.2.2.88"), 10, "the floating address there")
    wait_until(lambda: not answers_for(other, "2.2.2.88"), 10, "that the old host gives it up")
    await_answer(h2, None, "2.2.2.88")
    # Controllers and companions that start anew agree.
    remove_guest(other, "tap-a")
    for host, service in ((site.lab.controller, "controller"), (home, "companion")):
        run(host, f"kill -9 {host.service_pid(service)}")
    lifecycle.up(site.file, lambda _: None, site.folder)
    await_answer(home, "guest-tap-b", "10.1.0.12")
    assert answers_for(home, "2.2.2.88")
    remove_guest(home, "tap-b")
    wait_until(lambda: not answers_for(home, "2.2.2.88"), 10, "that nobody has it")
    assert pings(h1, "vm-a", "10.1.0.12")


def test_the_printed_commands_plug_a_guest_in(site: Site) -> None:
    h1 = site["h1"]
    port = json.loads(h1.run([DVR, "show", "port", "roamer", "--json"]).stdout)
    for line in port["ip_netns"]:
        h1.run(["sh", "-ec", line])
    await_answer(h1, "vm-roamer", "10.1.0.12")
    # The lab's proof tries it like any other instance, and not the one that it cannot enter.
    steps: list[str] = []
    results = try_all(site.lab, load_topology(site.file), steps.append)
    assert [each for each in results if not each.passed] == []
    tried = {end for each in results for end in (each.source, each.target)}
    assert {"roamer", "2.2.2.88", "a"} <= tried and not {"vm", "2.2.2.77"} & tried
    assert "not tried, because others make them: vm" in steps
    shown = h1.run([DVR, "trace", str(site.file), "roamer", "b"], check=False).stderr
    assert "computed as if others had plugged in roamer" in shown
    unplug(h1, port["tap"])
    run(h1, "ip netns del vm-roamer")


@pytest.mark.skipif(not shutil.which("podman"), reason="podman is not installed here")
def test_a_container_is_plugged_in_by_the_printed_commands(site: Site) -> None:
    h1 = site["h1"]
    port = json.loads(h1.run([DVR, "show", "port", "roamer", "--json"]).stdout)
    for line in port["ip_netns"]:
        h1.run(["sh", "-ec", line])
    root = site.file.with_name("root")
    (root / "bin").mkdir(parents=True)
    shutil.copy("/bin/busybox", root / "bin")
    (line,) = port["podman"]
    # This machine lets no container have cgroups or other limits of its own.
    machine = "--cgroups=disabled --security-opt=seccomp=unconfined --ulimit=nofile=1024:1024"
    options = f"{machine} --ulimit=nproc=1024:1024 --cap-add=NET_RAW --rm --rootfs {root}"
    ping = f"{line} {options} /bin/busybox ping -c1 -W9 10.1.0.12"
    h1.run(["unshare", "-m", "sh", "-ec", f"mount -t cgroup2 none /sys/fs/cgroup; {ping}"])
    unplug(h1, port["tap"])
    run(h1, "ip netns del vm-roamer")


IN_THE_MACHINE = """\
cat > /take <<'END'
#!/bin/sh
[ "$1" = bound ] || exit 0
ip address add "$ip/$mask" dev eth0
ip route add default via "$router"
END
chmod 755 /take
udhcpc -f -n -q -t 30 -T 1 -i eth0 -s /take
ping -c 3 -W 2 10.2.0.1 && ping -c 3 -W 2 10.1.0.12
ip address show dev eth0
"""


def test_a_virtual_machine_is_plugged_in_by_the_printed_commands(
    site: Site, tmp_path: Path
) -> None:
    """With Debian's own kernel; it asks DHCP, and pings through the router and by the tunnel."""
    h1 = site["h1"]
    port = json.loads(h1.run([DVR, "show", "port", "roamer", "--json"]).stdout)
    *commands, qemu = port["qemu"]
    for line in commands:
        h1.run(["sh", "-ec", line])
    found = kernel()
    initramfs = make_initramfs(found, tmp_path, IN_THE_MACHINE)
    boots = f"-kernel {found.vmlinuz} -initrd {initramfs} -append 'console=ttyS0 quiet' -m 192"
    machine = f"{qemu} {boots} -nodefaults -no-user-config -display none -serial stdio -no-reboot"
    said = h1.run(["sh", "-ec", machine], timeout=120).stdout
    assert "inet 10.1.0.88/24" in said and "mtu 1500" in said, said
    assert said.count("3 packets received") == 2, said
    unplug(h1, port["tap"])
    run(h1, f"ip link del {port['tap']}")


def test_an_edit_moves_it_and_changes_its_network(site: Site) -> None:
    """The host of the edit has it plugged in already."""
    h1, h2 = site["h1"], site["h2"]
    left = rows(h1, "vnet1")
    site.file.write_text(TOPOLOGY.replace("vm: {host: h1", "vm: {host: h2"))
    wait_until(lambda: has_lease(h2, site.vm, "vnet5"), 20, "a lease on h2")
    await_answer(site["h1"], "vm-a", site.vm.ip)
    await_answer(h2, None, "2.2.2.77")
    wait_until(lambda: "dvr_ryu" not in "".join(rows(h1, "vnet1")), 10, "that h1 gives it back")
    assert rows(h1, "vnet1") != left
    green = TOPOLOGY.replace("network: blue, ip: 10.1.0.77", "network: green, ip: 10.2.0.77")
    site.file.write_text(green)
    wait_until(lambda: has_lease(h1, site.vm, "vnet1"), 20, "a lease in green")
    assert "10.1.0.77" not in run(h2, "ovs-ofctl -OOpenFlow14 dump-flows br-tun")
    remove_guest(h2, "vnet5")


def test_a_companion_that_goes_gives_back_the_port_and_leaves_it_in_its_bridge(site: Site) -> None:
    h1 = site["h1"]
    run(h1, f"kill {h1.service_pid('companion')}")
    wait_until(lambda: h1.service_pid("companion") is None, 10, "its end")
    run(h1, f"{DVR} companion down --host h1")
    port, interface = rows(h1, "vnet1")
    assert "dvr_ryu" not in port and "tag                 : []" in port
    assert "ofport_request      : []" in interface and site.vm.id in interface
    assert run(h1, "ovs-vsctl list-ports br-int").split() == ["vnet1"]
    assert "actions=" not in run(h1, "ovs-ofctl -OOpenFlow14 dump-flows br-int")
    assert json.loads(run(h1, "ovs-vsctl --format=json list Controller"))["data"] == []
    # The next companion finds it there.
    command = [DVR, "companion", "run", str(site.file), "--host", "h1"]
    h1.start_service("companion", command, site.folder.log("companion-h1"), {})
    wait_until(lambda: has_lease(h1, site.vm, "vnet1"), 20, "a lease")
