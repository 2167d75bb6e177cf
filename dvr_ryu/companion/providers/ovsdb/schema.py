"""The tables and columns of Open vSwitch's database that the companion replicates. Their types are
the server's.
"""

from __future__ import annotations

import errno
import os
from typing import Any

from dvr_ryu.companion.providers.ovsdb.library import Deadline, idl, jsonrpc, stream
from dvr_ryu.companion.providers.ovsdb.rows import (
    BRIDGE_COLUMNS,
    CONTROLLER_COLUMNS,
    INTERFACE_COLUMNS,
    PORT_COLUMNS,
    TLS_COLUMNS,
)
from dvr_ryu.errors import HostError

DATABASE = SWITCH = "Open_vSwitch"
"""The database, and its table that has one row, for Open vSwitch as a whole."""

WATCHED = {
    "Bridge": BRIDGE_COLUMNS,
    "Controller": CONTROLLER_COLUMNS,
    SWITCH: ("ssl",),
    "Port": PORT_COLUMNS,
    "SSL": TLS_COLUMNS,
    "Interface": (*INTERFACE_COLUMNS, "ifindex"),
}
"""Table → columns. If one changes, there may be something to repair. An interface with another
ifindex has another device."""
UNWATCHED = {
    "Controller": ("external_ids", "is_connected", "status"),
    SWITCH: ("bridges", "cur_cfg", "next_cfg", "ovs_version"),
    "Interface": ("error", "ofport"),
}
"""Further columns."""
WHOLE = "SSL"
"""A table with all columns replicated: foreign rows are noted, and restored unchanged.
"""


def schema_helper(path: str, deadline: Deadline) -> Any:
    """The tables and columns that `ovs.db.idl` replicates from the server at a socket.

    Raise OSError if that does not answer, HostError if it lacks a column.
    """
    schema = _get_schema(path, deadline)
    helper = idl.SchemaHelper(schema_json=schema)
    for table, watched in WATCHED.items():
        columns = [*watched, *UNWATCHED.get(table, ())]
        present = schema["tables"].get(table, {}).get("columns", {})
        if lacking := [column for column in columns if column not in present]:
            raise HostError(
                f"this Open vSwitch is too old: table {table} of its database has no column "
                f"{lacking[0]}; install a later one"
            )
        if table == WHOLE:
            helper.register_table(table)
        else:
            helper.register_columns(table, columns)
    return helper


def _get_schema(path: str, deadline: Deadline) -> dict[str, Any]:
    """The schema in OVSDB's JSON."""
    wrong, connected = stream.Stream.open_block(stream.Stream.open(f"unix:{path}"))
    if wrong:
        raise OSError(wrong, os.strerror(wrong), path)
    connection = jsonrpc.Connection(connected)
    try:
        wrong = connection.send(jsonrpc.Message.create_request("get_schema", [DATABASE]))
        while not wrong:
            wrong, reply = connection.recv()
            if reply and reply.type == jsonrpc.Message.T_REPLY:
                schema: dict[str, Any] = reply.result
                return schema
            if wrong == errno.EAGAIN:
                deadline.wait(connection.wait, connection.recv_wait)
                wrong = connection.run()
        raise ConnectionResetError("OVSDB ended the connection")
    finally:
        connection.close()
