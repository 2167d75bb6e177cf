"""Mutations of the shipped flows, by a seed: a line removed, a goto changed, priorities swapped."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from attrs import frozen

from dvr_ryu.errors import DvrError
from dvr_ryu.pipeline.compile.pipelines import Pipelines
from dvr_ryu.pipeline.language.flow_file import Line, logical_lines
from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.shipped import flows_dir
from dvr_ryu.topology.topology import Topology


@frozen
class Mutation:
    """A folder of flows with one mistake."""

    what: str
    folder: Path
    pipelines: Pipelines


def mutations(topology: Topology, folder: Path, seed: int) -> Iterator[Mutation]:
    """Mutations without end that the checks of flows/ accept, each in a folder of its own."""
    chance, number = random.Random(seed), 0
    while True:
        bridge = chance.choice(["br-tun", "br-int", "br-int"])
        text = (flows_dir() / f"{bridge}.flows").read_text()
        kind = chance.choice([_removed, _diverted, _swapped])
        what, mutated = kind(text, chance)
        if mutated == text:
            continue
        number += 1
        target = folder / str(number)
        shutil.copytree(flows_dir(), target, ignore=lambda *_: ["experiments"])
        (target / f"{bridge}.flows").write_text(mutated)
        with suppress(DvrError):
            pipelines = load_pipelines(target)
            pipelines.require_fit(topology)
            yield Mutation(f"{bridge}: {what}", target, pipelines)


def _lines(text: str) -> list[tuple[Line, int, int]]:
    """The flow lines, each with its first and last line of the text, from 0."""
    found = []
    for line in logical_lines(text, "flows"):
        if "actions=" in line.text:
            found.append((line, line.pieces[0].line - 1, line.pieces[-1].line - 1))
    return found


def _removed(text: str, chance: random.Random) -> tuple[str, str]:
    line, first, last = chance.choice(_lines(text))
    rows = text.split("\n")
    return f"without line {first + 1}: {line.text}", "\n".join(rows[:first] + rows[last + 1 :])


def _diverted(text: str, chance: random.Random) -> tuple[str, str]:
    tables = re.findall(r"^table \d+ (\w+)", text, re.M)
    goto = chance.choice([*re.finditer(r"goto_table:(\w+)", text)])
    target = chance.choice(tables)
    line = text.count("\n", 0, goto.start()) + 1
    what = f"line {line} goes to {target}, not {goto[1]}"
    return what, text[: goto.start(1)] + target + text[goto.end(1) :]


def _swapped(text: str, chance: random.Random) -> tuple[str, str]:
    """Swap the priorities of two lines of one table."""
    starts = [found.start() for found in re.finditer(r"^table ", text, re.M)] + [len(text)]
    at = chance.randrange(len(starts) - 1)
    table = text[starts[at] : starts[at + 1]]
    priorities = [*re.finditer(r"priority=(\d+)", table)]
    if len({each[1] for each in priorities}) < 2:
        return "", text
    one, other = sorted(chance.sample(priorities, 2), key=lambda each: each.start())
    swapped = (
        table[: one.start(1)] + other[1] + table[one.end(1) : other.start(1)]
        + one[1] + table[other.end(1) :]
    )  # fmt: skip
    line = text.count("\n", 0, starts[at] + one.start()) + 1
    further = text.count("\n", 0, starts[at] + other.start()) + 1
    what = f"lines {line} and {further} have each other's priorities {one[1]} and {other[1]}"
    return what, text[: starts[at]] + swapped + text[starts[at + 1] :]
