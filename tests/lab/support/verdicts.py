"""The verdicts of real packets between the ends of a lab, all at once: pings, and TCP connections
whose server says which source address it sees.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

from attrs import frozen

from dvr_ryu.companion.providers.netlink.datapath import datapath_type
from dvr_ryu.lab.hosts.bare import Lab
from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.shipped import flows_dir
from dvr_ryu.topology.expectation import OUTSIDE
from dvr_ryu.topology.model import instance_namespace
from dvr_ryu.topology.topology import Topology
from dvr_ryu.trace.endpoints import ends
from dvr_ryu.trace.hops import PING, TCP, Probe
from dvr_ryu.trace.network import Network

PORT = 7777
"""A port on which every instance, and every host, listens in these tests."""
_PYTHON = (sys.executable, "-I", "-S", "-c")
_SERVE = """
import selectors, socket, sys
ready = selectors.DefaultSelector()
for port in sys.argv[1:]:
    ready.register(socket.create_server(("", int(port))), selectors.EVENT_READ)
print("ready", flush=True)
while True:
    for key, _ in ready.select():
        connection, (peer, _) = key.fileobj.accept()
        connection.sendall(peer.encode())
        connection.close()
"""
_TRY = """
import concurrent.futures, json, socket, subprocess, sys
pinged, connected = json.loads(sys.argv[1])
def ping(end):
    ip, source = end
    own = ["-I", source] if source else []
    done = subprocess.run(["ping", "-n", "-c1", "-w3", "-i0.5", *own, ip], capture_output=True)
    return done.returncode == 0
def connect(end):
    ip, port, source = end
    try:
        own = (source, 0) if source else None
        with socket.create_connection((ip, port), 3, own) as connection:
            return connection.makefile().read()
    except OSError:
        return None
with concurrent.futures.ThreadPoolExecutor(24) as pool:
    both = pool.map(ping, pinged), pool.map(connect, connected)
    print(json.dumps([list(each) for each in both]))
"""


@frozen
class Verdict:
    """What becomes of a ping, or of a connection: the address that the server sees, or None."""

    source: str
    target: str
    port: int
    """0 for a ping."""
    result: bool | str | None


def sources(topology: Topology) -> list[str]:
    """The ends that send: every instance, every further NIC, and the world."""
    more = [f"{card.name}:{card.card}" for card in topology.more_cards]
    world = [OUTSIDE] if any(each.gateway_host for each in topology.networks.values()) else []
    return [*topology.instances, *more, *world]


def targets(topology: Topology) -> list[str]:
    """The addresses that are tried: every port's, every router's and every floating one."""
    own = [fixed.ip for port in topology.ports for fixed in port.addresses]
    routers = [each.ip for router in topology.routers.values() for each in router.interfaces]
    hosts = [host.address for host in topology.hosts.values()]
    return sorted({*own, *routers, *topology.floating_ips, *hosts})


def connections(topology: Topology) -> list[tuple[str, int]]:
    """The addresses and ports to which TCP is tried."""
    bound = [each.ip for each in topology.floating_ips.values() if each.instance]
    own = [fixed.ip for card in topology.cards for fixed in card.addresses]
    forwarded = [
        (floating.ip, each.external_ports.last)
        for floating in topology.floating_ips.values()
        for each in floating.forwardings
        if each.protocol == "tcp"
    ]
    return [*((ip, PORT) for ip in sorted({*own, *bound})), *forwarded]


def computed(network: Network) -> Iterator[Verdict]:
    """The verdicts of every trace between the ends of a topology."""
    topology = network.topology
    for source in sources(topology):
        for target in targets(topology):
            answered = network.trace(source, target, PING, reply=True).answered
            yield Verdict(source, target, 0, answered)
        for address, port in connections(topology):
            trace = network.trace(source, address, Probe(TCP, port), reply=True)
            seen = trace.verdict.seen_as if trace.answered else None
            yield Verdict(source, address, port, seen)


def real(lab: Lab, topology: Topology) -> Iterator[Verdict]:
    """The verdicts of packets between the same ends of a lab."""
    pinged, connected = targets(topology), connections(topology)

    def tried(source: str, host: str) -> list[Verdict]:
        own = {ip: ends(topology, source, ip)[0] for ip in {*pinged, *(ip for ip, _ in connected)}}
        here = {ip: sender for ip, sender in own.items() if sender.host == host}
        pings = [ip for ip in pinged if ip in here]
        connects = [end for end in connected if end[0] in here]
        arguments = json.dumps([
            [(ip, here[ip].address) for ip in pings],
            [(*end, here[end[0]].address) for end in connects],
        ])  # fmt: skip
        namespace = next(iter(here.values())).namespace or None
        command = [*_PYTHON, _TRY, arguments]
        result = lab[host].run(command, namespace=namespace, timeout=120)
        answered, seen = json.loads(result.stdout)
        return [
            *(Verdict(source, ip, 0, each) for ip, each in zip(pings, answered, strict=True)),
            *(Verdict(source, *end, each) for end, each in zip(connects, seen, strict=True)),
        ]

    # The world is beyond several hosts: which one sends depends on the receiver.
    senders = {
        (source, ends(topology, source, ip)[0].host)
        for source in sources(topology)
        for ip in pinged
    }
    with _listening(lab, topology), ThreadPoolExecutor(6) as pool:
        for verdicts in pool.map(lambda each: tried(*each), sorted(senders)):
            yield from verdicts


@contextmanager
def _listening(lab: Lab, topology: Topology) -> Iterator[None]:
    """A server in each instance, on PORT and on each port that is forwarded to it."""
    ports = {name: {PORT} for name in topology.instances}
    for floating in topology.floating_ips.values():
        for each in floating.forwardings:
            if each.protocol == "tcp":
                ports[each.instance].add(each.internal_ports.last)
    with ExitStack() as servers:
        started = [
            servers.enter_context(
                lab[topology.instances[name].host].running(
                    [*_PYTHON, _SERVE, *map(str, its)], instance_namespace(name)
                )
            )
            for name, its in ports.items()
        ]
        for server in started:
            assert server.stdout
            assert server.stdout.readline() == "ready\n"
        yield


def network_of(topology: Topology) -> Network:
    """The network of a topology with the shipped flows, as a lab on this machine makes it."""
    return Network(topology, load_pipelines(flows_dir()), datapath_type())


def differences(lab: Lab, topology: Topology) -> list[str]:
    """Each verdict in which the lab's packets and the traces differ."""
    network = network_of(topology)
    packets = {(each.source, each.target, each.port): each for each in real(lab, network.topology)}
    return [
        f"{each.source} to {each.target} port {each.port}: computed {each.result}, real {was}"
        for each in computed(network)
        if (was := packets[each.source, each.target, each.port].result) != each.result
    ]
