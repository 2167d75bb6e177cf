"""OVSDB's protocol (RFC 7047) over its local socket: transactions, and values in their JSON.

Python's own JSON reads a host's ports in milliseconds; the ovs library, whose parser is written in
Python and which copies the database row by row, takes longer than all else that a companion does.
It knows nothing of bridges.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from threading import Lock
from typing import Any, TypeAlias

Row: TypeAlias = "dict[str, Any]"
"""A row's columns; sets are lists, maps are dicts, and a row's number is its UUID's text."""
Operation: TypeAlias = "dict[str, Any]"
Clause: TypeAlias = "tuple[str, str, Any]"
"""A column, how it compares ("==", "!=", "<" ...), and with what."""

TIMED_OUT = "timed out"
"""The reason of a transaction that is refused because it had to wait for too long."""

_BUFFER = 1 << 18
_DECODER = json.JSONDecoder()


class Refused(Exception):
    """OVSDB did not take a transaction; `reason` is its word for why, such as "timed out"."""

    def __init__(self, reason: str, details: str) -> None:
        super().__init__(f"{reason}: {details}" if details else reason)
        self.reason = reason


class Session:
    """A connection to a database. One transaction at a time; threads wait for one another."""

    def __init__(self, path: str, database: str, seconds: float | None) -> None:
        """Raise OSError if nobody answers there. No answer may take longer than `seconds`."""
        self._database = database
        self._lock = Lock()
        self._unread: list[Any] = []
        self._wire = socket.socket(socket.AF_UNIX)
        self._wire.settimeout(seconds)
        try:
            self._wire.connect(path)
        except OSError:
            self._wire.close()
            raise

    def close(self) -> None:
        """End the connection."""
        self._wire.close()

    def transact(self, *operations: Operation) -> list[list[Row]]:
        """Do operations, all or none; return the rows that each selected.

        Raise Refused if OVSDB does not take one, OSError if the connection is lost.
        """
        request = {"method": "transact", "params": [self._database, *operations], "id": 0}
        with self._lock:
            self._wire.sendall(json.dumps(request).encode())
            answer = self._answer()
        if answer["error"]:
            raise Refused(json.dumps(answer["error"]), "")
        for result in answer["result"]:
            if result and "error" in result:
                raise Refused(result["error"], result.get("details", ""))
        return [list(map(_row, result.get("rows", ()))) for result in answer["result"]]

    def watch(self, tables: Mapping[str, Sequence[str]]) -> Iterator[None]:
        """Yield once, and then whenever a row of these tables comes, goes, or changes in one of
        these columns.

        Raise OSError once the connection is lost. The session is good for nothing else meanwhile.
        """
        asked = {table: {"columns": list(columns)} for table, columns in tables.items()}
        request = {"method": "monitor", "params": [self._database, None, asked], "id": 0}
        self._wire.sendall(json.dumps(request).encode())
        while True:
            self._answer()
            yield

    def _answer(self) -> Any:
        """Return the next message that is no question of the server whether we are there."""
        while True:
            while not self._unread:
                self._unread = self._receive()
            message = self._unread.pop(0)
            if message.get("method") != "echo":
                return message
            reply = {"result": message["params"], "error": None, "id": message["id"]}
            self._wire.sendall(json.dumps(reply).encode())

    def _receive(self) -> list[Any]:
        """Wait for messages, and return as many as are there when the last of them is whole."""
        received = bytearray()
        while True:
            data = self._wire.recv(_BUFFER)
            if not data:
                raise ConnectionResetError("OVSDB ended the connection")
            received += data
            # A message ends with a brace; until it is whole it cannot be read.
            if received.endswith(b"}"):
                with suppress(ValueError):
                    return _split(received.decode())


def _split(text: str) -> list[Any]:
    """The messages that follow one another in a text; raise ValueError if the last is not whole."""
    messages, place = [], 0
    while place < len(text):
        message, place = _DECODER.raw_decode(text, place)
        messages.append(message)
    return messages


# Operations ---------------------------------------------------------------------------------------


def select(table: str, columns: Sequence[str] | None = None, *where: Clause) -> Operation:
    """Ask for the rows to which all of `where` applies; for all columns if none are named."""
    asked = {} if columns is None else {"columns": ["_uuid", *columns]}
    return {"op": "select", "table": table, "where": _where(where), **asked}


def insert(table: str, name: str, row: Mapping[str, Any]) -> Operation:
    """Add a row, which other operations know as `Named(name)`."""
    return {"op": "insert", "table": table, "uuid-name": name, "row": _values(row)}


def update(table: str, row: Mapping[str, Any], *where: Clause) -> Operation:
    """Change columns of rows."""
    return {"op": "update", "table": table, "where": _where(where), "row": _values(row)}


def mutate(table: str, column: str, mutator: str, value: Any, *where: Clause) -> Operation:
    """Change a column by what it is: "insert" into a set, "delete" from it, "+=" a number."""
    mutations = [[column, mutator, value_of(value)]]
    return {"op": "mutate", "table": table, "where": _where(where), "mutations": mutations}


def wait_until_none(table: str, where: Clause, seconds: float) -> Operation:
    """Wait until `where` applies to no row; else the transaction is refused as TIMED_OUT."""
    column, *_ = where
    return {
        "op": "wait",
        "timeout": int(seconds * 1000),
        "table": table,
        "where": _where([where]),
        "columns": [column],
        "until": "==",
        "rows": [],
    }


class Reference(str):
    """A row in a column of another: by its UUID, or the name that an insert of the same
    transaction gave it."""

    kind = "uuid"


class Named(Reference):
    """A row that the same transaction inserts."""

    kind = "named-uuid"


def value_of(value: Any) -> Any:
    """A value in OVSDB's JSON."""
    if isinstance(value, Reference):
        return [value.kind, str(value)]
    if isinstance(value, Mapping):
        return ["map", [[key, value_of(each)] for key, each in value.items()]]
    if isinstance(value, (list, tuple)):
        return ["set", [value_of(each) for each in value]]
    return value


def _where(clauses: Iterable[Clause]) -> list[list[Any]]:
    return [[column, function, value_of(value)] for column, function, value in clauses]


def _values(row: Mapping[str, Any]) -> Row:
    return {column: value_of(value) for column, value in row.items()}


def _row(row: Mapping[str, Any]) -> Row:
    return {column: _read(value) for column, value in row.items()}


def _read(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    kind, content = value
    if kind == "map":
        return {key: _read(each) for key, each in content}
    if kind == "set":
        return [_read(each) for each in content]
    return Reference(content)


def as_list(value: Any) -> list[Any]:
    """A set's members: OVSDB writes a set of one as that one."""
    return value if isinstance(value, list) else [value]
