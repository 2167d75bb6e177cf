"""Runs the checks of a lab, a few at a time, and watches the underlay meanwhile."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from ipaddress import IPv4Address
from pathlib import Path

from attrs import frozen
from rich.table import Table

from dvr_ryu.command import dvr
from dvr_ryu.errors import DIFFERENT, DONE, HostError
from dvr_ryu.lab import preflight
from dvr_ryu.lab.hosts.bare import Lab
from dvr_ryu.lab.hosts.cabling import BRIDGE
from dvr_ryu.lab.lifecycle import THE_LAB, running
from dvr_ryu.lab.proof.checks import Check, address_checks, reach_checks
from dvr_ryu.lab.proof.expected import expected_checks
from dvr_ryu.lab.proof.plugged import triable
from dvr_ryu.lab.proof.probes import Failed
from dvr_ryu.lab.state import StateFolder
from dvr_ryu.tables import table
from dvr_ryu.topology.bridges import Plug, bridge_of
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.topology import Topology

_AT_ONCE = 8


@frozen
class Result:
    """The result of a check: `detail` is the probe's finding."""

    what: str
    source: str
    target: str
    passed: bool
    detail: str

    @property
    def verdict(self) -> str:
        """PASS or FAIL."""
        return "PASS" if self.passed else "FAIL"


def prove(progress: Callable[[str], None], folder: StateFolder = THE_LAB) -> list[Result]:
    """Run all checks of the lab that is up; HostError if none is up."""
    preflight.require_root()
    state = running(folder)
    return try_all(Lab(state.lab_hosts), load_topology(Path(state.topology)), progress)


def try_all(lab: Lab, topology: Topology, progress: Callable[[str], None]) -> list[Result]:
    """Run every check of `topology` in `lab`, addresses first, because all other checks need
    them. Instances that others have not plugged in are not among them."""
    topology, lacking = triable(topology, lab.hosts)
    if lacking:
        progress(f"not tried, because others make them: {', '.join(lacking)}")
    with watched_underlay(lab, topology) as crossed, ThreadPoolExecutor(_AT_ONCE) as pool:

        def run(checks: Iterable[Check]) -> list[Result]:
            return list(pool.map(lambda check: _try(check, lab), checks))

        progress("instances get their addresses")
        results = run(address_checks(topology))
        progress("checks of connectivity and source addresses")
        results += run([*reach_checks(topology), *expected_checks(topology)])
    return [*results, *_silence(topology, crossed)]


def exit_code(results: Iterable[Result]) -> int:
    """The exit code of `dvr lab test`."""
    return DONE if all(result.passed for result in results) else DIFFERENT


def _try(check: Check, lab: Lab) -> Result:
    try:
        passed, detail = True, check.probe(lab)
    except (Failed, HostError) as failure:
        passed, detail = False, str(failure)
    return Result(check.what, check.source, check.target, passed, detail)


@contextmanager
def watched_underlay(lab: Lab, topology: Topology) -> Iterator[list[str]]:
    """Collect the ARP requests for gateways and the gateways' ARP replies that cross the underlay.
    The list is complete after the block.
    """
    crossed: list[str] = []
    if not _gateways(topology):
        yield crossed
        return
    # tcpdump stays root: a change of user would undo setpriv, and it would outlive nsenter.
    command = ["tcpdump", "--immediate-mode", "-lnt", "-Z", "root", "-i", BRIDGE]
    watching = [*command, _gateway_arp(topology)]
    with lab.underlay_host.running(watching, stderr=subprocess.PIPE) as tcpdump:
        try:
            assert tcpdump.stderr
            if not any("listening on" in line for line in tcpdump.stderr):
                raise HostError("tcpdump cannot watch the lab's underlay")
            yield crossed
        finally:
            tcpdump.kill()
            crossed += tcpdump.communicate()[0].splitlines()


def _gateways(topology: Topology) -> list[tuple[int, str]]:
    """The VNI and the address of every router interface."""
    return [
        (topology.networks[interface.network].vni, interface.ip)
        for router in topology.routers.values()
        for interface in router.interfaces
    ]


@frozen
class _Header:
    """The packets of a type of tunnel, by offsets from the start of the outer IP header."""

    packets: str
    """The tcpdump expression that matches them."""
    vni: str
    """The tcpdump expression for the four bytes with the VNI; other bits are masked out."""
    shift: int
    """The number of bits below the VNI in them."""
    inner: int
    """The offset of the inner frame."""


_HEADERS = {
    "vxlan": _Header("udp dst port 4789", "ip[32:4]&0xffffff00", 8, 36),
    "geneve": _Header("udp dst port 6081", "ip[32:4]&0xffffff00", 8, 36),
    "gre": _Header("proto gre", "ip[24:4]", 0, 28),
}


def _gateway_arp(topology: Topology) -> str:
    """A filter for tcpdump. An inner frame has its EtherType at 12 and its ARP packet at 14. The
    ARP packet has its operation at 6, the sender's address at 14 and the target's at 24. A request
    that a gateway sends may cross: it asks for an address that is not declared.
    """
    header = _HEADERS[topology.underlay.tunnel_type]
    kind, operation, sender, target = (header.inner + offset for offset in (12, 20, 28, 38))
    asked, answered = (
        f"ip[{operation}:2]=1 and ip[{target}:4]",
        f"ip[{operation}:2]=2 and ip[{sender}:4]",
    )
    each = [
        f"({header.vni}={vni << header.shift} and (({asked}={ip}) or ({answered}={ip})))"
        for vni, ip in ((vni, int(IPv4Address(ip))) for vni, ip in _gateways(topology))
    ]
    return f"{header.packets} and ip[{kind}:2]=0x0806 and ({' or '.join(each)})"


def _silence(topology: Topology, crossed: list[str]) -> list[Result]:
    if not _gateways(topology):
        return []
    detail = crossed[0] if crossed else "none crossed meanwhile"
    return [Result("no gateway ARP", "underlay", "gateways", not crossed, detail)]


def render(results: Iterable[Result]) -> Table:
    """The results as a table for people."""
    rows = ((each.what, each.source, each.target, each.verdict, each.detail) for each in results)
    return table(("what", "from", "to", "", "seen"), rows)


def summary(results: Sequence[Result]) -> str:
    """The overall verdict, in one line."""
    failed = sum(not result.passed for result in results)
    count = len(results)
    return f"{failed} of {count} checks FAIL" if failed else f"all {count} checks PASS"


def next_commands(results: Iterable[Result], folder: StateFolder = THE_LAB) -> list[str]:
    """Commands that a user may try in the lab that is up."""
    topology = load_topology(Path(running(folder).topology))
    commands = ["show"]
    for result in results:
        if result.what.startswith("layer 3, across"):
            commands.append(
                f"exec {result.source} -- ping -c3 {topology.instances[result.target].ip}"
            )
            break
    host, bridge = next(iter(topology.hosts)), bridge_of(Plug.TUNNELS)
    commands.append(f"exec {host} -- ovs-ofctl dump-flows {bridge}")
    return [f"sudo {dvr()} lab {each}" for each in [*commands, "down"]]
