"""Guests that forge addresses, flood, and try to reach the host: others are not disturbed."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from scapy.layers.inet import ICMP

from dvr_ryu.lab import lifecycle
from dvr_ryu.lab.hosts.bare import Lab
from dvr_ryu.lab.hosts.cabling import BRIDGE
from dvr_ryu.lab.services import services
from dvr_ryu.lab.state import StateFolder
from dvr_ryu.lab.wait import wait_until
from dvr_ryu.topology.loading import load_topology
from tests.lab.support.article import captured
from tests.lab.support.companions import await_answer, await_lease, run
from tests.lab.support.datapath import DEVICE
from tests.lab.support.guests import HOSTS, LEARNED, LIMIT, TOPOLOGY, VIRTUAL_MAC, Guests


@pytest.fixture(scope="module")
def guests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guests]:
    folder = StateFolder(tmp_path_factory.mktemp("guests") / "dvr_lab")
    file = folder.path.with_name("topology.yaml")
    file.write_text(TOPOLOGY)
    try:
        lifecycle.up(file, lambda _: None, folder)
        lab = Lab(lifecycle.running(folder).lab_hosts)
        for instance in ("liar", "near", "far", "third", "ear", "one", "two", "both"):
            await_lease(lab[load_topology(file).instances[instance].host], instance)
        yield Guests(lab, folder, file)
    finally:
        lifecycle.down(folder)


# Forged addresses ---------------------------------------------------------------------------------


def test_forged_macs_are_not_learned(guests: Guests) -> None:
    """MACs of instances of this and other hosts, gateways, DHCP, SNAT, DVR hosts, virtual ones."""
    topology = guests.topology
    service = [port for port in topology.service_ports if port.network == "blue"]
    assert {port.owner for port in service} >= {"network:dhcp", "network:router_centralized_snat"}
    forged = [
        *(guests.mac(name) for name in ("near", "far", "third", "one", "two")),
        *(port.mac for port in (*service, *topology.more_cards)),
        *(each.mac for each in topology.routers["r"].interfaces if each.network == "blue"),
        *(host.dvr_mac for host in topology.hosts.values()),
        VIRTUAL_MAC,
    ]
    at_home = {port.mac for port in topology.ports_on["h1"]}
    for host in HOSTS:
        run(guests.lab[host], "ovs-appctl fdb/flush br-int")
        run(guests.lab[host], f"ovs-ofctl del-flows br-tun cookie={LEARNED:#x}/-1")
    unknown = "02:00:00:00:00:99"
    guests.send("liar", **{"as": [*forged, unknown], "to": guests.mac("third")})
    # Open vSwitch learns in the order of the packets: the last MAC is undeclared, and is learned.
    here = guests.ofport("liar")
    wait_until(lambda: guests.learned_on("h1", unknown) == {here}, 10, "what nobody declared")
    wait_until(lambda: any(unknown in flow for flow in guests.taught("h3")), 10, "it on h3")
    for mac in forged:
        assert here not in guests.learned_on("h1", mac), mac
        for host in ("h2", "h3"):
            tunnel = f"output:{topology.hosts[host].tunnel_ports['h1']}"
            wrong = [flow for flow in guests.taught(host) if mac in flow and tunnel in flow]
            assert mac in at_home or not wrong


def test_packets_reach_their_receivers_while_a_guest_forges_their_macs(guests: Guests) -> None:
    asked = (("asks-1", "far"), ("near", "far"), ("third", "far"), ("asks-3", "near"))
    victims = sorted({guests.mac(victim) for _, victim in asked})
    gateway = next(i.mac for i in guests.topology.routers["r"].interfaces if i.network == "blue")
    for _ in range(3):
        guests.send("liar", **{"as": [*victims, gateway], "to": guests.mac("third")})
        for client, victim in asked:
            assert guests.answers(client, guests.topology.instances[victim].ip), (client, victim)


def test_on_an_external_network_no_guest_can_act_as_a_router(guests: Guests) -> None:
    ports = [port for port in guests.topology.service_ports if port.network == "x"]
    assert len({port.owner for port in ports}) == 3
    await_answer(guests.lab["h1"], "vm-outer", "2.2.2.1")
    guests.send("outer", **{"as": [port.mac for port in ports], "to": ports[0].mac})
    here = guests.ofport("outer")
    for port in ports:
        assert here not in guests.learned_on("h1", port.mac), port
    assert guests.answers("asks-1", "2.2.2.1")
    assert guests.answers("outer", "2.2.2.100")


def test_only_guests_with_the_address_pair_move_a_virtual_address(guests: Guests) -> None:
    def take(old: str | None, new: str) -> None:
        for address in ("10.1.0.100", "10.1.0.200"):
            if old:
                guests.run(old, f"ip addr del {address}/32 dev eth0")
            guests.run(new, f"ip addr add {address}/32 dev eth0")
        guests.send(new, announce=[(guests.mac(new), "10.1.0.100"), (VIRTUAL_MAC, "10.1.0.200")])

    def lie() -> None:
        mine = guests.mac("liar")
        lies = [(mine, "10.1.0.100"), (mine, "10.1.0.200"), (VIRTUAL_MAC, "10.1.0.200")]
        guests.send("liar", announce=lies)

    def settled(owner: str) -> bool:
        mac = guests.mac(owner)
        return all(guests.neighbour(host, "10.1.0.100") == mac for host in ("h1", "h3"))

    take(None, "two")
    for client in ("asks-1", "asks-3"):
        await_answer(guests.lab[guests.host(client)], f"vm-{client}", "10.1.0.100")
    wait_until(lambda: settled("two"), 15, "routers that know where 10.1.0.100 is")
    lie()
    assert guests.answers("asks-1", "10.1.0.100") and guests.answers("asks-3", "10.1.0.100")
    assert settled("two")
    assert guests.ofport("liar") not in guests.learned_on("h1", VIRTUAL_MAC)
    take("two", "one")
    wait_until(lambda: settled("one"), 15, "routers that know its new owner")
    lie()
    assert settled("one")
    assert guests.answers("asks-1", "10.1.0.100") and guests.answers("asks-3", "10.1.0.100")


# Floods -------------------------------------------------------------------------------------------


FLOOD = 10_000
"""Frames in one flood, each with another MAC. A busy Open vSwitch drops most of them."""
WORSE = 20
"""With a full table 20, the controller may take so many times as long to restore flows."""


def test_a_flood_of_macs_disturbs_no_other_guest(guests: Guests, tmp_path: Path) -> None:
    before = _mended(guests)

    def full() -> bool:
        guests.send("liar", flood=FLOOD)
        return all(len(guests.taught(host)) >= LIMIT for host in ("h2", "h3"))

    wait_until(full, 60, "full tables", lambda: str([len(guests.taught(host)) for host in HOSTS]))
    assert [len(guests.taught(host)) for host in ("h2", "h3")] == [LIMIT, LIMIT]
    with captured(guests.lab["h3"], "eth0", "vm-ear", tmp_path / "ear.pcap") as reached:
        for client, address in (
            ("third", "10.1.0.12"),
            ("asks-1", "10.1.0.12"),
            ("near", "10.1.0.13"),
        ):
            assert guests.answers(client, address), (client, address)
    assert not [packet for packet in reached if ICMP in packet]
    assert _mended(guests) < WORSE * before
    assert guests.answers("asks-3", "10.1.0.11")


def _mended(guests: Guests) -> float:
    """The milliseconds that the controller takes to restore table 21 of h3's br-tun, once it has
    noticed the loss.
    """
    topology = load_topology(guests.file)
    log = services.services_of(topology, guests.file, guests.lab, guests.folder)[0].log
    before = len(log.read_text())
    found = re.compile(r"h3/br-tun in sync: .* in ([\d.]+) ms")
    run(guests.lab["h3"], "ovs-ofctl del-flows br-tun table=21")
    wait_until(lambda: found.search(log.read_text(), before) is not None, 120, "flows put back")
    return float(found.findall(log.read_text(), before)[0])


# The host's own addresses -------------------------------------------------------------------------

OUTSIDE = {"liar": "its router's address", "near": "2.2.2.100", "outer": "2.2.2.66"}
"""Guests with SNAT, with a floating IP, and on the external network itself."""
_UDP = """
import socket, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(3):
    sock.sendto(b"knock", (sys.argv[1], int(sys.argv[2])))
"""
_RECEIVE = """
import socket, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((sys.argv[1], int(sys.argv[2])))
print("ready", flush=True)
print(sock.recvfrom(100)[1][0], flush=True)
"""
_TCP = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 2)"
_ANSWER = "import socket, sys; socket.create_server(('', int(sys.argv[1]))).accept()"
OTHER_PORT = 4790


def _knocks(guests: Guests, instance: str, address: str, port: int = 4789) -> None:
    """Let a guest send to a UDP port."""
    host = guests.lab[guests.host(instance)]
    host.run([sys.executable, "-c", _UDP, address, str(port)], namespace=f"vm-{instance}")


def _connects(guests: Guests, instance: str, address: str, port: int) -> bool:
    """Whether a guest can connect by TCP."""
    host = guests.lab[guests.host(instance)]
    command = [sys.executable, "-c", _TCP, address, str(port)]
    return host.run(command, namespace=f"vm-{instance}", check=False).returncode == 0


@contextmanager
def _reached(guests: Guests, port: int = 4789) -> Iterator[set[str]]:
    """Collect the underlay addresses that guests' packets to a UDP port reach: across the underlay,
    and on the gateway host itself, whose own kernel has no tunnel there.
    """
    reached: set[str] = set()
    command = ["tcpdump", "--immediate-mode", "-lnq", "-Z", "root", "-i", BRIDGE]
    command += [f"udp dst port {port} and src net 2.2.2.0/24"]
    own = ["h3", "10.0.46.13"]
    receive = [sys.executable, "-c", _RECEIVE, own[1], str(port)]
    with (
        guests.lab.underlay_host.running(command, stderr=subprocess.PIPE) as tcpdump,
        guests.lab["h3"].running(receive) as socket,
    ):
        assert tcpdump.stderr and tcpdump.stdout and socket.stdout
        assert any("listening on" in line for line in tcpdump.stderr)
        assert socket.stdout.readline() == "ready\n"
        yield reached
        time.sleep(0.5)  # all packets would have arrived by then
        tcpdump.terminate()
        reached.update(re.findall(rf"> ([\d.]+)\.{port}:", tcpdump.stdout.read()))
        socket.kill()
        if socket.stdout.read().strip():
            reached.add(own[1])


def _knock_everywhere(guests: Guests, port: int = 4789) -> set[str]:
    """The hosts that packets reach when all guests send to all hosts."""
    with _reached(guests, port) as reached:
        for instance in OUTSIDE:
            for host in guests.topology.hosts.values():
                _knocks(guests, instance, host.address, port)
    return reached


def test_no_guest_reaches_tunnels_or_the_controller(guests: Guests) -> None:
    lab, addresses = guests.lab, {host.address for host in guests.topology.hosts.values()}
    for each in (lab["h1"], lab["h2"], lab.controller):
        run(each, "ip route replace 2.2.2.0/24 via 10.0.46.13")
    assert _knock_everywhere(guests) == set()
    assert _knock_everywhere(guests, OTHER_PORT) == addresses
    for instance in OUTSIDE:
        assert not _connects(guests, instance, "10.0.46.1", 6653), instance
        await_answer(lab[guests.host(instance)], f"vm-{instance}", "10.0.46.1")
        with lab.controller.running([sys.executable, "-c", _ANSWER, "6654"]):
            wait_until(partial(_connects, guests, instance, "10.0.46.1", 6654), 10, "another port")
    # A host may connect from the controller's port and get answers.
    with lab["h1"].running(["ip", "netns", "exec", "vm-near", sys.executable, "-c", _ANSWER, "80"]):
        client = "import socket, sys; socket.create_connection(('2.2.2.100', 80), 5, ('', 6653))"
        wait_until(
            lambda: lab["h2"].run([sys.executable, "-c", client], check=False).returncode == 0,
            10,
            "an answer to port 6653",
        )


def test_masquerading_for_guests_opens_no_tunnel(guests: Guests) -> None:
    """With the gateway host's address, the guests' frames would look like those of a host."""
    rule = f"POSTROUTING -s 2.2.2.0/24 -o {DEVICE} -j MASQUERADE"
    run(guests.lab["h3"], f"iptables -t nat -A {rule}")
    command = ["tcpdump", "--immediate-mode", "-lnq", "-Z", "root", "-i", BRIDGE]
    inner = "udp dst port 4789 and length < 60"
    try:
        with guests.lab.underlay_host.running([*command, inner], stderr=subprocess.PIPE) as tcpdump:
            assert tcpdump.stderr and tcpdump.stdout
            assert any("listening on" in line for line in tcpdump.stderr)
            for instance in OUTSIDE:
                _knocks(guests, instance, "10.0.46.12")
            time.sleep(0.5)  # all packets would have arrived by then
            tcpdump.terminate()
            assert "UDP, length 5" not in tcpdump.stdout.read()
    finally:
        run(guests.lab["h3"], f"iptables -t nat -D {rule}")


def test_the_rules_are_first_and_come_back(guests: Guests) -> None:
    host, rule = guests.lab["h3"], "-A FORWARD -j dvr_ryu-FORWARD"

    def first() -> str:
        rules = run(host, "iptables -S FORWARD").splitlines()
        return next((rule for rule in rules if rule.startswith("-A")), "")

    for damage in (
        "iptables -D FORWARD -j dvr_ryu-FORWARD",
        "iptables -I FORWARD -s 2.2.2.0/24 -j ACCEPT",
        "iptables -F dvr_ryu-FORWARD",
    ):
        run(host, damage)
        wait_until(
            lambda: (
                first() == rule and len(run(host, "iptables -S dvr_ryu-FORWARD").splitlines()) > 2
            ),
            15,
            damage,
        )
    assert "-A FORWARD -s 2.2.2.0/24 -j ACCEPT" in run(host, "iptables -S FORWARD")
    run(host, "iptables -D FORWARD -s 2.2.2.0/24 -j ACCEPT")


def test_the_file_may_let_guests_reach_the_underlay(guests: Guests) -> None:
    dvr = [str(Path(sys.executable).with_name("dvr")), "companion", "check", str(guests.file)]
    check = ["env", "COLUMNS=300", *dvr, "--host", "h3"]
    assert "x: tunnels and the controller are out of" in guests.lab["h3"].run(check).stdout
    text = guests.file.read_text()
    guests.file.write_text(
        text.replace("gateway_host: h3,", "gateway_host: h3, underlay_access: true,")
    )
    addresses = {host.address for host in guests.topology.hosts.values()}
    wait_until(
        lambda: "dvr_ryu" not in run(guests.lab["h3"], "iptables -S"), 15, "no rules of ours"
    )
    assert _knock_everywhere(guests) == addresses
    for instance in OUTSIDE:
        assert _connects(guests, instance, "10.0.46.1", 6653), instance
    assert "WARN  x: its guests reach tunnels" in guests.lab["h3"].run(check).stdout
    guests.file.write_text(text)
    wait_until(lambda: "dvr_ryu" in run(guests.lab["h3"], "iptables -S FORWARD"), 15, "rules again")
    assert _knock_everywhere(guests) == set()


# Damage by the guest itself -----------------------------------------------------------------------


@pytest.mark.parametrize("instance", ["far", "near"])
@pytest.mark.parametrize(
    "damage",
    [
        "ip link set eth0 down; ip link set eth0 up",
        "ip addr flush dev eth0",
        "ip route del default",
        "ip route del 10.9.0.0/16",
    ],
)
def test_addresses_and_routes_of_a_lease_come_back(
    guests: Guests, instance: str, damage: str
) -> None:
    def has() -> tuple[str, str]:
        routes = guests.run(instance, "ip route show")
        return guests.run(instance, "ip -4 -br addr show dev eth0"), routes.replace(" ", "")

    before = has()
    assert "default" in before[1] and "10.9.0.0/16" in before[1]
    guests.run(instance, "ip addr add 192.0.2.1/32 dev eth0")
    guests.run(instance, "ip addr del 192.0.2.1/32 dev eth0")
    for command in damage.split("; "):
        guests.run(instance, command)
    wait_until(
        lambda: sorted(has()[1].split()) == sorted(before[1].split()),
        15,
        damage,
        lambda: str(has()),
    )
    assert has()[0] == before[0]
    assert guests.answers(instance, "10.2.0.13")


def test_two_nics_of_a_network_keep_the_same_route_each(guests: Guests) -> None:
    """Otherwise each one's client would take the other's, again and again."""

    def has_route(nic: str) -> bool:
        return "via" in guests.run("both", f"ip route show 10.9.0.0/16 dev {nic}")

    wait_until(lambda: has_route("eth0") and has_route("eth1"), 15, "a route on each")
    notes = guests.lab["h2"].path("/run/dvr_ryu/renewals")
    asked = {note: note.stat().st_mtime_ns for note in notes.glob("udhcpc-both*")}
    guests.run("far", "ip route del default")
    wait_until(lambda: "default" in guests.run("far", "ip route show"), 15, "another look")
    assert asked == {note: note.stat().st_mtime_ns for note in asked} and len(asked) == 2


def test_addresses_and_routes_of_a_second_nic_come_back(guests: Guests) -> None:
    guests.run("both", "ip addr flush dev eth1")
    wait_until(lambda: "10.1.0.32/24" in guests.run("both", "ip -br addr show dev eth1"), 15, "it")
    wait_until(
        lambda: "10.9.0.0/16" in guests.run("both", "ip route show dev eth1"), 15, "its route"
    )
    assert "default" not in guests.run("both", "ip route show dev eth1")
