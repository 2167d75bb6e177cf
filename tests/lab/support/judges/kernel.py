"""Compares a host's kernel as computed with the real one: the same random frames for both.

A program for namespaces of its own: `kernel FILE HOST SEED FRAMES` prints JSON, a list of
differences.
"""

from __future__ import annotations

import errno
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
from dvr_ryu.topology import model
from dvr_ryu.topology.loading import parse_topology
from dvr_ryu.topology.view import HostView
from dvr_ryu.trace.kernel.host import UNDERLAY, HostKernel
from dvr_ryu.trace.kernel.outcome import Frame, Outcome, Why
from dvr_ryu.trace.kernel.request import Request
from dvr_ryu.trace.kernel.setup.sysctls import KERNEL_DEFAULTS
from dvr_ryu.trace.kernel.state import KernelState
from tests.lab.support.frame_bytes import bytes_of, packet_of
from tests.lab.support.judges.route import route_differences
from tests.lab.support.random_frames import RandomFrames
from tests.lab.support.real_host import RealHost, comparable, outer

MOST = 5
"""So many differences are enough."""
DEVICE = tuple[str, str]
Arrival = tuple[str, str, Packet]
"""Namespace, device and frame."""
Seen = Counter[tuple[str, str]]
"""What came out, by device, as text."""
_ERRORS = {
    Why.NO_ROUTE: errno.ENETUNREACH,
    Why.MTU: errno.EMSGSIZE,
    Why.MARTIAN: errno.EINVAL,
}


class ComputedHost:
    """The host as values, with the same ends of cables as the real one."""

    def __init__(
        self,
        view: HostView,
        resources: list[Resource],
        announced: dict[str, list[str]],
        inherited: dict[str, int],
    ) -> None:
        self.kernel = HostKernel(resources, view, announced=announced, inherited=inherited)
        self.state = KernelState()
        self.inner: dict[str, DEVICE] = {outer(UNDERLAY): (ROOT, UNDERLAY)}
        self._beyond: dict[DEVICE, DEVICE] = {}
        self.texts: list[str] = []
        self.drops: list[Why] = []
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
        self.texts, self.drops = [], []
        return self._followed([(*self.inner[device], packet)])

    def send(self, namespace: str, request: Request) -> list[tuple[str, Packet]]:
        """What comes out if a program in a namespace sends."""
        self.texts, self.drops = [], []
        outcome = self.kernel.send(namespace, request, self.state)
        found, waiting = self._noted(outcome)
        return found + self._followed(waiting)

    def _followed(self, waiting: list[Arrival]) -> list[tuple[str, Packet]]:
        found: list[tuple[str, Packet]] = []
        while waiting:
            came, more = self._noted(self.kernel.receive(*waiting.pop(0), self.state))
            found += came
            waiting += more
        return found

    def _noted(self, outcome: Outcome) -> tuple[list[tuple[str, Packet]], list[Arrival]]:
        """The frames that come out, and those that go on to another namespace."""
        self.state = outcome.state
        for name, state in self.state.namespaces.items():
            # The real senders have ended when an ICMP error tells an MTU: their kernel ignores it.
            self.state = self.state.having(name, evolve(state, path_mtus={}))
        self.drops += [each.why for each in outcome.dropped]
        self.texts += [f"{step.namespace[:12]}: {step.text}" for step in outcome.steps]
        found: list[tuple[str, Packet]] = []
        waiting: list[Arrival] = []
        for each in outcome.frames:
            there = self._beyond.get((each.namespace, each.device))
            if there is None:
                found.append((self._outer(each), each.packet))
            else:
                waiting.append((*there, each.packet))
        return found, waiting

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


def seen(frames: list[tuple[str, Packet]]) -> Seen:
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
    resources = list(comparable(desired_resources(view, "netdev")))
    announced = _announced(view)
    computed = ComputedHost(view, resources, announced, _inherited())
    real = RealHost(view, resources, announced)
    random = Random(seed)
    generator = RandomFrames(view, computed.kernel, computed.inner, random)
    yield from route_differences(real, computed.kernel, generator.addresses, random)
    for number in range(frames):
        if number % 5:
            what, expected, came = _injected(real, computed, generator)
        else:
            namespace = random.choice(sorted(computed.kernel.namespaces))
            what, expected, came = _sent(real, computed, generator, namespace)
        if came != expected:
            text = [f"{number}: {what}"]
            text += [f"  computed: {each}" for each in (expected - came).elements()]
            text += [f"  real: {each}" for each in (came - expected).elements()]
            text += [f"  step: {each}" for each in computed.texts]
            yield "\n".join(text)


def _injected(
    real: RealHost, computed: ComputedHost, generator: RandomFrames
) -> tuple[str, Seen, Seen]:
    """A frame that goes in, what should come out, and what does."""
    device, packet = generator.next()
    before = computed.state
    expected = seen(computed.inject(device, packet))
    frames = [(name, packet_of(each)) for name, each in real.inject(device, bytes_of(packet))]
    generator.heard(frames)
    came = seen(frames)
    if Why.NO_ROUTE in computed.drops and expected and not came:
        computed.state = before  # the kernel sends few errors of this kind to each machine
        expected = came
    return f"into {computed.inner[device]}: {packet} size={packet.size}", expected, came


def _sent(
    real: RealHost, computed: ComputedHost, generator: RandomFrames, namespace: str
) -> tuple[str, Seen, Seen]:
    """What a program sends, what should come out, and what does, each with the program's error."""
    request = generator.request(namespace)
    expected = seen(computed.send(namespace, request))
    code, received = real.send(namespace, request)
    frames = [(name, packet_of(each)) for name, each in received]
    generator.heard(frames)
    came = seen(frames)
    should = _ERRORS.get(computed.drops[0], 0) if computed.drops else 0
    if Why.SOURCE in computed.drops:
        binds = computed.kernel.namespace(namespace).sysctls.nonlocal_bind
        should = errno.ENETUNREACH if binds else errno.EADDRNOTAVAIL
    expected[errno.errorcode.get(should, "sent"), ""] += 1
    came[errno.errorcode.get(code, "sent"), ""] += 1
    how = "" if request.dont_fragment else " in fragments"
    what = f"{namespace or 'the host'} sends {request.packet} size={request.packet.size}{how}"
    return what, expected, came


def _announced(view: HostView) -> dict[str, list[str]]:
    """The virtual addresses that instances here hold: all that have no MAC of their own."""
    return {
        port.name: [
            pair.virtual_ip for pair in port.address_pairs if pair.virtual_ip and not pair.mac
        ]
        for port in view.local_ports_of(model.COMPUTE)
        if port.number == 0
    }


def main(file: str, host: str, seed: str, frames: str) -> None:
    view = HostView(parse_topology(Path(file).read_text(), file).as_namespaces, host)
    found: list[str] = []
    for each in differences(view, int(seed), int(frames)):
        found.append(each)
        if len(found) == MOST:
            break
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
