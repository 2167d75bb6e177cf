"""The probes of a running lab, as values: a ping, a lease. `connections` has those that connect.

A probe waits some seconds for a condition that should become true, because instances and switches
may just have been changed. It tries a condition that must not become true only for a moment.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Sequence
from typing import Protocol

from attrs import frozen

from dvr_ryu.errors import HostError
from dvr_ryu.lab.hosts.bare import Lab
from dvr_ryu.lab.hosts.cabling import NIC
from dvr_ryu.lab.wait import wait_until

PATIENCE = 5
"""Seconds until a condition that should become true counts as false."""

ICMP_OVERHEAD = 28
"""Bytes of the IPv4 and ICMP headers before a ping's payload."""


class Failed(Exception):
    """A probe failed; the text is its finding."""


@frozen
class Endpoint:
    """An endpoint of a probe: a lab host, or a network namespace of it."""

    host: str
    namespace: str | None = None
    address: str | None = None
    """The source address of what it sends; None leaves it to the kernel."""

    @property
    def ping(self) -> tuple[str, ...]:
        """The command, up to its options."""
        return ("ping", "-n", *(("-I", self.address) if self.address else ()))

    def run(self, lab: Lab, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run `command` here; a failure raises nothing."""
        return lab[self.host].run(command, namespace=self.namespace, check=False)


class Probe(Protocol):
    """A probe: a call carries it out."""

    def __call__(self, lab: Lab) -> str:
        """Return a short text about the result; raise Failed if the result is wrong."""


@frozen
class Ping:
    """`endpoint` gets an answer from `address` to a packet of `size` bytes, not fragmented."""

    endpoint: Endpoint
    address: str
    size: int | None = None

    def __call__(self, lab: Lab) -> str:
        """Send one ping a second until an answer comes."""
        command = [*self.endpoint.ping, "-c", "1", "-w", str(PATIENCE)]
        if self.size is not None:
            command += ["-M", "do", "-s", str(self.size - ICMP_OVERHEAD)]
        result = self.endpoint.run(lab, [*command, self.address])
        if result.returncode:
            raise Failed(_reason(result) or f"no answer within {PATIENCE} s")
        return "answers" if self.size is None else f"answers to {self.size} bytes"


@frozen
class NoPing:
    """`endpoint` gets no answer from `address`."""

    endpoint: Endpoint
    address: str

    def __call__(self, lab: Lab) -> str:
        """Send three pings in quick succession."""
        result = self.endpoint.run(
            lab, [*self.endpoint.ping, "-c", "3", "-i", "0.2", "-W", "1", self.address]
        )
        if result.returncode == 0:
            raise Failed("answers, but may not be reached")
        if "transmitted" not in result.stdout and "unreachable" not in result.stderr:
            raise Failed(_reason(result))
        return "does not answer"


def _reason(result: subprocess.CompletedProcess[str]) -> str:
    """The complaint of ping, in one line."""
    lines = [line for line in result.stderr.splitlines() + result.stdout.splitlines() if line]
    return next((line for line in lines if "nreachable" in line or "ping: " in line), "")


@frozen
class GatewayAnswers:
    """The gateway `address` answers ARP with `mac`, and no other MAC answers for it."""

    endpoint: Endpoint
    address: str
    mac: str

    def __call__(self, lab: Lab) -> str:
        """Send ARP requests until an answer comes, and collect all answers within a second."""
        command = ["arping", "-c", "1", "-I", NIC, self.address]
        for _ in range(PATIENCE):
            # An answer may appear twice: the kernel may have sent a request, too.
            macs = set(
                re.findall(r"\[([0-9a-f:]+)\]", self.endpoint.run(lab, command).stdout.lower())
            )
            if macs == {self.mac}:
                return f"is at {self.mac}"
            if macs:
                raise Failed(f"is at {', '.join(sorted(macs))}, not at {self.mac} alone")
        raise Failed(f"0 answers from {self.mac}")


@frozen
class Leased:
    """`endpoint` has `address` from a lease, and a default route by `gateway` if there is one."""

    endpoint: Endpoint
    address: str
    gateway: str | None
    server: str
    """The host of the network's DHCP server."""
    leases: str
    """The server's file of leases, in dnsmasq's format: time, MAC, address, name, client."""

    def __call__(self, lab: Lab) -> str:
        """Wait until the lease is complete."""
        try:
            wait_until(lambda: not self._missing(lab), 2 * PATIENCE, "")
        except HostError:
            raise Failed(self._missing(lab)) from None
        return f"has {self.address}"

    def _missing(self, lab: Lab) -> str:
        ip = self.address.partition("/")[0]
        addresses = self._ip(lab, "address", "show", "dev", NIC)
        if self.address not in addresses:
            return f"has {', '.join(addresses) or 'no address'}, not {self.address}"
        gateways = self._ip(lab, "route", "show", "default")
        if gateways != ([self.gateway] if self.gateway else []):
            expected = self.gateway or "nothing"
            return f"default via {', '.join(gateways) or 'nothing'}, not {expected}"
        leases = lab[self.server].path(self.leases)
        if not leases.exists() or f" {ip} " not in leases.read_text():
            return f"the DHCP server on {self.server} has given no lease of {ip}"
        return ""

    def _ip(self, lab: Lab, *arguments: str) -> list[str]:
        """The addresses with their prefix lengths, or the gateways."""
        result = self.endpoint.run(lab, ["ip", "-json", "-4", *arguments])
        entries = json.loads(result.stdout or "[]")
        if arguments[0] == "route":
            return [entry.get("gateway", "") for entry in entries]
        return [
            f"{address['local']}/{address['prefixlen']}"
            for entry in entries
            for address in entry.get("addr_info", ())
        ]
