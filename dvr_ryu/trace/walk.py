"""Follows frames from node to node, in the order of their sending, and records each visit as a hop.
Pure: the states of bridges and kernels are values, which a walk replaces.

It knows cables and tunnels. It gives no verdict.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from attrs import evolve, frozen

from dvr_ryu.companion.resources.namespace import ROOT
from dvr_ryu.pipeline.run.packet import ARP_REQUEST, Packet
from dvr_ryu.pipeline.run.state import BridgeState
from dvr_ryu.topology.bridges import Plug, bridge_of
from dvr_ryu.topology.model import TUNNEL_OVERHEADS
from dvr_ryu.trace.cabling import DeviceEnd, End, PortEnd, TunnelEnd
from dvr_ryu.trace.hops import Hop, Kind, Output, Strand, TunnelStep, lineage
from dvr_ryu.trace.host import Hosts
from dvr_ryu.trace.kernel.addresses import ip_number, ip_text
from dvr_ryu.trace.kernel.host import UNDERLAY
from dvr_ryu.trace.kernel.outcome import Drop, Frame, Outcome, Purpose, Receiver, Why
from dvr_ryu.trace.kernel.request import Request
from dvr_ryu.trace.kernel.state import KernelState

MOST_VISITS = 256
"""Packets at one port in a walk: changed packets that come again and again loop, too. It is more
than the fragments of a packet and the questions that come before it.
"""


@frozen
class _Arrival:
    """A packet that comes to a node: `hop` has all but what the node does with it."""

    hop: Hop
    end: End


class _Leaving(NamedTuple):
    """A packet that leaves a node: by which port, to which end on which host."""

    port: str
    packet: Packet
    end: End | None
    strand: Strand
    host: str


class Walk:
    """One packet and all that follows from it. It may begin with the states of another walk."""

    def __init__(self, hosts: Hosts, after: Walk | None = None) -> None:
        self._hosts = hosts
        self._bridges: dict[tuple[str, str], BridgeState] = dict(after._bridges) if after else {}
        self._kernels: dict[str, KernelState] = dict(after._kernels) if after else {}
        self._underlay: dict[int, str] = dict(after._underlay) if after else {}
        """MAC → its host, as the underlay's switches learn them."""
        self._arrivals: deque[_Arrival] = deque()
        self._numbers = 1
        self._visits = Counter[tuple[str, str, str | None]]()
        self.hops: list[Hop] = []
        self.answers: dict[int, Outcome] = {}
        """Number of a hop that got the packet → what its kernel has ready as the answer: it goes
        out in a walk of its own.
        """

    def send(self, host: str, namespace: str, request: Request) -> None:
        """Let a program in a namespace send, and follow all that comes of it to its end."""
        kernel = self._hosts[host].kernel
        outcome = kernel.send(namespace, request, self._kernel(host))
        self._start(host, namespace, _sent(namespace, request, outcome), outcome)

    def ask(self, host: str, namespace: str, device: str, ip: str) -> None:
        """Let a program in a namespace ask for a neighbour, as arping does, and follow that."""
        outcome = self._hosts[host].kernel.ask(namespace, device, ip, self._kernel(host))
        self._start(host, namespace, outcome.frames[0].packet, outcome)

    def emit(self, host: str, namespace: str, device: str, packet: Packet) -> None:
        """Let a program in a namespace send a frame as it is, as DHCP does, and follow that."""
        end = self._hosts[host].cabling.beyond_device(namespace, device)
        hop = Hop(0, None, Strand.WAY, host, Kind.NAMESPACE, namespace, None, packet)
        self._record(hop, [_Leaving(device, packet, end, Strand.WAY, host)])
        self._follow()

    def answer(self, before: Walk, number: int) -> None:
        """Let the kernel that got an earlier walk's packet send its own answer; follow that."""
        hop, outcome = before.hops[number], before.answers[number]
        answers = [frame.packet for frame in outcome.frames if frame.purpose is Purpose.ANSWER]
        packet = (answers or [hop.delivered[0].packet.reply()])[0]
        outcome = evolve(outcome, state=self._kernel(hop.host))
        self._start(hop.host, hop.node, packet, outcome)

    def waiting(self) -> Iterator[tuple[str, str, int]]:
        """Host, namespace and address of each neighbour for which a packet still waits."""
        for host, state in self._kernels.items():
            for namespace, each in state.waiting:
                yield host, namespace, each.ip

    def _start(self, host: str, namespace: str, packet: Packet, outcome: Outcome) -> None:
        hop = Hop(0, None, Strand.WAY, host, Kind.NAMESPACE, namespace, None, packet)
        self._left(hop, outcome)
        self._follow()

    def _follow(self) -> None:
        while self._arrivals:
            self._visit(self._arrivals.popleft())

    def _kernel(self, host: str) -> KernelState:
        return self._kernels.setdefault(host, KernelState())

    # One visit ------------------------------------------------------------------------------------

    def _visit(self, arrival: _Arrival) -> None:
        hop = arrival.hop
        entry = (hop.host, hop.node, hop.port)
        self._visits[entry] += 1
        if self._visits[entry] > MOST_VISITS or self._came_before(hop):
            self.hops.append(evolve(hop, looped=True))
            return
        match arrival.end:
            case DeviceEnd(namespace, device):
                kernel = self._hosts[hop.host].kernel
                state = self._kernel(hop.host)
                outcome = kernel.receive(namespace, device, hop.packet, state)
                self._left(hop, outcome)
            case PortEnd(bridge, port):
                self._forward(hop, bridge, port)
            case TunnelEnd(remote):
                self._carry(hop, remote)

    def _came_before(self, hop: Hop) -> bool:
        visit = (hop.host, hop.kind, hop.node, hop.port, hop.packet)
        return any(
            (each.host, each.kind, each.node, each.port, each.packet) == visit
            for each in lineage(self.hops, hop.parent)
        )

    def _left(self, hop: Hop, outcome: Outcome) -> None:
        """Record a visit to a namespace, and follow the frames that leave it."""
        self._kernels[hop.host] = outcome.state
        steps, frames, delivered = outcome.steps, outcome.frames, outcome.delivered
        if delivered and delivered[0].receiver in (Receiver.ECHO, Receiver.NOBODY):
            rest = tuple(each for each in steps if each.purpose is not Purpose.PASSAGE)
            answer = evolve(outcome, steps=rest, delivered=delivered[1:], dropped=())
            self.answers[hop.number] = answer
            steps = tuple(each for each in steps if each.purpose is Purpose.PASSAGE)
            frames, delivered = (), delivered[:1]
        if any(frame.waited for frame in frames):
            hop = evolve(hop, awaited=self._asked(hop))
        hop = evolve(hop, steps=steps, delivered=delivered, dropped=outcome.dropped)
        self._record(
            hop,
            [
                _Leaving(frame.device, frame.packet, end, self._strand(hop, frame), host)
                for frame in frames
                for end, host in [self._beyond(hop.host, frame)]
            ],
        )

    def _asked(self, hop: Hop) -> int | None:
        """The hop whose packet waits in a namespace for the neighbour that an ARP reply names."""
        for each in reversed(self.hops):
            if (each.host, each.node) == (hop.host, hop.node):
                for output in each.outputs:
                    asked = output.packet["arp_op"], output.packet["arp_tpa"]
                    if asked == (ARP_REQUEST, hop.packet["arp_spa"]):
                        return each.number
        return None

    def _strand(self, hop: Hop, frame: Frame) -> Strand:
        if frame.purpose is Purpose.ARP:
            is_probe = hop.strand is Strand.WAY and hop.packet.is_arp
            return Strand.WAY if is_probe else Strand.ARP
        if frame.packet.quoted is not None:
            return Strand.ERROR
        return hop.strand if hop.awaited is None else self.hops[hop.awaited].strand

    def _forward(self, hop: Hop, bridge: str, port: str) -> None:
        """Record a visit to a bridge."""
        host, key = self._hosts[hop.host], (hop.host, bridge)
        state = self._bridges.get(key, BridgeState())
        forwarding = host.bridge(bridge).forward(state, hop.packet, port)
        self._bridges[key] = forwarding.state
        self._record(
            evolve(hop, steps=forwarding.steps),
            [
                _Leaving(name, packet, host.cabling.beyond_port(bridge, name), hop.strand, hop.host)
                for name, packet in forwarding.outputs
            ],
        )

    def _carry(self, hop: Hop, remote: str) -> None:
        """Record the visit to a tunnel, which leads to br-tun of another host."""
        underlay = self._hosts.topology.underlay
        kind, vni = underlay.tunnel_type, hop.packet["tun_id"]
        here, there = self._hosts.topology.hosts[hop.host], self._hosts.at(remote)
        step = TunnelStep(f"{kind}: VNI {vni}, from {here.address} to {remote}")
        hop = evolve(hop, steps=(step,))
        length = hop.packet.size + TUNNEL_OVERHEADS[kind]
        if length > underlay.mtu:
            text = f"{length} bytes with the tunnel's headers: the underlay's MTU is {underlay.mtu}"
            self._record(evolve(hop, dropped=(Drop(ROOT, hop.packet, Why.TOO_LONG, text),)), [])
        elif there is None:
            text = f"no host has the address {remote}"
            self._record(evolve(hop, dropped=(Drop(ROOT, hop.packet, Why.NO_ROUTE, text),)), [])
        else:
            port = underlay.tunnel_device(here.address)
            ends = {"tun_src": ip_number(here.address), "tun_dst": ip_number(remote)}
            packet = hop.packet.without_metadata().having(tun_id=vni, **ends)
            end = PortEnd(bridge_of(Plug.TUNNELS), port)
            self._record(hop, [_Leaving(port, packet, end, hop.strand, there)])

    # From visit to visit --------------------------------------------------------------------------

    def _beyond(self, host: str, frame: Frame) -> tuple[End | None, str]:
        """The end that gets a frame of a namespace, and its host."""
        if (frame.namespace, frame.device) == (ROOT, UNDERLAY):
            self._underlay[frame.packet["dl_src"]] = host
            there = self._underlay.get(frame.packet["dl_dst"])
            if frame.packet.is_arp and there is None:
                # Of all hosts that hear a question, only the one that has the address matters.
                there = self._hosts.at(ip_text(frame.packet["arp_tpa"]))
            return (DeviceEnd(ROOT, UNDERLAY), there) if there else (None, host)
        return self._hosts[host].cabling.beyond_device(frame.namespace, frame.device), host

    def _record(self, hop: Hop, leaving: Iterable[_Leaving]) -> None:
        """Record a hop, and let its packets travel on."""
        outputs = []
        for each in leaving:
            number = None
            if each.end is not None:
                number = self._numbers
                self._numbers += 1
                self._arrivals.append(_next(hop, number, each.end, each))
            outputs.append(Output(each.port, each.packet, number))
        self.hops.append(evolve(hop, outputs=tuple(outputs)))


def _next(hop: Hop, number: int, end: End, leaving: _Leaving) -> _Arrival:
    match end:
        case DeviceEnd(namespace, device):
            kind, node, entry = Kind.NAMESPACE, namespace, device
        case PortEnd(bridge, name):
            kind, node, entry = Kind.BRIDGE, bridge, name
        case TunnelEnd():
            kind, node, entry = Kind.TUNNEL, leaving.port, leaving.port
    packet = leaving.packet
    if Kind.TUNNEL not in (kind, hop.kind):
        packet = packet.without_metadata()
    strand, host = leaving.strand, leaving.host
    return _Arrival(Hop(number, hop.number, strand, host, kind, node, entry, packet), end)


def _sent(namespace: str, request: Request, outcome: Outcome) -> Packet:
    """The packet of a request, with the source address that the kernel has chosen."""
    asked = request.packet
    waiting = [each.packet for each in outcome.state.of(namespace).waiting]
    frames = [each.packet for each in outcome.frames if each.purpose is Purpose.PASSAGE]
    ended = [*(each.packet for each in outcome.delivered), *(e.packet for e in outcome.dropped)]
    chosen = next(iter([*waiting, *frames, *ended]), asked)
    return asked.having(nw_src=asked["nw_src"] or chosen["nw_src"])
