"""Compares a host's kernel as computed with the real one: the same random frames for both.

A program for namespaces of its own: `kernel_judge FILE HOST SEED FRAMES` prints JSON, a list of
differences.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

from attrs import evolve

from dvr_ryu.companion.desired import desired_resources
from dvr_ryu.companion.resources.namespace import ROOT
from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.companion.resources.veth_pair import VethPair
from dvr_ryu.pipeline.run.packet import Packet
from dvr_ryu.topology.loading import parse_topology
from dvr_ryu.topology.view import HostView
from dvr_ryu.trace.kernel.host import UNDERLAY, HostKernel
from dvr_ryu.trace.kernel.outcome import Frame, Why
from dvr_ryu.trace.kernel.setup.sysctls import KERNEL_DEFAULTS
from dvr_ryu.trace.kernel.state import KernelState
from tests.lab.support.random_frames import RandomFrames
from tests.lab.support.real_host import RealHost, kept, outer
from tests.lab.support.route_judge import route_differences
from tests.lab.support.wire import bytes_of, packet_of

MOST = 5
"""So many differences are enough."""
DEVICE = tuple[str, str]


class ComputedHost:
    """The host as values, with the same ends of cables as the real one."""

    def __init__(
        self, view: HostView, resources: list[Resource], inherited: dict[str, int]
    ) -> None:
        self.kernel = HostKernel(resources, view, inherited=inherited)
        self.state = KernelState()
        self.inner: dict[str, DEVICE] = {outer(UNDERLAY): (ROOT, UNDERLAY)}
        self._beyond: dict[DEVICE, DEVICE] = {}
        self.texts: list[str] = []
        self.is_unroutable = False
        for each in resources:
            if isinstance(each, VethPair):
                here, there = (each.namespace, each.device), (each.peer_namespace, each.peer)
                if each.peer_namespace == ROOT:
                    self.inner[each.peer] = here
                else:
                    self._beyond |= {here: there, there: here}
        for name in self.kernel.namespaces:  # no program listens in the real ones
            silent = evolve(self.kernel.namespace(name), programs=frozenset())
            self.kernel._made[name] = silent

    def inject(self, device: str, packet: Packet) -> list[tuple[str, Packet]]:
        """What comes out by which outer device, if a frame goes in by one."""
        waiting = [(*self.inner[device], packet)]
        self.texts, self.is_unroutable = [], False
        found: list[tuple[str, Packet]] = []
        while waiting:
            namespace, name, frame = waiting.pop(0)
            outcome = self.kernel.receive(namespace, name, frame, self.state)
            self.state = outcome.state
            self.is_unroutable |= any(drop.why is Why.NO_ROUTE for drop in outcome.dropped)
            self.texts += [f"{step.namespace[:12]}: {step.text}" for step in outcome.steps]
            for each in outcome.frames:
                there = self._beyond.get((each.namespace, each.device))
                if there is None:
                    found.append((self._outer(each), each.packet))
                else:
                    waiting.append((*there, each.packet))
        return found

    def _outer(self, frame: Frame) -> str:
        if frame.namespace == ROOT:
            return outer(frame.device)
        here = (frame.namespace, frame.device)
        return next(name for name, inner in self.inner.items() if inner == here)


def _inherited() -> dict[str, int]:
    """The sysctls of new namespaces on this machine: this one is new."""
    found = {}
    for name in KERNEL_DEFAULTS:
        for path in (f"conf/default/{name}", name):
            file = Path("/proc/sys/net/ipv4", path)
            if file.exists():
                found[name] = int(file.read_text())
                break
    return found


def seen(frames: list[tuple[str, Packet]]) -> Counter[tuple[str, str]]:
    """The frames by their devices, as text: those of the same content are alike."""
    return Counter((device, _described(packet)) for device, packet in frames)


def _described(packet: Packet) -> str:
    fields = {name: value for name, value in packet.fields.items() if value or name != "nw_df"}
    if packet["nw_proto"] == 1 and "icmp_id" in fields and packet["nw_frag"] > 1:
        del fields["icmp_id"]
    text = f"{Packet(dict(sorted(fields.items())))} size={packet.size}"
    if packet.quoted is not None:
        about = packet.quoted.fields
        names = ("nw_src", "nw_dst", "nw_proto", "nw_ttl", "icmp_id", "tcp_src", "tcp_dst",
                 "udp_src", "udp_dst")  # fmt: skip
        inner = {name: about[name] for name in names if name in about}
        text += f" about ({Packet(dict(sorted(inner.items())))} size={packet.quoted.size})"
    return text


def differences(view: HostView, seed: int, frames: int) -> Iterator[str]:
    """Every way in which the two hosts differ."""
    resources = list(kept(desired_resources(view, "netdev")))
    computed = ComputedHost(view, resources, _inherited())
    real = RealHost(view, resources)
    random = Random(seed)
    generator = RandomFrames(view, computed.kernel, computed.inner, random)
    yield from route_differences(real, computed.kernel, generator.addresses, random)
    for number in range(frames):
        device, packet = generator.next()
        frame = bytes_of(packet)
        before = computed.state
        expected = seen(computed.inject(device, packet))
        came = [(name, packet_of(each)) for name, each in real.inject(device, frame)]
        generator.heard(came)
        if computed.is_unroutable and expected and not came:
            computed.state = before  # the kernel sends few errors of this kind to each machine
        elif seen(came) != expected:
            text = [f"frame {number} into {computed.inner[device]}: {packet} size={packet.size}"]
            text += [f"  computed: {each}" for each in (expected - seen(came)).elements()]
            text += [f"  real: {each}" for each in (seen(came) - expected).elements()]
            text += [f"  step: {each}" for each in computed.texts]
            yield "\n".join(text)


def main(file: str, host: str, seed: str, frames: str) -> None:
    view = HostView(parse_topology(Path(file).read_text(), file), host)
    found: list[str] = []
    for each in differences(view, int(seed), int(frames)):
        found.append(each)
        if len(found) == MOST:
            break
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
