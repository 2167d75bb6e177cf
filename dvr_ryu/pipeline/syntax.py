"""Reads a flow file: tables, `each` blocks and flow lines, into a Pipeline. All problems are found
at once.

The only structure of the language is here; the words within a line are `words`' business.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from dvr_ryu.errors import DvrError, FileError, Problem
from dvr_ryu.pipeline.flow import Flow
from dvr_ryu.pipeline.source import Line, Wrong, logical_lines
from dvr_ryu.pipeline.words import WordReader, did_you_mean
from dvr_ryu.topology.relations import RELATIONS

DEFAULT_PRIORITY = 0x8000
"""What OpenFlow and ovs-ofctl give a flow whose priority nobody named."""

_TABLE = re.compile(
    r'table\s+(?P<number>\d+)\s+(?P<name>[A-Z][A-Z0-9_]*)(?:\s+"(?P<sentence>[^"]*)")?'
)
_EACH = re.compile(r"each\s+(?P<relation>\w+)\s*:")
_ACTIONS = re.compile(r"[\s,]*\bactions=")


@frozen
class Block:
    """Flows that are repeated for each row of a relation; without a relation, they are there
    once.
    """

    relation: str | None
    flows: tuple[Flow, ...]


@frozen
class Table:
    """One table: what it decides, and its flows."""

    number: int
    name: str
    sentence: str
    blocks: tuple[Block, ...]


@frozen
class Pipeline:
    """How one bridge forwards. The bridge's name is the file's."""

    bridge: str
    file: str
    tables: tuple[Table, ...]

    def flows(self) -> Iterator[tuple[str | None, Flow]]:
        """Every flow line, with the relation of its block."""
        for table in self.tables:
            for block in table.blocks:
                for flow in block.flows:
                    yield block.relation, flow


def read_pipeline(path: Path) -> Pipeline:
    """Read and parse a flow file.

    Raises FileError with every problem that was found, or DvrError if the file cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DvrError(f"{path}: cannot read the flows: {error}") from None
    return parse_pipeline(text, str(path), path.stem)


def parse_pipeline(text: str, file: str, bridge: str) -> Pipeline:
    """Parse the text of a flow file; `file` is what places are named after. Raises FileError."""
    return _Parser(file, bridge).parse(list(logical_lines(text, file)))


class _Parser:
    """Goes through the lines once, after the names of the tables are known."""

    def __init__(self, file: str, bridge: str) -> None:
        self.file = file
        self.bridge = bridge
        self.problems: list[Problem] = []
        self.numbers: dict[str, int] = {}

    def parse(self, lines: list[Line]) -> Pipeline:
        self._name_tables(lines)
        starts = [at for at, line in enumerate(lines) if line.text.startswith("table ")]
        for line in lines[: starts[0] if starts else None]:
            self._wrong(line, Wrong(0, 'a table comes first: table 0 LOCAL_SWITCHING "…"'))
        ends = [*starts[1:], len(lines)]
        tables = tuple(
            self._table(lines[start], lines[start + 1 : end])
            for start, end in zip(starts, ends, strict=True)
        )
        if not lines:
            raise DvrError(
                f"{self.file}: no table in this file; the shipped flows/ shows what one looks like"
            )
        if self.problems:
            raise FileError(self.problems)
        return Pipeline(self.bridge, self.file, tables)

    def _wrong(self, line: Line, wrong: Wrong) -> None:
        self.problems.append(line.problem(wrong))

    def _name_tables(self, lines: list[Line]) -> None:
        for line in lines:
            found = _TABLE.fullmatch(line.text)
            if not found:
                continue
            number, name = int(found["number"]), found["name"]
            if number > 254:
                self._wrong(line, Wrong(found.start("number"), "a table's number is 0 to 254"))
            if name in self.numbers:
                self._wrong(line, Wrong(found.start("name"), f"there is a table {name} already"))
            elif number in self.numbers.values():
                self._wrong(
                    line, Wrong(found.start("number"), f"there is a table {number} already")
                )
            self.numbers.setdefault(name, number)

    def _table(self, head: Line, lines: list[Line]) -> Table:
        found = _TABLE.fullmatch(head.text)
        if not found:
            self._wrong(
                head, Wrong(6, 'write a table as: table 20 UCAST_TO_TUN "What it decides."')
            )
            return Table(0, "", "", ())
        number = int(found["number"])
        blocks = tuple(self._blocks(number, lines))
        return Table(number, found["name"], found["sentence"] or "", blocks)

    def _blocks(self, table: int, lines: list[Line]) -> Iterator[Block]:
        relation: str | None = None
        indent = 0
        flows: list[Flow] = []
        for line in lines:
            each = _EACH.fullmatch(line.text)
            ends = each or (relation is not None and line.indent <= indent)
            if ends:
                if flows:
                    yield Block(relation, tuple(flows))
                relation, flows = None, []
            if each:
                relation, indent = self._relation(line, each), line.indent
            elif flow := self._flow(table, relation, line):
                flows.append(flow)
        if flows:
            yield Block(relation, tuple(flows))

    def _relation(self, line: Line, each: re.Match[str]) -> str | None:
        name = each["relation"]
        if name in RELATIONS:
            return name
        hint = did_you_mean(name, RELATIONS) or f"; there are {', '.join(RELATIONS)}"
        self._wrong(line, Wrong(each.start("relation"), f"no relation '{name}'{hint}"))
        return next(iter(RELATIONS))

    def _flow(self, table: int, relation: str | None, line: Line) -> Flow | None:
        reader = WordReader(self.numbers, table, relation)
        try:
            return _read_flow(reader, table, line)
        except Wrong as wrong:
            self._wrong(line, wrong)
            return None


def _read_flow(reader: WordReader, table: int, line: Line) -> Flow:
    text = line.text
    if text.startswith("miss:"):
        actions, goto = reader.actions(text[5:], 5)
        return Flow(table, 0, (), actions, goto, _sentence(line), line.place(0))
    found = _ACTIONS.search(text)
    if not found:
        raise Wrong(
            len(text), "a flow needs actions=…; write actions=drop where nothing shall happen"
        )
    priority, matches = reader.match(text[: found.start()], 0)
    tagged = any(each.field.name == "dl_vlan" for each in matches)
    actions, goto = reader.actions(text[found.end() :], found.end(), tagged)
    return Flow(
        table,
        DEFAULT_PRIORITY if priority is None else priority,
        tuple(matches),
        actions,
        goto,
        _sentence(line),
        line.place(0),
    )


def _sentence(line: Line) -> str:
    return " ".join(line.comments)
