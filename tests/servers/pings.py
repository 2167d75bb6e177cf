"""Pings that run in an instance on a server while something else happens, and what they lose."""

from __future__ import annotations

import re
from itertools import pairwise

from attrs import frozen

from tests.machines.machine import Machine

INTERVAL = 0.2
"""Seconds from one ping to the next."""


@frozen
class Loss:
    """How many pings had no answer, of how many, and the longest time in seconds without one."""

    sent: int
    lost: int
    silence: float


class Pings:
    """Pings from an instance to an address; they begin now."""

    def __init__(self, server: Machine, instance: str, address: str) -> None:
        self._server = server
        ping = f"ping -n -D -i {INTERVAL} {address}"
        # With it, a test can end the pings and read their statistics.
        self._running = server.begin(f"echo $$; exec ip netns exec vm-{instance} {ping}")
        assert self._running.stdout is not None
        self._output = self._running.stdout
        self._pid = int(self._output.readline())
        while "icmp_seq" not in self._output.readline():
            assert self._running.poll() is None, f"{instance} cannot ping {address}"

    def end(self) -> Loss:
        """End them, and return what they have lost."""
        self._server.run(f"kill -INT {self._pid}")
        output = self._output.read()
        self._running.wait(60)
        counts = re.search(r"(\d+) packets transmitted, (\d+) received", output)
        assert counts is not None, output
        sent, received = int(counts[1]), int(counts[2])
        times = [float(each) for each in re.findall(r"\[([\d.]+)\] \d+ bytes from", output)]
        silence = max((after - before for before, after in pairwise(times)), default=0.0)
        return Loss(sent, sent - received, silence)
