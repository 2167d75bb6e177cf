"""Parses a flow file, with its tables, `each` blocks and flow lines, into a Pipeline. Reports all
problems at once.

This module knows the structure of a file. `match` and `actions` parse the parts of a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from attrs import evolve

from dvr_ryu.errors import DvrError, FileError, Problem
from dvr_ryu.pipeline.language.actions import read_actions
from dvr_ryu.pipeline.language.flow import Flow
from dvr_ryu.pipeline.language.flow_file import Line, LineError, logical_lines
from dvr_ryu.pipeline.language.match import read_match
from dvr_ryu.pipeline.language.pipeline import Block, Pipeline, Table
from dvr_ryu.pipeline.language.scope import Scope
from dvr_ryu.pipeline.language.suggestions import did_you_mean, nearest
from dvr_ryu.topology.relations import RELATIONS
from dvr_ryu.topology.spec.text_file import read_text

LAST_TABLE = 253
"""Open vSwitch reserves table 254, OpenFlow's last, for itself."""
DEFAULT_PRIORITY = 0x8000
"""The priority that OpenFlow and ovs-ofctl give a flow without a named one."""

_TABLE = re.compile(
    r"table\b(?!=)(?:\s+(?P<number>[0-9]{1,9})\b(?:\s+(?P<name>[A-Z][A-Z0-9_]*)\b"
    r'(?:\s+"(?P<sentence>[^"]*)")?)?)?\s*'
)
_EACH = re.compile(r"each\b(?:\s+(?P<relation>\w+)\s*(?P<colon>:\s*)?)?")
_MISS = re.compile(r"miss\s*:")
_TABLE_SETTING = re.compile(r"^(?:(?!\bactions?=).)*?\btable[=:(]([0-9]{1,9})\b")
"""`_TABLE` and `_EACH` match the right beginning of a line: a mistake begins at their end."""

ACTIONS = re.compile(r"[\s,]*\bactions?=")
"""The separator between a flow's match and its actions."""


def read_pipeline(path: Path) -> Pipeline:
    """Read and parse a flow file.

    Raises FileError with every problem that was found, or DvrError if the file cannot be read.
    """
    return parse_pipeline(read_text(path), str(path), path.stem)


def parse_pipeline(text: str, file: str, bridge: str) -> Pipeline:
    """Parse the text of a flow file; `file` is its name in messages. Raises FileError."""
    pipeline = _Parser(file, bridge).parse(list(logical_lines(text, file)))
    return evolve(pipeline, text=text)


def parse_flow(text: str, file: str = "flow") -> Flow:
    """Parse one line as `ovs-ofctl add-flow` takes it: with table=N or in table 0, and with any
    number as a table. Raises DvrError.
    """
    lines = list(logical_lines(text, file))
    if len(lines) != 1:
        raise DvrError(f"{file}: a flow is one line, not {len(lines)}")
    (line,) = lines
    table = int((_TABLE_SETTING.search(line.text) or ["0", "0"])[1])
    scope = Scope({str(number): number for number in range(LAST_TABLE + 1)}, table, None)
    try:
        return _read_flow(scope, table, line)
    except LineError as wrong:
        raise FileError([line.problem(wrong)]) from None


class _Parser:
    """Parses the lines once it knows the names of the tables."""

    def __init__(self, file: str, bridge: str) -> None:
        self.file = file
        self.bridge = bridge
        self.problems: list[Problem] = []
        self.numbers: dict[str, int] = {}

    def parse(self, lines: list[Line]) -> Pipeline:
        self._name_tables(lines)
        if not lines:
            raise DvrError(
                f"{self.file}: no table in this file; the shipped flows/ show how to write one"
            )
        starts = [at for at, line in enumerate(lines) if _TABLE.match(line.text)]
        for line in lines[: starts[0] if starts else None]:
            self._wrong(
                line,
                LineError(
                    0, 'a flow stands below a table: write table 0 LOCAL_SWITCHING "…" first'
                ),
            )
        ends = [*starts[1:], len(lines)]
        tables = tuple(
            self._table(lines[start], lines[start + 1 : end])
            for start, end in zip(starts, ends, strict=False)
        )
        if self.problems:
            raise FileError(self.problems)
        return Pipeline(self.bridge, self.file, tables)

    def _wrong(self, line: Line, wrong: LineError) -> None:
        self.problems.append(line.problem(wrong))

    def _name_tables(self, lines: list[Line]) -> None:
        for line in lines:
            found = _TABLE.match(line.text)
            if not found or not found["name"]:
                continue
            number, name = int(found["number"]), found["name"]
            if number > LAST_TABLE:
                self._wrong(
                    line,
                    LineError(
                        found.start("number"),
                        "a table's number is 0 to 253; 254 is Open vSwitch's own",
                    ),
                )
            if name in self.numbers:
                self._wrong(
                    line, LineError(found.start("name"), f"there is a table {name} already")
                )
            elif number in self.numbers.values():
                self._wrong(
                    line, LineError(found.start("number"), f"there is a table {number} already")
                )
            self.numbers.setdefault(name, number)

    def _table(self, head: Line, lines: list[Line]) -> Table:
        found = _TABLE.match(head.text)
        assert found
        if not found["name"] or found.end() < len(head.text):
            notation = 'write a table as: table 20 UCAST_TO_TUN "What it decides."'
            self._wrong(head, LineError(found.end(), notation))
        number = int(found["number"] or 0)
        blocks = tuple(self._blocks(number, lines))
        location = head.location(max(found.start("name"), 0))
        return Table(number, found["name"] or "", found["sentence"] or "", blocks, location)

    def _blocks(self, table: int, lines: list[Line]) -> Iterator[Block]:
        outer: Line | None = None
        for head, body in _grouped(lines):
            if head and outer and head.indent > outer.indent:
                self._wrong(head, LineError(0, "blocks do not nest: one row fills a flow"))
            outer = head
            relation = self._relation(head) if head else None
            if head and not relation:
                continue  # Without a relation, its holes cannot be checked.
            flows = tuple(flow for line in body if (flow := self._flow(table, relation, line)))
            if flows:
                yield Block(relation, flows)

    def _relation(self, head: Line) -> str | None:
        """The block's relation; for a misspelt one, the nearest, or None."""
        each = _EACH.match(head.text)
        assert each
        name = each["relation"] or ""
        near = nearest(name, RELATIONS)
        if not name or not each["colon"] or each.end() < len(head.text):
            self._wrong(head, LineError(each.end(), "write a block as: each tunnel:"))
        elif name not in RELATIONS:
            hint = did_you_mean(name, RELATIONS) or f"; there are {', '.join(RELATIONS)}"
            self._wrong(head, LineError(each.start("relation"), f"no relation '{name}'{hint}"))
        return near

    def _flow(self, table: int, relation: str | None, line: Line) -> Flow | None:
        scope = Scope(self.numbers, table, relation, self.bridge)
        try:
            return _read_flow(scope, table, line)
        except LineError as wrong:
            self._wrong(line, wrong)
            return None


def _grouped(lines: list[Line]) -> Iterator[tuple[Line | None, list[Line]]]:
    """A table's lines in blocks: the line that opens the block, and the lines in it. Lines outside
    of any block have None for the opening line.
    """
    head: Line | None = None
    body: list[Line] = []
    for line in lines:
        opens = bool(_EACH.match(line.text))
        if opens or (head and line.indent <= head.indent):
            yield head, body
            head, body = line if opens else None, []
        if not opens:
            body.append(line)
    yield head, body


def _read_flow(scope: Scope, table: int, line: Line) -> Flow:
    text = line.text
    if miss := _MISS.match(text):
        actions, goto = read_actions(scope, text[miss.end() :], miss.end())
        return Flow(
            table, 0, (), actions, goto, sentence=_sentence(line), location=line.location(0)
        )
    found = ACTIONS.search(text)
    if not found:
        raise LineError(
            len(text),
            "a flow needs actions=…: write actions=drop to drop packets, "
            "or miss: drop for packets that no other flow matches",
        )
    head = read_match(scope, text[: found.start()], 0)
    actions, goto = read_actions(scope, text[found.end() :], found.end(), head.matches)
    return Flow(
        table,
        DEFAULT_PRIORITY if head.priority is None else head.priority,
        head.matches,
        actions,
        goto,
        head.settings,
        _sentence(line),
        line.location(0),
    )


def _sentence(line: Line) -> str:
    return " ".join(line.comments)
