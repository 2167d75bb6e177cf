"""The interpreter tracks and translates connections as the userspace datapath of a real Open
vSwitch does with real packets: ofproto/trace only guesses their state.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
from scapy.compat import raw
from scapy.layers.inet import ICMP, IP, TCP, UDP, fragment
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet as Sent
from scapy.utils import PcapReader

from dvr_ryu.lab.wait import wait_until
from dvr_ryu.pipeline.language.numbers import write_ipv4, write_mac
from dvr_ryu.pipeline.run.bridge import Bridge
from dvr_ryu.pipeline.run.packet import Packet, icmp_echo, tcp, udp
from dvr_ryu.pipeline.run.state import BridgeState
from dvr_ryu.shipped import examples_dir
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.view import HostView
from dvr_ryu.trace.kernel.fragments import cut
from tests.switch.interpreter.lines import BRIDGE, PORTS, pipeline
from tests.switch.interpreter.tracer import Tracer

INSIDE, OUTSIDE, OTHER = 0x0A000001, 0x0A000002, 0x0A000003
ONE, TWO = 0x020000000001, 0x020000000002
RECEIVERS = ("p1", "p2")
LATE = "patch-int"
"""The port whose ARP goes to all receivers. Open vSwitch may send it before a packet that came just
before it; but when a second ARP arrives, after the first, that packet has arrived.
"""

FIREWALL = [
    f"table=0,arp,in_port={LATE} actions=1,2",
    "table=0,ip actions=ct(table=1,zone=5,nat)",
    "table=1,ct_state=+trk+new,ip,in_port=p1 "
    "actions=ct(commit,zone=5,nat(src=10.9.9.9),exec(load:7->ct_mark)),p2",
    "table=1,ct_state=+trk+est,ct_mark=7,ip,in_port=p1 actions=p2",
    "table=1,ct_state=+trk+est+rpl,ct_mark=7,ip,in_port=p2 actions=p1",
]
"""From p1 anything may begin, and is translated; from p2 only replies come."""

BALANCER = [
    f"table=0,arp,in_port={LATE} actions=1,2",
    "table=0,tcp,in_port=p1,nw_dst=10.0.0.2 "
    "actions=ct(commit,zone=1,table=1,nat(dst=10.0.0.3:8080))",
    "table=0,ip,in_port=p2 actions=ct(zone=1,table=1,nat)",
    "table=1,ip,in_port=p1,ct_nw_proto=6,ct_state=+trk+new,ct_nw_dst=10.0.0.2 actions=p2",
    "table=1,ip,in_port=p2,ct_state=+trk+rpl actions=p1",
    "table=1,ip,ct_state=+inv+trk actions=IN_PORT",
]

Arrivals = list[tuple[str, Packet]]


def conversations() -> dict[str, tuple[list[str], Arrivals]]:
    """Name → the pipeline, and packets with the ports where they come in."""
    syn = tcp(ONE, TWO, INSIDE, OUTSIDE, 80, src_port=1234)
    answer = syn.having(nw_src=0x0A090909).reply()
    stray = answer.having(tcp_dst=4321)
    echo = icmp_echo(ONE, TWO, INSIDE, OUTSIDE, id=9)
    query = udp(ONE, TWO, INSIDE, OUTSIDE, 53, src_port=5353)
    balanced = tcp(ONE, TWO, INSIDE, OUTSIDE, 80)
    return {
        "tcp": (
            FIREWALL,
            [
                ("p2", stray),
                ("p1", syn),
                ("p2", answer),
                ("p1", syn.having(tcp_flags=0x10)),
                ("p2", stray),
            ],
        ),
        "echo": (
            FIREWALL,
            [
                ("p2", echo.reply()),
                ("p1", echo),
                ("p2", echo.having(nw_src=0x0A090909).reply()),
                ("p2", echo.having(nw_src=0x0A090909, icmp_id=8).reply()),
            ],
        ),
        "udp": (
            FIREWALL,
            [
                ("p1", query),
                ("p2", query.having(nw_src=0x0A090909).reply()),
                ("p2", query.reply()),
                ("p1", query),
                ("p1", query.having(nw_src=OTHER)),
            ],
        ),
        "balancer": (
            BALANCER,
            [
                ("p1", balanced),
                ("p2", balanced.having(nw_dst=OTHER, tcp_dst=8080).reply()),
                ("p2", balanced.having(nw_dst=OTHER, tcp_dst=8081).reply()),
            ],
        ),
    }  # fmt: skip


class RealPackets:
    """Sends packets into the bridge's ports, and reads those that come out."""

    def __init__(self, tracer: Tracer) -> None:
        self.tracer = tracer
        self.files = {port: tracer.ovs.folder / f"{port}.pcap" for port in RECEIVERS}
        self._read = dict.fromkeys(RECEIVERS, 0)

    def make(self, flows: list[str]) -> None:
        """Make the bridge anew, with files of what its ports send."""
        self.tracer.make(BRIDGE, PORTS, [])
        for port, file in self.files.items():
            file.unlink(missing_ok=True)
            self._read[port] = 0
            self.tracer.ovs.vsctl("set", "interface", port, f"options:tx_pcap={file}")
        self.tracer.add_flows(BRIDGE, flows)
        self.tracer.call("dpctl/flush-conntrack")

    def outputs(self, port: str, packet: Packet) -> list[tuple[str, str]]:
        """Send a packet; return the ports that it leaves through, and its ends there."""
        return sorted((to, ends_of_sent(each)) for to, each in self.answers(port, [built(packet)]))

    def answers(self, port: str, frames: list[Sent]) -> Iterator[tuple[str, Sent]]:
        """Send frames; return the ports and frames that the bridge sends then."""
        for frame in frames:
            self.tracer.call("netdev-dummy/receive", port, raw(frame).hex())
        last = Ether(src=write_mac(ONE), dst="ff:ff:ff:ff:ff:ff") / ARP()
        for count in (1, 2):
            self.tracer.call("netdev-dummy/receive", LATE, raw(last).hex())
            wait_until(partial(self._arrived, count), 20, f"ARP {count}")
        for receiver in RECEIVERS:
            packets = self._new(receiver)
            self._read[receiver] += len(packets)
            yield from ((receiver, each) for each in packets if ARP not in each)

    def _arrived(self, count: int) -> bool:
        return all(sum(ARP in each for each in self._new(port)) == count for port in RECEIVERS)

    def _new(self, port: str) -> list[Sent]:
        if not self.files[port].exists() or not self.files[port].stat().st_size:
            return []
        with PcapReader(str(self.files[port])) as reader:
            return list(reader)[self._read[port] :]


def built(packet: Packet) -> Sent:
    """The packet's bytes, as scapy makes them."""
    frame = Ether(src=write_mac(packet["dl_src"]), dst=write_mac(packet["dl_dst"]))
    frame /= IP(src=write_ipv4(packet["nw_src"]), dst=write_ipv4(packet["nw_dst"]))
    if "tcp_src" in packet:
        flags = packet["tcp_flags"]
        return frame / TCP(sport=packet["tcp_src"], dport=packet["tcp_dst"], flags=flags)
    if "udp_src" in packet:
        return frame / UDP(sport=packet["udp_src"], dport=packet["udp_dst"])
    return frame / ICMP(type=packet["icmp_type"], id=packet["icmp_id"])


def ends_of_sent(sent: Sent) -> str:
    """Addresses, and ports or an echo's identifier."""
    inner = sent[IP].payload
    ports = f"{inner.id}" if ICMP in sent else f"{inner.sport}>{inner.dport}"
    return f"{sent[IP].src}>{sent[IP].dst} {ports}"


@pytest.fixture
def packets(tracer: Tracer) -> RealPackets:
    return RealPackets(tracer)


@pytest.mark.parametrize("name", [*conversations()])
def test_connections_are_those_of_real_packets(packets: RealPackets, name: str) -> None:
    flows, arrivals = conversations()[name]
    view = HostView(load_topology(examples_dir() / "human-defined-dvr.yaml"), "server-233")
    bridge = Bridge(pipeline(flows), view, PORTS)
    packets.make(flows)
    state = BridgeState()
    passed = 0
    for at, (port, packet) in enumerate(arrivals):
        forwarding = bridge.forward(state, packet, port)
        state = forwarding.state
        ours = sorted((to, ends_of_sent(built(each))) for to, each in forwarding.outputs)
        assert ours == packets.outputs(port, packet), (at, forwarding.steps)
        passed += bool(ours)
    assert passed


def test_fragments_are_of_the_connection_of_their_packet(packets: RealPackets) -> None:
    """Open vSwitch puts them together for ct. It sends the first when it has the last."""
    mtu, data = 1420, 2000
    datagram = udp(ONE, TWO, INSIDE, OUTSIDE, 53, src_port=5353, size=data + 28)
    view = HostView(load_topology(examples_dir() / "human-defined-dvr.yaml"), "server-233")
    bridge = Bridge(pipeline(FIREWALL), view, PORTS)
    packets.make(FIREWALL)
    state, ours = BridgeState(), []
    for piece in cut(datagram, mtu):
        forwarding = bridge.forward(state, piece, "p1")
        state = forwarding.state
        ours += [
            (to, write_ipv4(each["nw_src"]), each["nw_frag"] > 1, each.get("udp_src"))
            for to, each in forwarding.outputs
        ]
    frames = fragment(built(datagram) / bytes(data), fragsize=mtu - 20)
    assert len(frames) == 2
    theirs = [
        (to, each[IP].src, each[IP].frag > 0, each[UDP].sport if UDP in each else None)
        for to, each in packets.answers("p1", frames)
    ]
    assert ours == theirs == [("p2", "10.9.9.9", False, 5353), ("p2", "10.9.9.9", True, None)]
