"""The ways of real pings, as tcpdump sees them on every device of every namespace of a lab."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from dvr_ryu.companion.resources.namespace import ROOT
from dvr_ryu.companion.resources.veth_pair import VethPair
from dvr_ryu.lab.hosts.bare import Lab
from dvr_ryu.lab.hosts.host import environment
from dvr_ryu.trace.endpoints import ends
from dvr_ryu.trace.hops import Hop, Kind, Trace
from dvr_ryu.trace.network import Network

SHORTEST = 200
"""The payload of the first ping; each further one has another length, by which it is known."""
_SEEN = re.compile(r"^(\S+)\s+(In|P|Out)\s+.* ICMP echo request, .* length (\d+)$", re.MULTILINE)


class Passage(NamedTuple):
    """A packet that passes a device."""

    host: str
    namespace: str
    device: str
    direction: str


def computed(network: Network, trace: Trace) -> Counter[Passage]:
    """The devices that a trace's packet passes."""
    return Counter(passage for hop in trace.way() for passage in _passages(network, trace, hop))


def _passages(network: Network, trace: Trace, hop: Hop) -> Iterator[Passage]:
    on_way = {each.number for each in trace.way()}
    out = [each.port for each in hop.outputs if each.hop in on_way and not each.packet.is_arp]
    entered = [] if hop.port is None or hop.awaited is not None else [hop.port]
    if hop.kind is Kind.NAMESPACE:
        yield from (Passage(hop.host, hop.node, device, "In") for device in entered)
        yield from (Passage(hop.host, hop.node, device, "Out") for device in out)
    elif hop.kind is Kind.BRIDGE:
        outer = {
            each.peer
            for each in network.hosts[hop.host].resources
            if isinstance(each, VethPair) and each.peer_namespace == ROOT
        }
        yield from (Passage(hop.host, ROOT, port, "In") for port in entered if port in outer)
        yield from (Passage(hop.host, ROOT, port, "Out") for port in out if port in outer)


def real(lab: Lab, network: Network, pairs: Sequence[tuple[str, str]]) -> list[Counter[Passage]]:
    """The devices that one ping of each pair passes."""
    with _capturing(lab, network) as captured:
        # The last pair comes twice: when its further ping has passed, tcpdump has shown all others.
        for number, (source, target) in enumerate([*pairs, pairs[-1]]):
            sender, receiver = ends(network.topology, source, target)
            own = ["-I", sender.address] if sender.address else []
            # The first ping makes all of them know each other.
            for length in (9, SHORTEST + number):
                ping = ["ping", "-n", "-c1", "-w5", *own, "-s", str(length), receiver.address]
                lab[sender.host].run(ping, namespace=sender.namespace or None)
    found = [Counter[Passage]() for _ in pairs]
    for (host, namespace), printed in captured.items():
        for device, direction, length in _SEEN.findall(printed):
            number = int(length) - 8 - SHORTEST
            if 0 <= number < len(pairs):
                # P: the frame is for another MAC than that of a port of br-int.
                way = direction.replace("P", "In")
                found[number][Passage(host, namespace, device, way)] += 1
    return found


@contextmanager
def _capturing(lab: Lab, network: Network) -> Iterator[dict[tuple[str, str], str]]:
    """Capture in every namespace of every host while the block runs; afterwards the dictionary has
    what each tcpdump printed.
    """
    captured: dict[tuple[str, str], str] = {}
    command = ["tcpdump", "--immediate-mode", "-lnt", "-Z", "root", "-i", "any", "icmp"]
    processes: dict[tuple[str, str], subprocess.Popen[str]] = {}
    with ExitStack() as stack:
        for host in network.topology.hosts:
            for name in network.hosts[host].kernel.namespaces:
                process = subprocess.Popen(
                    lab[host].enter(command, name or None),
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    env=environment(),
                    text=True,
                )
                processes[host, name] = stack.enter_context(process)
                stack.callback(process.kill)
        for process in processes.values():
            assert process.stderr
            assert any("listening on" in line for line in process.stderr)
        yield captured
        for process in processes.values():
            process.terminate()
        for where, process in processes.items():
            captured[where] = process.communicate()[0]
