"""A bridge's pipeline as a document: each line of flows/ with what its flows have counted. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from dvr_ryu.pipeline.compile.line_counts import LineCount
from dvr_ryu.pipeline.language.flow import Flow
from dvr_ryu.pipeline.language.pipeline import Pipeline, Table

Document = dict[str, Any]


def tables(pipeline: Pipeline, counts: Iterable[LineCount]) -> list[Document]:
    """The tables in their order, each with its lines, and with the flows that it has learned."""
    of_line: dict[int, LineCount] = {}
    learned: dict[int, list[LineCount]] = {}
    for count in counts:
        # The first count of a line is its own; others are of flows that it learns.
        if of_line.setdefault(id(count.flow), count) is not count:
            learned.setdefault(count.table, []).append(count)
    source = pipeline.text.splitlines()
    return [
        _table(table, source, of_line, learned.get(table.number, ())) for table in pipeline.tables
    ]


def _table(
    table: Table,
    source: Sequence[str],
    counts: Mapping[int, LineCount],
    learned: Iterable[LineCount],
) -> Document:
    lines = [
        _line(flow, relation, source, counts.get(id(flow)))
        for relation, flow in table.flows_with_relations()
    ]
    return {
        "number": table.number,
        "name": table.name,
        "sentence": table.sentence,
        "lines": [*lines, *(_learned(count) for count in learned)],
    }


def _line(
    flow: Flow, relation: str | None, source: Sequence[str], count: LineCount | None
) -> Document:
    return {
        **_location(flow),
        "each": relation,
        "source": "\n".join(_written(flow, source)),
        "sentence": flow.sentence,
        "priority": flow.priority,
        "drops": flow.drops,
        "learned": False,
        "packets": count.packets if count else 0,
        "bytes": count.bytes if count else 0,
    }


def _learned(count: LineCount) -> Document:
    return {
        **_location(count.flow),
        "each": None,
        "source": "",
        "sentence": "Flows that the bridge has learned by this line.",
        "priority": None,
        "drops": False,
        "learned": True,
        "packets": count.packets,
        "bytes": count.bytes,
    }


def _location(flow: Flow) -> Document:
    location = flow.location
    return {
        "file": PurePath(location.file).name if location else None,
        "line": location.line if location else None,
    }


def _written(flow: Flow, source: Sequence[str]) -> Iterator[str]:
    """The lines of the file on which a flow is written, without their common indent."""
    if flow.location is None:
        return
    at = flow.location.line - 1
    indent = len(source[at]) - len(source[at].lstrip()) if at < len(source) else 0
    while at < len(source):
        line = source[at]
        yield line[indent:].rstrip() if not line[:indent].strip() else line.strip()
        if not line.rstrip().endswith("\\"):
            return
        at += 1
