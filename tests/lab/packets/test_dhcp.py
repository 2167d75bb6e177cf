"""DHCP in a lab of its own, from the clients' side: addresses, options, routes and leases on every
host.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from attrs import frozen

from dvr_ryu.companion.providers.dnsmasq import leases
from dvr_ryu.lab import leases as show
from dvr_ryu.lab import lifecycle
from dvr_ryu.lab.hosts.bare import Lab
from dvr_ryu.lab.hosts.cabling import NIC
from dvr_ryu.lab.hosts.host import LabHost
from dvr_ryu.lab.proof import proof
from dvr_ryu.lab.state import StateFolder
from dvr_ryu.lab.wait import wait_until
from dvr_ryu.shipped import examples_dir
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.model import DHCP
from tests.lab.support import verdicts
from tests.lab.support.companions import await_answer, await_lease, lease_printer, plugged, run
from tests.lab.support.pinging import unbroken

BLUE = ["default via 10.1.0.1", "10.2.0.0/24 scope link"]


def _silent(step: str) -> None:
    pass


@frozen
class Running:
    """A lab that is up, and its file."""

    lab: Lab
    file: Path
    folder: StateFolder

    def edit(self, old: str, new: str) -> None:
        """Replace a part of the topology file, which must exist."""
        text = self.file.read_text()
        assert old in text
        self.file.write_text(text.replace(old, new))

    def leases(self) -> dict[str, leases.Lease]:
        """Address → lease, on all hosts."""
        return {lease.ip: lease for lease in show.shown(self.folder)}

    def route(self, host: str, instance: str) -> list[str]:
        """The routes of an instance that came by DHCP."""
        shown = run(self.lab[host], "ip route show dev eth0 proto dhcp", f"vm-{instance}")
        return sorted((line.strip() for line in shown.splitlines()), key=len)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = StateFolder(tmp_path_factory.mktemp("dhcp") / "dvr_lab")
    file = folder.path.with_name("topology.yaml")
    file.write_text((examples_dir() / "dhcp.yaml").read_text())
    try:
        lifecycle.up(file, _silent, folder)
        yield Running(Lab(lifecycle.running(folder).lab_hosts), file, folder)
    finally:
        lifecycle.down(folder)


def offer(host: LabHost, instance: str, *asked: str) -> Mapping[str, str]:
    """The DHCP offer to an instance that requests more options than its client does."""
    options = " ".join(f"-O {number}" for number in asked)
    command = f"udhcpc -f -n -q -t 5 -T 1 -i eth0 -s {lease_printer(host)} {options}"
    return dict(line.split("=", 1) for line in run(host, command, f"vm-{instance}").splitlines())


def servers(host: LabHost) -> str:
    """The pids of the DHCP servers on a host."""
    return host.run(["pidof", "dnsmasq"], check=False).stdout.strip()


def renew(host: LabHost, instance: str) -> None:
    """Let an instance's client renew its lease, and wait until it has."""
    lease = host.path(f"/run/dvr_ryu/leases/vm-{instance}")
    before = lease.stat().st_ino
    pid = host.path(f"/run/dvr_ryu/processes/udhcpc-{instance}.pid").read_text()
    run(host, f"kill -USR1 {pid}")
    wait_until(lambda: lease.exists() and lease.stat().st_ino != before, 15, "a lease anew")


def test_the_lab_proves_itself(lab: Running) -> None:
    assert [each for each in proof.prove(_silent, lab.folder) if not each.passed] == []


def test_traces_say_what_real_packets_do(lab: Running) -> None:
    found = verdicts.differences(lab.lab, load_topology(lab.file))
    assert not found, "\n".join(found)


def test_a_client_has_the_settings_of_its_subnet(lab: Running) -> None:
    lease = await_lease(lab.lab["h1"], "a")
    assert (lease["ip"], lease["dns"], lease["mtu"]) == ("10.1.0.11/24", "9.9.9.9", "1450")
    assert lab.route("h1", "a") == [*BLUE, "10.9.0.0/16 via 10.1.0.12"]
    assert lease["domain"] == "blue.example"
    seen = offer(lab.lab["h1"], "a", "224", "249")
    assert bytes.fromhex(seen["opt224"]) == b'it\'s, "224"'
    assert seen["msstaticroutes"] == "10.9.0.0/16 10.1.0.12 10.2.0.0/24 0.0.0.0 0.0.0.0/0 10.1.0.1"


def test_an_option_of_an_instance_goes_before_that_of_its_subnet(lab: Running) -> None:
    lease = await_lease(lab.lab["h2"], "b")
    assert (lease["domain"], lease["dns"]) == ("b.example", "9.9.9.9")


def test_a_guest_uses_the_name_servers_from_dhcp(lab: Running) -> None:
    def seen(host: str, instance: str) -> list[str]:
        namespace = f"vm-{instance}"
        await_lease(lab.lab[host], instance)
        return run(lab.lab[host], "cat /etc/resolv.conf", namespace).splitlines()

    assert seen("h1", "a") == ["search blue.example", "nameserver 9.9.9.9"]
    assert seen("h2", "b") == ["search b.example", "nameserver 9.9.9.9"]
    # An instance without name servers sees its host's. The machine itself has none of these files.
    assert seen("h1", "z") == run(lab.lab["h1"], "cat /etc/resolv.conf").splitlines()
    assert not Path("/etc/netns/vm-a").exists()


def test_a_subnet_without_gateway_leads_nowhere(lab: Running) -> None:
    lease = await_lease(lab.lab["h1"], "z")
    assert lease["ip"] == "10.3.0.14/24" and "router" not in lease
    assert lab.route("h1", "z") == []
    assert run(lab.lab["h1"], "ip route", "vm-z").count("\n") == 1


def test_an_edit_reaches_instances_which_ask_again(lab: Running) -> None:
    """Instances on the server's host and on another. The server rereads its files and keeps
    running, and instances are not disturbed.
    """
    h1, h2 = lab.lab["h1"], lab.lab["h2"]
    before = servers(h1)
    with unbroken(h1, "vm-a", "10.1.0.12"):
        lab.edit("destination: 10.9.0.0/16", "destination: 10.8.0.0/16")
        lab.edit("dns: [9.9.9.9]", "dns: [9.9.9.10]")
        for host, instance in ((h1, "a"), (h2, "b")):

            def has_it(host: LabHost = host, instance: str = instance) -> bool:
                return await_lease(host, instance)["dns"] == "9.9.9.10"

            wait_until(has_it, 30, f"the other name server on {instance}")
    assert lab.route("h1", "a") == [*BLUE, "10.8.0.0/16 via 10.1.0.12"]
    assert servers(h1) == before


def test_the_subnets_of_a_network_reach_each_other_without_a_router(lab: Running) -> None:
    assert await_lease(lab.lab["h2"], "d")["ip"] == "10.2.0.15/24"
    assert "10.1.0.0/24 scope link" in lab.route("h2", "d")
    await_answer(lab.lab["h1"], "vm-a", "10.2.0.15")


def plug_undeclared(
    lab: Running, host: str, name: str, network: str = "blue", tries: int = 4
) -> str | None:
    """Plug an undeclared machine into a host's br-int; return its address from DHCP."""
    tag = load_topology(lab.file).local_vlans[host][network]
    return plugged(lab.lab[host], name, tag, tries)


def test_undeclared_machines_get_undeclared_addresses_only(lab: Running) -> None:
    """The range has three addresses, of which one is declared. Machines on two hosts get different
    ones.
    """
    await_lease(lab.lab["h2"], "c")
    leased = {plug_undeclared(lab, "h1", "alien1"), plug_undeclared(lab, "h2", "alien2")}
    assert leased == {"10.1.0.100", "10.1.0.102"}
    assert plug_undeclared(lab, "h2", "alien3", tries=1) is None
    known = {ip: (each.host, each.network, each.instance) for ip, each in lab.leases().items()}
    assert known == {
        "10.1.0.11": ("h1", "blue", "a"),
        "10.1.0.12": ("h1", "blue", "b"),
        "10.1.0.101": ("h1", "blue", "c"),
        "10.2.0.15": ("h1", "blue", "d"),
        "10.1.0.100": ("h1", "blue", ""),
        "10.1.0.102": ("h1", "blue", ""),
        "10.3.0.14": ("h2", "lonely", "z"),
        "10.5.0.16": ("h1", "green", "e"),
        "10.5.0.17": ("h2", "green", "f"),
    }


_SEND = """
import sys
from scapy.all import BOOTP, DHCP, IP, UDP, Ether, conf, get_if_hwaddr, srp1

kind, mac, ip, server = sys.argv[1:]
conf.checkIPaddr = False
asked = "0.0.0.0" if kind == "decline" else ip
options = [("message-type", kind)]
if kind == "decline":
    options += [("server_id", server), ("requested_addr", ip)]
answer = srp1(
    Ether(src=get_if_hwaddr("eth0"), dst="ff:ff:ff:ff:ff:ff")
    / IP(src=asked, dst="255.255.255.255")
    / UDP(sport=68, dport=67)
    / BOOTP(xid=77, chaddr=bytes.fromhex(mac.replace(":", "")) + bytes(10), ciaddr=asked)
    / DHCP(options=[*options, "end"]),
    iface="eth0", timeout=3 if kind == "request" else 0.5, verbose=False,
)
options = answer[DHCP].options if answer else [("message-type", "")]
print(dict(each for each in options if len(each) == 2)["message-type"])
"""


def send(host: LabHost, namespace: str, kind: str, mac: str, ip: str, server: str = "") -> str:
    """Send the DHCP server a message about the address of a MAC, from any machine; return the type
    of the answer.
    """
    command = [sys.executable, "-W", "ignore", "-c", _SEND, kind, mac, ip, server]
    return host.run(command, namespace=namespace).stdout.strip()


def decline(lab: Running, mac: str, ip: str) -> None:
    """Let instance a decline an address of blue with this MAC in the message, as any guest
    could.
    """
    ports = load_topology(lab.file).service_ports
    (server,) = (port for port in ports if (port.name, port.owner) == ("blue", DHCP))
    for each in server.addresses:  # the server accepts messages for any of its addresses
        send(lab.lab["h1"], "vm-a", "decline", mac, ip, each.ip)


def test_a_declined_address_stays_its_owners(lab: Running) -> None:
    """Any guest may decline it with the owner's MAC in the message."""
    decline(lab, load_topology(lab.file).instances["b"].mac, "10.1.0.12")
    assert "10.1.0.12" not in lab.leases()
    assert offer(lab.lab["h2"], "b")["ip"] == "10.1.0.12"
    assert lab.leases()["10.1.0.12"].instance == "b"


def test_many_declines_do_not_empty_a_range(lab: Running) -> None:
    h2, dynamic = lab.lab["h2"], {"10.1.0.100", "10.1.0.102"}
    for number in range(4):
        decline(lab, f"02:00:00:00:00:{number:02x}", "10.1.0.102")
    mac = run(h2, "cat /sys/class/net/eth0/address", "alien2").strip()
    decline(lab, mac, next(ip for ip, lease in lab.leases().items() if lease.mac == mac))
    assert len(lab.leases().keys() & dynamic) == 1
    command = f"udhcpc -f -n -q -t 4 -T 5 -i eth0 -s {lease_printer(h2)}"
    assert "ip=10.1.0.10" in run(h2, command, "alien2")
    assert lab.leases().keys() >= dynamic


def test_leases_go_with_their_server(lab: Running) -> None:
    """Leases of instances go at once. An undeclared machine keeps its address: while it answers, no
    other machine gets the address, and the machine can renew it.
    """
    h1, h2 = lab.lab["h1"], lab.lab["h2"]
    aliens = {
        (host, name): run(host, "cat /sys/class/net/eth0/address", name).strip()
        for host, name in ((h1, "alien1"), (h2, "alien2"))
    }
    before = lab.leases()
    dynamic = {lease.mac: ip for ip, lease in before.items()}
    declared = {ip for ip, lease in before.items() if lease.network == "blue" and lease.instance}
    for (host, name), mac in aliens.items():
        run(host, f"ip addr add {dynamic[mac]}/24 dev eth0", name)
    lab.edit("dhcp_host: h1", "dhcp_host: h2")
    lifecycle.up(lab.file, _silent, lab.folder)
    assert [each for each in proof.prove(_silent, lab.folder) if not each.passed] == []
    there = {ip for ip, lease in lab.leases().items() if lease.network == "blue"}
    assert there == declared and {lab.leases()[ip].host for ip in there} == {"h2"}
    assert plug_undeclared(lab, "h1", "alien5", tries=2) is None
    for (host, name), mac in aliens.items():
        assert send(host, name, "request", mac, dynamic[mac]) == "5"  # an acknowledgment
    assert lab.leases().keys() >= {*dynamic.values()} - {"10.1.0.11"}
    lab.edit("dhcp_host: h2\n    subnets", "dhcp_host: h1\n    subnets")
    lifecycle.up(lab.file, _silent, lab.folder)
    again = {(ip, "h1") for ip in declared}
    wait_until(lambda: {(ip, each.host) for ip, each in lab.leases().items()} >= again, 30, "h1's")


def test_a_host_shows_its_leases(lab: Running) -> None:
    command = [str(Path(sys.executable).with_name("dvr")), "show", "leases"]
    lines = lab.lab["h2"].run(command).stdout.splitlines()
    assert lines[0].split() == ["network", "host", "MAC", "address", "instance", "expires"]
    assert {tuple(line.split()[i] for i in (0, 1, 3, 4)) for line in lines[1:]} == {
        ("lonely", "h2", "10.3.0.14", "z"),
        ("green", "h2", "10.5.0.17", "f"),
    }


def owners(of: Mapping[str, leases.Lease]) -> set[tuple[str, str, str, str | None]]:
    return {(each.ip, each.host, each.mac, each.instance) for each in of.values()}


def test_leases_outlive_their_server(lab: Running) -> None:
    h1 = lab.lab["h1"]
    before = lab.leases()
    killed = servers(h1)
    run(h1, f"kill -9 {killed}")
    wait_until(lambda: servers(h1) not in ("", killed), 30, "another server")
    after = lab.leases()
    assert owners(after) == owners(before)
    assert all(after[ip].expires >= each.expires for ip, each in before.items())


def test_an_address_is_its_new_owners_at_once(lab: Running) -> None:
    """The last owner was killed and has not released its lease."""
    h1 = lab.lab["h1"]
    run(h1, "sh -c kill$IFS-9$IFS$(cat$IFS/run/dvr_ryu/processes/udhcpc-a.pid)")
    mac = "fa:16:3e:00:00:99"
    lab.edit("ip: 10.1.0.11}", f"ip: 10.1.0.11, mac: '{mac}'}}")
    wait_until(lambda: lab.leases().get("10.1.0.11", (0,) * 3)[2] == mac, 30, "another's lease")
    assert await_lease(h1, "a")["ip"] == "10.1.0.11/24"


# Distributed --------------------------------------------------------------------------------------


def leased_by(lab: Running, host: str) -> set[str]:
    """The addresses of green that a host's server has leased."""
    there = leases.listed(lab.lab[host].path("/"))
    return {lease.ip for lease in there if lease.network == "green"}


def test_each_host_serves_only_its_own_instances(lab: Running) -> None:
    """The servers of all hosts have the same address and MAC, which no other host ever sees."""
    leased = {host: await_lease(lab.lab[host], name) for host, name in (("h1", "e"), ("h2", "f"))}
    assert leased["h1"]["server"] == leased["h2"]["server"]
    for host, other, instance in (("h1", "h2", "e"), ("h2", "h1", "f")):
        assert leased_by(lab, host) == {leased[host]["ip"].split("/")[0]}
        await_answer(lab.lab[host], f"vm-{instance}", leased[other]["ip"].split("/")[0])
        await_answer(lab.lab[host], f"vm-{instance}", leased[host]["server"])


def test_an_undeclared_machine_gets_an_address_of_its_hosts_range(lab: Running) -> None:
    leased = plug_undeclared(lab, "h2", "alien4", "green")
    assert leased is not None and leased.startswith("10.5.0.11")
    assert leased in leased_by(lab, "h2") and leased not in leased_by(lab, "h1")


def test_a_moved_instance_goes_on_with_the_server_there(lab: Running) -> None:
    lab.edit("e: {host: h1,", "e: {host: h2,")
    wait_until(lambda: "10.5.0.16" in leased_by(lab, "h2"), 30, "its lease on the other host")
    assert lab.leases()["10.5.0.16"].host == "h2"
    await_answer(lab.lab["h2"], "vm-e", "10.5.0.17")


def test_a_dead_host_takes_nobodys_dhcp_down(lab: Running) -> None:
    """This test is the last, because it disconnects a host: the others renew, and new instances get
    addresses.
    """
    h1, h2 = lab.lab["h1"], lab.lab["h2"]
    run(h1, f"ip link set {NIC} down")
    run(h1, f"kill {servers(h1)}")
    renew(h2, "f")
    lab.edit("  f: {host: h2,", "  g: {host: h2, network: green, ip: 10.5.0.18}\n  f: {host: h2,")
    assert await_lease(h2, "g")["ip"] == "10.5.0.18/24"
    await_answer(h2, "vm-g", "10.5.0.17")
