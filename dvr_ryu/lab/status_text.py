"""Prints a status as tables for people. Pure: it takes the document that `status` puts together."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from rich.console import Group, RenderableType
from rich.text import Text

from dvr_ryu.errors import printable
from dvr_ryu.tables import table
from dvr_ryu.web.status import Document


def render(found: Document) -> RenderableType:
    """Tables of the status for people."""
    hosts = table(
        ("host", "address", "in sync", "companion", "since", "error"),
        map(_host_row, found["hosts"]),
    )
    parts: list[RenderableType] = [hosts]
    if found["bridges"]:
        columns = ("bridge", "state", "since", "flows", "peer", "last error")
        parts += ["", table(columns, map(_bridge_row, found["bridges"]))]
    return Group(*(Text(printable(line)) for line in _controller_lines(found)), "", *parts)


def _controller_lines(found: Document) -> Iterator[str]:
    controller = found["controller"]
    if controller is None:
        yield "controller: none on this machine"
        return
    edits = controller["edits"]
    yield f"controller at {controller['listens']} since {_local(controller['started'])}"
    yield f"topology {controller['topology']}, flows {controller['flows']}"
    yield (
        f"in force since {_local(controller['since'])}; "
        f"{edits['applied']} edits applied, {edits['refused']} refused"
    )
    for each in controller["moving"]:
        yield f"{each['instance']} is still on {each['host']}"
    for each in controller["plugged"]:
        where = (
            f"plugged in on {' and '.join(each['hosts'])}" if each["hosts"] else "not plugged in"
        )
        yield f"{each['instance']} is {where}"
    if error := controller["error"]:
        yield f"the last save is not in force ({_local(error['time'])}):"
        yield from error["text"].splitlines()


def _host_row(host: Document) -> tuple[str, ...]:
    known = host["companion"] or {"state": "", "since": None, "error": None}
    return (
        host["name"],
        host["address"] or "",
        "yes" if host["in_sync"] else "no",
        known["state"],
        _local(known["since"]),
        known["error"] or "",
    )


def _bridge_row(bridge: Document) -> tuple[str, ...]:
    error = bridge["last_error"]
    return (
        f"{bridge['host']}/{bridge['bridge']}",
        _state_of(bridge),
        _local(bridge["in_sync_since"] or bridge["since"]),
        str(bridge["flows"]),
        bridge["peer"] or "",
        f"{_local(error['time'])} {error['text']}" if error else "",
    )


def _state_of(bridge: Document) -> str:
    """The state of a bridge in a word or two."""
    if not bridge["connected"]:
        return "not connected"
    if bridge["refused"]:
        return "refuses its flows"
    return "in sync" if bridge["in_sync"] else "being changed"


def _local(time: str | None) -> str:
    """A time of a document as a local one, to the second."""
    if time is None:
        return ""
    moment = datetime.fromisoformat(time.replace("Z", "+00:00")).astimezone()
    return moment.strftime("%Y-%m-%d %H:%M:%S")
