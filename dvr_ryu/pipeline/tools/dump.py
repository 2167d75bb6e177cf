"""Turns the output of `ovs-ofctl dump-flows` into flow lines that ovs-ofctl reads again: sorted,
without counters and ages, under the names of their tables.

The tokens of a flow stay as ovs-ofctl printed them, so ovs-ofctl reads the same flow.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from attrs import field, frozen

from dvr_ryu.errors import FileError, Location, Problem
from dvr_ryu.pipeline.language.flow_file import LineError
from dvr_ryu.pipeline.language.pipeline import Table
from dvr_ryu.pipeline.language.settings import COUNTED, FLAGS, NUMBERS
from dvr_ryu.pipeline.language.syntax import ACTIONS, DEFAULT_PRIORITY
from dvr_ryu.pipeline.language.tokens import split_tokens

_NAME = re.compile(r"[a-z][a-z0-9_]*(?:\[[0-9.]*\])?")
_NOT_OF_A_DUMP = {
    "table_id": "ovs-appctl bridge/dump-flows prints this",
    "event": "ovs-ofctl monitor prints this",
}
"""Settings that other programs print, and a dump never has."""
_HEADER = re.compile(r"(NXST|OFPST)_FLOW reply\b")


@frozen(order=True)
class _Dumped:
    """A flow of a dump. Flows sort by table, then by decreasing priority."""

    table: int
    falling_priority: int
    text: str
    settings: tuple[str, ...] = field(order=False)

    def __str__(self) -> str:
        return ",".join([*self.settings, self.text])


def clean(text: str, file: str, tables: Iterable[Table] = ()) -> Iterator[str]:
    """The flows of a dump, sorted, each once. A comment with the table's name stands above its
    flows, if the table is one of `tables`. Comments and the dump's header are left out.

    Raises FileError with the location of every other line that is no flow; `file` is the dump's
    name.
    """
    flows: set[_Dumped] = set()
    problems: list[Problem] = []
    for number, source in enumerate(text.splitlines(), 1):
        content = source.strip()
        if not content or content.startswith("#") or _HEADER.match(content):
            continue
        try:
            flows.add(_read(content))
        except LineError as wrong:
            column = source.index(content) + wrong.offset + 1
            problems.append(Problem(Location(file, number, column, source), wrong.message))
    if problems:
        raise FileError(problems)
    known = {table.number: table for table in tables}
    for number, group in groupby(sorted(flows), key=lambda flow: flow.table):
        if number in known:
            yield f"# Table {number}, {known[number].name}: {known[number].sentence}"
        yield from map(str, group)


def _read(content: str) -> _Dumped:
    found = ACTIONS.search(content)
    if not found:
        raise LineError(0, "this line is no flow: a line of a dump has actions=…")
    tokens = [
        _checked(*token) for token in split_tokens(content[: found.start()], 0, separators=", \t")
    ]
    actions = content[found.end() :]
    named = {token.partition("=")[0]: token for token in tokens}
    table, priority = _number(named, "table", 0), _number(named, "priority", DEFAULT_PRIORITY)
    matches = [
        token
        for name, token in named.items()
        if name not in {"table", "priority", *COUNTED, *NUMBERS, *FLAGS}
    ]
    settings = [
        token
        for name, token in named.items()
        if name in {*NUMBERS, *FLAGS} and token != "cookie=0x0"
    ]
    head = ",".join([f"table={table}", f"priority={priority}", *matches])
    return _Dumped(table, -priority, f"{head} actions={actions}", tuple(settings))


def _checked(token: str, at: int) -> str:
    """The token, if a dump may have it. Its meaning is not checked."""
    name = token.partition("=")[0]
    why = _NOT_OF_A_DUMP.get(name)
    if not why and not _NAME.fullmatch(name):
        why = f"'{name}' is no part of a flow"
    if why:
        raise LineError(at, f"{why}; give what `ovs-ofctl dump-flows` prints, as it is")
    return token


def _number(named: Mapping[str, str], name: str, default: int) -> int:
    value = named.get(name, f"{name}={default}").partition("=")[2]
    if not re.fullmatch("[0-9]{1,5}", value):
        raise LineError(0, f"the {name} of this flow is not a number; dump it with --no-names")
    return int(value)
