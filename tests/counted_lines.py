"""Judges counts of lines by `ovs-ofctl dump-flows`: which line made a flow, ovs-ofctl's own text of
the flow tells.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from dvr_ryu.pipeline.compile.basis import Basis

OFCTL = ("ovs-ofctl", "-OOpenFlow14", "--no-names")
_PARSED = re.compile(r": ADD (?:table:(\d+) )?(priority=\S+) .*?(actions=.*)")
_DUMPED = re.compile(
    r"cookie=0x6476725f727975, .*? table=(\d+), n_packets=(\d+), n_bytes=(\d+), .*?"
    r"(priority=\S+) (actions=.*)"
)
_TABLE = re.compile(r"table=(\d+), n_packets=(\d+)")

Line = tuple[str, str, str]
"""The labels of a line: its file, its line, its flows' table."""


def lines_by_ovs_ofctl(basis: Basis, run: Callable[..., str], bridge: str) -> dict[Line, list[int]]:
    """Line → packets and bytes that its flows have counted on a bridge. Learned flows are not among
    them. `run` runs a program on the bridge's host; it takes `input`, and returns the output.
    """
    flows = [flow for flow in basis.flows() if flow.location]
    parsed = run(*OFCTL, "parse-flows", "-", input="".join(f"{f.installed()}\n" for f in flows))
    lines: dict[tuple[str, str, str], Line] = {}
    for flow, (table, match, actions) in zip(flows, _PARSED.findall(parsed), strict=True):
        assert flow.location
        labels = Path(flow.location.file).name, str(flow.location.line), table or "0"
        lines.setdefault((table or "0", match, actions), labels)
    counts: dict[Line, list[int]] = {}
    for table, packets, size, match, actions in _DUMPED.findall(run(*OFCTL, "dump-flows", bridge)):
        of = counts.setdefault(lines[table, match, actions], [0, 0])
        of[0] += int(packets)
        of[1] += int(size)
    return counts


def tables_by_ovs_ofctl(run: Callable[..., str], bridge: str) -> Counter[str]:
    """Table → packets that its flows have counted, learned ones too."""
    found: Counter[str] = Counter()
    for table, packets in _TABLE.findall(run(*OFCTL, "dump-flows", bridge)):
        found[table] += int(packets)
    return +found


class Scrape:
    """A scrape's text, read by Prometheus' own client."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._samples = [
            sample for each in text_string_to_metric_families(text) for sample in each.samples
        ]

    @property
    def series(self) -> set[tuple[str, tuple[tuple[str, str], ...]]]:
        """The names and labels of all samples."""
        return {(sample.name, tuple(sorted(sample.labels.items()))) for sample in self._samples}

    def value(self, name: str, **labels: str) -> float:
        """The value of the only sample with this name and these labels."""
        (found,) = self.values(name, **labels).values()
        return found

    def values(self, name: str, **labels: str) -> dict[tuple[str, ...], float]:
        """Labels' values, in the order of the labels' names → value, of samples with this name that
        have these labels.
        """
        return {
            tuple(each.labels.values()): each.value
            for each in self._samples
            if each.name == name and labels.items() <= each.labels.items()
        }

    def lines(self, files: Iterable[str]) -> dict[Line, list[int]]:
        """Line → packets and bytes, of lines of these files that have counted something."""
        packets, sizes = self.values("dvr_line_packets_total"), self.values("dvr_line_bytes_total")
        return {
            (line[0], line[1], line[2]): [int(count), int(sizes[line])]
            for line, count in packets.items()
            if line[0] in files and count
        }
