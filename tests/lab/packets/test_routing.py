"""The paths of packets through the namespaces of two routers on three hosts: each hop answers,
others see each instance under one address, and removed routing returns.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from itertools import product
from pathlib import Path

import pytest

from dvr_ryu.lab import lifecycle
from dvr_ryu.lab.hosts.bare import UNDERLAY, Lab
from dvr_ryu.lab.hosts.host import LabHost
from dvr_ryu.lab.state import StateFolder
from dvr_ryu.lab.wait import wait_until
from tests.lab.support.companions import await_answer, await_state, pings
from tests.lab.support.datapath import BY_KERNEL, DEVICE, widened
from tests.lab.support.routed_lab import (
    FILE,
    HOSTS,
    OUTER,
    PORT,
    R1,
    R2,
    TARGETS,
    TOPOLOGY,
    WORLD,
    RoutedLab,
)


@pytest.fixture(scope="module")
def routed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RoutedLab]:
    scratch = tmp_path_factory.mktemp("routing")
    file, folder = scratch / "topology.yaml", StateFolder(scratch / "dvr_lab")
    file.write_text(FILE)
    try:
        lifecycle.up(file, lambda _: None, folder)
        yield RoutedLab(file, folder, Lab(lifecycle.running(folder).lab_hosts))
    finally:
        lifecycle.down(folder)


# Hops ---------------------------------------------------------------------------------------------


def hops(endpoint: tuple[LabHost, str | None], address: str) -> list[str]:
    """The addresses that report an expired TTL, hop by hop, and at last the address that
    answers.
    """
    host, namespace = endpoint
    found = []
    for ttl in range(1, 9):
        ping = f"ping -n -c1 -W2 -t{ttl} {address}".split()
        output = host.run(ping, namespace=namespace, check=False).stdout
        by = re.search(r"^(?:From|64 bytes from) ([0-9.]+)", output, re.MULTILINE)
        found.append(by[1] if by else "*")
        if "bytes from" in output:
            break
    return found


def test_every_hop_answers(routed):
    """An ICMP error about a packet to a floating IP, from behind its NAT, comes from that
    address.
    """
    links = {name: router.fip_link for name, router in TOPOLOGY.routers.items()}
    sg = [
        port.snat_port.ip
        for port in TOPOLOGY.routers["r1"].interfaces
        if port.snat_port is not None
    ]
    one, two = routed.fg("h1"), routed.fg("h2")
    d2, c2 = OUTER["d2"], OUTER["c2"]
    assert hops(routed.at("d1"), d2) == ["10.1.0.1", links["r1"].fpr_ip, two, d2, d2]
    assert hops(routed.at("o1"), d2) == ["10.1.0.1", links["r2"].fpr_ip, two, d2, d2]
    assert hops(routed.at("o1"), OUTER["d1"]) == [
        "10.1.0.1",
        links["r2"].fpr_ip,
        *[OUTER["d1"]] * 2,
    ]
    assert hops(routed.at("n1"), d2) == ["10.1.0.1", sg[0], two, d2, d2]
    assert hops(routed.at("c1"), d2) == ["10.2.0.1", sg[1], two, d2, d2]
    assert hops(routed.at("n1"), c2) == ["10.1.0.1", c2, c2]
    assert hops(routed.at("d1"), WORLD) == ["10.1.0.1", links["r1"].fpr_ip, WORLD]
    assert hops(routed.at("n2"), WORLD) == ["10.2.0.1", sg[1], WORLD]
    assert hops((routed.lab["h3"], None), OUTER["d1"]) == [one, OUTER["d1"], OUTER["d1"]]


def test_every_namespace_of_routers_answers_all_and_is_answered(routed):
    addresses = ["2.2.2.1", R1, R2, routed.fg("h1"), routed.fg("h2"), *OUTER.values(), WORLD]
    asking: list[tuple[LabHost, str | None]] = [routed.at(name) for name in TOPOLOGY.instances]
    asking += [
        (routed.lab[host], name)
        for host in HOSTS
        for name in routed.namespaces(host)
        if name.startswith(("qrouter-", "snat-", "fip-"))
    ]
    asking.append((routed.lab["h3"], None))

    def unanswered(endpoint: tuple[LabHost, str | None]) -> list[str]:
        return [f"{endpoint} {address}" for address in addresses if not pings(*endpoint, address)]

    with ThreadPoolExecutor(8) as pool:
        assert not [each for some in pool.map(unanswered, asking) for each in some]


# Source addresses ---------------------------------------------------------------------------------

_SERVER = f"""
import socket
server = socket.create_server(("", {PORT}), backlog=64)
print("ready", flush=True)
while True:
    connection, peer = server.accept()
    connection.sendall(peer[0].encode())
    connection.close()
"""
_CLIENT = """
import json, socket, sys
def seen(address, port):
    with socket.create_connection((address, port), 5) as sock:
        return sock.recv(99).decode()
print(json.dumps({name: seen(*to) for name, to in json.loads(sys.argv[1]).items()}))
"""


def expected(client: str, server: str) -> str:
    """The client's own floating IP; its router's address, if it has none, or if it has a
    distributed one and connects to a central one behind the same router.
    """
    other_router = client[0] == "o" or server[0] == "o"
    if client not in OUTER or (client[0] == "d" and server[0] in "cf" and not other_router):
        return R1
    return OUTER[client]


def test_each_instance_is_seen_by_one_address_wherever_the_other_is(routed):
    """Distributed, central, forwarded, none: on one host and on two, behind one router and two."""
    with ExitStack() as stack:
        for server in TARGETS:
            host, namespace = routed.at(server)
            process = stack.enter_context(host.running([sys.executable, "-c", _SERVER], namespace))
            assert process.stdout and process.stdout.readline() == "ready\n"

        def seen(client: str) -> Mapping[str, str]:
            host, namespace = routed.at(client)
            command = [sys.executable, "-c", _CLIENT, json.dumps(TARGETS)]
            return dict(json.loads(host.run(command, namespace=namespace).stdout))

        with ThreadPoolExecutor(4) as pool:
            found = dict(zip(TOPOLOGY.instances, pool.map(seen, TOPOLOGY.instances), strict=True))
    pairs = list(product(TOPOLOGY.instances, TARGETS))
    assert {pair: found[pair[0]][pair[1]] for pair in pairs} == {p: expected(*p) for p in pairs}


# Removed routing ----------------------------------------------------------------------------------

_SHOWN = ("rule", "-4 route show table all", "-4 addr show", "neigh show nud permanent")
_IGNORED = re.compile("^broadcast|127.0.0|^ *valid_lft|^(default|10).* dev eth0 .*proto dhcp")


def shown(routed: RoutedLab, host: str, namespace: str) -> list[str]:
    """The routing that `ip` shows, without lines that make no difference."""
    option = f"-n {namespace} " if namespace else ""
    lines = [
        line for what in _SHOWN for line in routed.run(host, f"ip {option}{what}").splitlines()
    ]
    relevant = (line for line in lines if not _IGNORED.search(line))
    return sorted(re.sub(" (linkdown|state [A-Z]+|qdisc [a-z]+)", "", line) for line in relevant)


def _devices(routed: RoutedLab, host: str, namespace: str) -> list[str]:
    """Our devices, without instances' NICs, whose addresses belong to their DHCP clients."""
    option = f"-n {namespace} " if namespace else ""
    names = [line.split()[0] for line in routed.run(host, f"ip {option}-br link").splitlines()]
    names = [name.split("@")[0] for name in names]
    instance = TOPOLOGY.instances.get(namespace.removeprefix("vm-"))
    if instance and instance.network == "green":
        return []
    if not namespace:
        return [name for name in names if name.startswith("gw-")]
    return [name for name in names if name != "lo"]


DAMAGE: Mapping[str, str] = {
    "the rule of table main": "rule del priority 32766",
    "all rules": "rule flush; rule del priority 0",
    "the routes to subnets": "route flush table main proto kernel",
    "all routes of table main": "route flush table main",
    "all routes": "route flush table all",
    "the addresses": "addr flush dev DEVICE",
    "the devices": "link set DEVICE down",
}
"""Kind of damage → the arguments of ip for it. Of the host's own routes, only the gateway's are
ours."""


@contextmanager
def stopped(routed: RoutedLab, host: str) -> Iterator[None]:
    """Suspend the companion of a host while the block runs."""
    pid = routed.lab[host].service_pid("companion")
    routed.run(host, f"kill -STOP {pid}")
    try:
        yield
    finally:
        routed.run(host, f"kill -CONT {pid}")


def _damage(routed: RoutedLab, host: str, namespace: str, command: str) -> Iterator[str]:
    """Yield the commands of `ip` that do this damage in a namespace."""
    devices, inside = _devices(routed, host, namespace), f"-n {namespace} " if namespace else ""
    for each in command.split("; "):
        if "DEVICE" in each:
            yield from (f"ip {inside}{each.replace('DEVICE', device)}" for device in devices)
        elif not namespace:
            yield from (f"ip {each} dev {device}" for device in devices if "route" in each)
        elif devices or "rule" in each:
            yield f"ip {inside}{each}"


def _await_shown(
    routed: RoutedLab, endpoint: tuple[str, str], before: list[str], what: str
) -> None:
    def differing() -> str:
        return "\n".join(sorted({*before} ^ {*shown(routed, *endpoint)}))

    wait_until(lambda: shown(routed, *endpoint) == before, 20, f"{what} of {endpoint}", differing)


@pytest.mark.parametrize("what", DAMAGE)
def test_removed_routing_comes_back_everywhere(routed, what):
    """Damage all namespaces at the same time."""
    endpoints = [(host, name) for host in HOSTS for name in routed.namespaces(host)]
    damages = {endpoint: list(_damage(routed, *endpoint, DAMAGE[what])) for endpoint in endpoints}
    endpoints = [endpoint for endpoint in endpoints if damages[endpoint]]
    assert {name.split("-")[0] for _, name in endpoints} >= {
        "qrouter",
        "snat",
        "fip",
        "qdhcp",
        "vm",
    }
    before = {endpoint: shown(routed, *endpoint) for endpoint in endpoints}

    def damage(endpoint: tuple[str, str]) -> None:
        for command in damages[endpoint]:
            routed.run(endpoint[0], command)
        assert shown(routed, *endpoint) != before[endpoint]

    with ExitStack() as stack, ThreadPoolExecutor(4) as pool:
        for host in HOSTS:
            stack.enter_context(stopped(routed, host))
        list(pool.map(damage, endpoints))
    for endpoint in endpoints:
        _await_shown(routed, endpoint, before[endpoint], what)
    for client, address in (("d1", OUTER["d2"]), ("n1", WORLD), ("c2", OUTER["o1"])):
        host, namespace = routed.at(client)
        await_answer(host, namespace, address)
    assert "Network is unreachable" not in "".join(map(routed.log, HOSTS))


def test_the_plan_lists_missing_routing_and_its_script_makes_it(routed):
    router, fip = (routed.namespace("h1", prefix) for prefix in ("qrouter-", "fip-"))
    fg = routed.fg("h1")
    with stopped(routed, "h1"):
        routed.run("h1", f"ip -n {fip} route flush table main")
        routed.run("h1", f"ip -n {router} rule del priority 32766")
        routed.run("h1", "ip -n vm-d1 link set eth0 down")
        planned = routed.plan("h1")
        assert f"+ ip -n {router} rule add from all priority 32766 table main protocol kernel" in (
            planned
        )
        assert any(
            line.startswith(f"+ ip -n {fip} route append 2.2.2.0/24 dev fg-")
            and line.endswith(f" proto kernel scope link src {fg}")
            for line in planned
        )
        # The kernel makes these again with the device; no command is needed.
        assert [line for line in planned if " vm-d1 " in line and "proto kernel" in line] == []
        dvr = Path(sys.executable).with_name("dvr")
        command = f"{dvr} companion plan {routed.file} --host h1 --as script"
        script = routed.run("h1", command, check=False)
        routed.lab["h1"].run(["sh"], input=script)
        assert routed.plan("h1") == []


# The underlay's MTU -------------------------------------------------------------------------------


def save(routed: RoutedLab, text: str) -> str:
    fresh = routed.file.with_suffix(".fresh")
    fresh.write_text(text)
    fresh.replace(routed.file)
    return sha256(text.encode()).hexdigest()


def await_applied(routed: RoutedLab, hosts: Sequence[str], digest: str) -> None:
    for host in hosts:
        await_state(
            routed.lab[host],
            lambda state: (state["state"], state["topology"]) == ("applied", digest),
        )


def largest(routed: RoutedLab, size: int) -> bool:
    """Whether a packet of that size passes from d1 to d2, on two hosts, without fragmentation."""
    return pings(*routed.at("d1"), "10.1.0.13", "-Mdo", f"-s{size - 28}")


def test_an_mtu_that_the_devices_lack_waits_for_them(routed):
    """At a save, at a start, and after the repair: first the NIC below the bridge is as narrow,
    too.
    """
    wider = FILE.replace("mtu: 1550", "mtu: 1600")
    output = f"h1: underlay.mtu is 1600, but {DEVICE} has 1550: {widened(1600)}"
    try:
        digest = save(routed, wider)
        wait_until(
            lambda: output in routed.log("h1"),
            20,
            f"the message about {DEVICE}",
            lambda: routed.log("h1"),
        )
        assert largest(routed, 1500)
        await_state(routed.lab["h1"], lambda state: state["state"] == "failed")
        assert " mtu 1500 " in routed.run("h1", "ip link show eth0", "vm-d1")
        pid = routed.lab["h1"].service_pid("companion")
        routed.run("h1", f"kill -KILL {pid}")
        wait_until(lambda: routed.log("h1").count(output) == 2, 20, "the same, when it starts")
        assert largest(routed, 1500)
        assert " mtu 1500 " in routed.run("h1", "ip link show eth0", "vm-d1")
        if not BY_KERNEL:
            routed.run("h1", widened(1600))
            narrow = "but eth0 has 1550: ip link set eth0 mtu 1600"
            wait_until(lambda: narrow in routed.log("h1"), 20, "the message about the NIC")
        _widen(routed, 1600)
        await_applied(routed, HOSTS, digest)
        wait_until(lambda: largest(routed, 1550), 20, "packets of 1550 bytes")
        routed.run("h1", widened(1550))
        lost = "until then large packets are lost"
        wait_until(lambda: lost in routed.log("h1"), 20, "the message about lost packets")
    finally:
        digest = save(routed, FILE)
        _widen(routed, 1550)
        await_applied(routed, HOSTS, digest)


def _widen(routed: RoutedLab, mtu: int) -> None:
    """Set the MTU of the cables between the hosts, of their NICs and of their bridges."""
    for port in routed.run(UNDERLAY, "ip -br link").splitlines():
        name = port.split()[0].split("@")[0]
        if name != "lo":
            routed.run(UNDERLAY, f"ip link set {name} mtu {mtu}")
    for host in HOSTS:
        routed.run(host, f"ip link set eth0 mtu {mtu}")
        routed.run(host, widened(mtu))
