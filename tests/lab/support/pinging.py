"""Pings that go on while something happens, and how many of them were lost."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO

from attrs import define, field

from dvr_ryu.companion.providers.netlink.datapath import datapath_type
from dvr_ryu.errors import HostError
from dvr_ryu.lab.hosts.host import LabHost, environment
from dvr_ryu.lab.wait import wait_until

PACKETS_A_SECOND = 100
PATIENCE = 3
"""Seconds that ping's word on how many it has sent, and the first answer after that, may take."""
GAP = 0 if datapath_type() == "system" else 20
"""So many in a row may be lost. Open vSwitch's userspace datapath drops what a tunnel should take
for a moment, the longer the busier the machine is, while a port is added to any bridge: plain
`ovs-vsctl add-port` shows it."""


@define
class Pings:
    """What became of the pings of a block, once it has ended."""

    sent: int = 0
    """How many there were up to the first that was answered after the block, if one was."""
    answered: Mapping[int, str] = field(factory=dict)
    """The numbers of those that were answered, and when that was, in seconds since 1970."""
    duplicates: int = 0
    """How many answers came besides the first to a ping."""

    @property
    def lost(self) -> list[int]:
        """The numbers of those that were not answered, from 1."""
        return sorted(set(range(1, self.sent + 1)) - self.answered.keys())

    @property
    def longest_gap(self) -> int:
        """The most that were lost in a row."""
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
    """Ping while the block runs, which takes longer than ping's start, 100 times a second, and
    count.
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
    """The number of the last ping: an answer to it may yet be on its way, or be printed late."""
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
    """The numbers of the answers that were printed so far, and when they came."""
    answers = re.findall(r"\[([\d.]+)\] \d+ bytes from .* icmp_seq=(\d+) ", _printed(output))
    return {int(number): when for when, number in answers}


def _last(answers: Iterable[int]) -> int:
    return max(answers, default=0)


def _printed(output: IO[str]) -> str:
    """What ping has printed; where it goes on printing is left alone."""
    size = os.fstat(output.fileno()).st_size
    return os.pread(output.fileno(), size, 0).decode()


@contextmanager
def unbroken(host: LabHost, namespace: str | None, address: str) -> Iterator[None]:
    """Ping while the block runs, 100 times a second; none may be lost, but see GAP."""
    with counted(host, namespace, address) as pings:
        yield
    context = (host.name, namespace, address, str(pings))
    assert len(pings.answered) > 10 and pings.longest_gap <= GAP, context
    assert len(pings.lost) <= max(GAP, pings.sent / 100), context
