"""Computes a packet's way across the hosts of a topology: the frames of every kernel and bridge,
followed over veth pairs, patches and tunnels until none is left. Pure.

`pipeline.run` knows what a bridge does with a packet, `trace.kernel` what a kernel does. This
module decides neither. Hosts are made when a packet first comes to them.
"""

from __future__ import annotations

from collections.abc import Mapping

from dvr_ryu.companion.resources.openvswitch.datapath import SYSTEM
from dvr_ryu.pipeline.compile.pipelines import Pipelines
from dvr_ryu.topology.topology import Topology
from dvr_ryu.trace.endpoints import Receiver, Sender, ends
from dvr_ryu.trace.hops import ARP, PING, Hop, Kind, Outcome, Probe, Strand, Trace, Verdict
from dvr_ryu.trace.host import Hosts
from dvr_ryu.trace.judging import verdict
from dvr_ryu.trace.kernel.request import Request
from dvr_ryu.trace.probing import device_towards, packet_of
from dvr_ryu.trace.walk import Walk

__all__ = ["Hop", "Kind", "Network", "Outcome", "Probe", "Strand", "Trace", "Verdict"]


class Network:
    """The hosts of a topology with the flows of some pipelines, as values."""

    def __init__(
        self,
        topology: Topology,
        pipelines: Pipelines,
        datapath_type: str = SYSTEM.type,
        others: Mapping[str, str] = {},
    ) -> None:
        """`datapath_type` is Open vSwitch's: "netdev" joins namespaces by pairs of veth devices.
        `others`: the hosts that have another one, each with its own.
        """
        self.topology = topology
        self.pipelines = pipelines
        self.hosts = Hosts(topology, pipelines, datapath_type, others)

    def trace(self, source: str, target: str, probe: Probe = PING, *, reply: bool = False) -> Trace:
        """The way of a probe's packet from one end to the other, by the words of `endpoints`.

        All caches are empty before it: of neighbours, of MACs and of connections. With `reply`, the
        way of the answer is part of the trace if the packet arrives. Raises UnknownEndpoint.
        """
        sender, receiver = ends(self.topology, source, target)
        return self.between(sender, receiver, probe, reply=reply)

    def between(
        self, sender: Sender, receiver: Receiver, probe: Probe = PING, *, reply: bool = False
    ) -> Trace:
        """The same between ends that are known already."""
        walk = Walk(self.hosts)
        if probe.protocol == ARP:
            device = device_towards(self.topology, sender, receiver.address)
            walk.ask(sender.host, sender.namespace, device, receiver.address)
        else:
            walk.send(sender.host, sender.namespace, Request(packet_of(sender, receiver, probe)))
        end = verdict(self.topology, walk)
        answer = None
        if reply and end.delivered and probe.protocol != ARP:
            answer = self._reply(walk, end, sender, receiver, probe)
        return Trace(sender, receiver, probe, tuple(walk.hops), end, answer)

    def _reply(
        self, before: Walk, end: Verdict, sender: Sender, receiver: Receiver, probe: Probe
    ) -> Trace:
        """The trace of the answer to a packet that has arrived."""
        walk, hop = Walk(self.hosts, before), before.hops[end.hop]
        if end.hop in before.answers:
            walk.answer(before, end.hop)
        else:
            request = Request(hop.delivered[0].packet.reply())
            walk.send(hop.host, hop.node, request)
        answering = Sender(end.owner, hop.host, hop.node)
        asking = Receiver(sender.name, end.seen_as or "")
        return Trace(answering, asking, probe, tuple(walk.hops), verdict(self.topology, walk))
