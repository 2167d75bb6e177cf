"""Pings while something happens, and counts the lost packets."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO

from attrs import define, field

from dvr_ryu.errors import HostError
from dvr_ryu.lab.hosts.host import LabHost, environment
from dvr_ryu.lab.wait import wait_until
from tests.lab.support.datapath import BY_KERNEL

PACKETS_A_SECOND = 100
PATIENCE = 3
"""Seconds until ping must print how many it has sent, and until the next answer must come."""
GAP = 0 if BY_KERNEL else 20
"""So many pings in a row may be lost. Open vSwitch's userspace datapath drops tunnel packets for a
moment, longer on a busy machine, while a port is added to any bridge, even by plain `ovs-vsctl
add-port`."""


@define
class Pings:
    """The results of the pings of a block, after its end."""

    sent: int = 0
    """The number of pings up to the first that was answered after the block, if one was."""
    answered: Mapping[int, str] = field(factory=dict)
    """Number of an answered ping → time of the answer, in seconds since 1970."""
    duplicates: int = 0
    """The number of duplicate answers."""

    @property
    def lost(self) -> list[int]:
        """The numbers of lost pings, from 1."""
        return sorted(set(range(1, self.sent + 1)) - self.answered.keys())

    @property
    def longest_gap(self) -> int:
        """The largest number of pings that were lost in a row."""
        longest = length = previous = 0
        for number in self.lost:
            length = length + 1 if number == previous + 1 else 1
            longest, previous = max(longest, length), number
        return longest

    def __str__(self) -> str:
        when = [f"{each} after {self.answered.get(each - 1, 'others')}" for each in self.lost]
        return f"lost {len(when)} of {self.sent}: {', '.join(when[:20])}"


@contextmanager
def counted(host: LabHost, namespace: str | None, address: str) -> Iterator[Pings]:
    """Ping 100 times a second while the block runs, and count. The block must take longer than the
    start of ping.
    """
    pings = Pings()
    with (
        tempfile.TemporaryFile("w+") as output,
        subprocess.Popen(
            host.enter(["sh", "-c", _SCRIPT, address], namespace),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            text=True,
            bufsize=0,
            env=environment(),
        ) as ping,
    ):
        yield pings
        asked = _sent_so_far(ping, output)
        with suppress(HostError):
            wait_until(lambda: _last(_answers(output)) > asked, PATIENCE, "one more answer")
        pings.answered = _answers(output)
        pings.duplicates = _printed(output).count("(DUP!)")
        pings.sent = _last(pings.answered)
        ping.communicate()
        if pings.sent <= asked:
            pings.sent = int(_found(r"(\d+) packets transmitted", output))


_SCRIPT = f"""
ping -D -n -i {1 / PACKETS_A_SECOND:g} -W 2 $0 &
read line; kill -QUIT $!
cat; kill -INT $!; wait $!
"""


def _sent_so_far(ping: subprocess.Popen[str], output: IO[str]) -> int:
    """The number of the last ping that was sent; its answer may come later."""
    status = r"\d+/(\d+) packets"
    assert ping.stdin
    ping.stdin.write("how many?\n")
    wait_until(
        lambda: bool(re.search(status, _printed(output))),
        PATIENCE,
        "ping's status",
        lambda: _printed(output),
    )
    return int(_found(status, output))


def _found(pattern: str, output: IO[str]) -> str:
    found = re.search(pattern, _printed(output))
    assert found, _printed(output)
    return found[1]


def _answers(output: IO[str]) -> dict[int, str]:
    """Number of an answered ping → time of the answer, as printed so far."""
    answers = re.findall(r"\[([\d.]+)\] \d+ bytes from .* icmp_seq=(\d+) ", _printed(output))
    return {int(number): when for when, number in answers}


def _last(answers: Iterable[int]) -> int:
    return max(answers, default=0)


def _printed(output: IO[str]) -> str:
    """The output of ping so far; the file offset, at which ping continues, stays."""
    size = os.fstat(output.fileno()).st_size
    return os.pread(output.fileno(), size, 0).decode()


@contextmanager
def unbroken(host: LabHost, namespace: str | None, address: str) -> Iterator[None]:
    """Ping while the block runs, 100 times a second; no ping may be lost, except for GAP."""
    with counted(host, namespace, address) as pings:
        yield
    context = (host.name, namespace, address, str(pings))
    assert len(pings.answered) > 10 and pings.longest_gap <= GAP, context
    assert len(pings.lost) <= max(GAP, pings.sent / 100), context
