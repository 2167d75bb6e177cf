"""A host's resources in the kernel of this machine, without Open vSwitch: frames go in and out.

It must run in network and mount namespaces of its own. Where br-int's port would be, there is the
outer end of a pair of veth devices.
"""

from __future__ import annotations

import errno
import os
import socket
import subprocess
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from attrs import evolve
from scapy.layers.inet import ICMP
from scapy.packet import Raw

from dvr_ryu.companion.change import change
from dvr_ryu.companion.desired.dhcp import client_options
from dvr_ryu.companion.desired.instances import is_served
from dvr_ryu.companion.providers.netlink.namespaces import inside
from dvr_ryu.companion.resources.device import Device, device_key
from dvr_ryu.companion.resources.dhcp.leases import LeaseBook
from dvr_ryu.companion.resources.dhcp.lines import DnsmasqLine
from dvr_ryu.companion.resources.dhcp.renewal import Renewal
from dvr_ryu.companion.resources.namespace import ROOT, Namespace
from dvr_ryu.companion.resources.netfilter.chain import Chain
from dvr_ryu.companion.resources.netfilter.translation import Translation
from dvr_ryu.companion.resources.openvswitch.bridge import Bridge
from dvr_ryu.companion.resources.openvswitch.port import OvsPort
from dvr_ryu.companion.resources.process import DHCP_SCRIPT_PATH, Process
from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.companion.resources.sysctl import Sysctl
from dvr_ryu.companion.resources.veth_pair import VethPair
from dvr_ryu.companion.script import script
from dvr_ryu.topology import model
from dvr_ryu.topology.spec.dhcp_options import CLASSLESS_ROUTES, MTU, ROUTER
from dvr_ryu.topology.view import HostView
from dvr_ryu.trace.kernel.addresses import ip_text
from dvr_ryu.trace.kernel.host import UNDERLAY
from dvr_ryu.trace.kernel.request import Request

Received = tuple[str, bytes]
"""An outer device and a frame that came out of it."""

_LEFT_OUT = (Bridge, OvsPort, Process, Renewal, LeaseBook, DnsmasqLine, Translation)
_ALL_PROTOCOLS, _OUTGOING = 3, 4
_IP_HEADER = 20
_MTU_DISCOVER, _PMTUDISC_DONT, _PMTUDISC_DO = 10, 0, 2
"""Linux's numbers of the socket option and its values; Python has no names for them."""
_MARKS = ("mark-in", "mark-out")
_MARK = b"\xff" * 12 + b"\x88\xb5" + b"mark" * 12
_ROUNDS = 12
"""More than a frame's visits to namespaces: each round ends what the last one left to do."""
_QUIET = {
    "neigh/{device}/retrans_time_ms": "600000",
    "neigh/{device}/base_reachable_time_ms": "600000",
    "neigh/{device}/delay_first_probe_time": "600",
    "neigh/{device}/locktime": "0",
    "icmp_ratelimit": "0",
    "icmp_msgs_per_sec": "1000000",
    "icmp_msgs_burst": "1000000",
}
"""Settings below net.ipv4 that keep the kernel from repeating itself, and from keeping silent."""


def comparable(resources: Iterable[Resource]) -> Iterator[Resource]:
    """The resources that need no Open vSwitch and no daemon. NAT chooses no port at random, and no
    namespace sends redirects, because the kernel sends few of them: neither could be compared.
    """
    yield _no_redirects(ROOT, "all")
    for each in resources:
        if isinstance(each, Device) and each.mac is not None:
            yield _no_redirects(each.namespace, each.name)
        if isinstance(each, Chain):
            rules = tuple(rule.replace(" --random-fully", "") for rule in each.rules)
            yield evolve(each, rules=rules)
        elif isinstance(each, Device) and each.namespace == ROOT and each.mac is not None:
            veth = VethPair(ROOT, each.name, ROOT, outer(each.name))
            yield veth
            yield evolve(each, container=veth.key)
        elif not isinstance(each, _LEFT_OUT):
            yield each


def _no_redirects(namespace: str, device: str) -> Sysctl:
    return Sysctl(
        namespace, f"net/ipv4/conf/{device}/send_redirects", "0", device_key(namespace, device)
    )


def outer(device: str) -> str:
    """The far end of a device of the host's own namespace."""
    return f"o{device}"


class RealHost:
    """The host as the kernel has it."""

    def __init__(
        self,
        view: HostView,
        resources: Sequence[Resource],
        announced: Mapping[str, Collection[str]],
    ) -> None:
        """`announced`: instance → its virtual addresses."""
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        self._outer: set[str] = set()
        self._make(view, resources)
        for port in view.local_ports_of(model.COMPUTE):
            if is_served(view, port):
                _lease(view, port)
        for instance, ips in announced.items():
            for ip in ips:
                namespace = model.instance_namespace(instance)
                command = ["ip", "-n", namespace, "addr", "add", f"{ip}/32", "dev", "eth0"]
                subprocess.run(command, check=True)
        for name in (ROOT, *(each.name for each in resources if isinstance(each, Namespace))):
            with inside(name):
                _quiet()
        self._socket = socket.socket(
            socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL_PROTOCOLS)
        )
        self._socket.settimeout(10)
        self.settle()

    def _make(self, view: HostView, resources: Sequence[Resource]) -> None:
        host, underlay = view.host, view.topology.underlay
        mac = "02:00:" + ":".join(f"{int(byte):02x}" for byte in host.address.split("."))
        lines = [
            "set -e",
            "ip link set lo up",
            f"ip link add {_MARKS[0]} type veth peer name {_MARKS[1]}",
            *(f"ip link set {mark} up" for mark in _MARKS),
            f"ip link add {UNDERLAY} mtu {underlay.mtu} address {mac} type veth "
            f"peer name {outer(UNDERLAY)} mtu {underlay.mtu}",
            f"ip link set {UNDERLAY} up",
            f"ip addr add {host.address}/{underlay.cidr.prefixlen} brd + dev {UNDERLAY}",
            *script(change(resources, []), host.name),
        ]
        for each in resources:
            if isinstance(each, VethPair) and each.peer_namespace == ROOT:
                self._outer.add(each.peer)
        self._outer.add(outer(UNDERLAY))
        for device in sorted(self._outer):
            lines += [
                f"ip link set {device} mtu {underlay.mtu} up",
                f"sysctl -qw net.ipv4.conf.{device}.arp_ignore=8",
            ]
        subprocess.run(["sh", "-s"], input="\n".join(lines), text=True, check=True)

    def settle(self) -> list[Received]:
        """Wait until the kernel has done all that it had to do; return what came out of it."""
        found: list[Received] = []
        for _ in range(_ROUNDS):
            self._socket.sendto(_MARK, (_MARKS[0], 0))
            while True:
                frame, (device, _, kind, *_) = self._socket.recvfrom(1 << 16)
                if device == _MARKS[1] and frame == _MARK:
                    break
                if device in self._outer and kind != _OUTGOING:
                    found.append((device, frame))
        return found

    def inject(self, device: str, frame: bytes) -> list[Received]:
        """Send a frame into the host by an outer device; return what comes out of it."""
        try:
            self._socket.sendto(frame, (device, 0))
        except OSError as error:
            if error.errno != errno.ENOBUFS:  # the inner device has refused it
                raise
        return self.settle()

    def send(self, namespace: str, request: Request) -> tuple[int, list[Received]]:
        """Let a program in a namespace send a UDP datagram or an echo request; return the number of
        the error that it gets, or 0, and what comes out.
        """
        with inside(namespace):
            code = _sent(request)
        return code, self.settle()


def _sent(request: Request) -> int:
    packet, size = request.packet, request.packet.size - _IP_HEADER
    is_udp = packet["nw_proto"] == socket.IPPROTO_UDP
    kind = socket.SOCK_DGRAM if is_udp else socket.SOCK_RAW
    with socket.socket(socket.AF_INET, kind, packet["nw_proto"]) as sock:
        discover = _PMTUDISC_DO if request.dont_fragment else _PMTUDISC_DONT
        sock.setsockopt(socket.IPPROTO_IP, _MTU_DISCOVER, discover)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        data = b"x" * (size - 8) if is_udp else _echo(packet["icmp_id"], size)
        try:
            if is_udp or packet["nw_src"]:
                sock.bind((ip_text(packet["nw_src"]), packet["udp_src"]))
            sock.sendto(data, (ip_text(packet["nw_dst"]), packet["udp_dst"]))
        except OSError as error:
            return error.errno or 0
    return 0


def _echo(id: int, size: int) -> bytes:
    return bytes(ICMP(type=8, id=id, seq=0) / Raw(b"x" * (size - 8)))


def _lease(view: HostView, port: model.Port) -> None:
    """Apply a lease as a DHCP client would: the script is the companion's own."""
    namespace = model.instance_namespace(port.name)
    options = client_options(view, port)
    cidr = port.cidr
    lease = {
        "ip": port.ip,
        "mask": str(cidr.prefixlen),
        "broadcast": str(cidr.broadcast_address),
        "router": options[ROUTER].replace(",", " "),
        "mtu": options[MTU].rstrip("bsi"),
        "staticroutes": options.get(CLASSLESS_ROUTES, "").replace(",", " "),
    }
    environment = {**os.environ, **lease, "interface": port.card, "NETNS": namespace}
    command = ["ip", "netns", "exec", namespace, DHCP_SCRIPT_PATH, "bound"]
    subprocess.run(command, env=environment, check=True, stderr=subprocess.DEVNULL)


def _quiet() -> None:
    """Let this namespace's kernel neither repeat ARP requests nor limit ICMP; no IPv6."""
    for name, value in _QUIET.items():
        devices = os.listdir("/proc/sys/net/ipv4/neigh") if "{device}" in name else [""]
        for device in devices:
            Path("/proc/sys/net/ipv4", name.format(device=device)).write_text(value)
    for conf in Path("/proc/sys/net/ipv6/conf").iterdir():
        (conf / "disable_ipv6").write_text("1")
