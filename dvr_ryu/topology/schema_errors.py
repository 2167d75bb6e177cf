"""Plain data → declaration; what the schema refuses, said for people at its place in the file.

The schema is `declaration`'s; pydantic finds the errors, and none of its words gets out of here.
"""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from dvr_ryu.errors import FileError, Place, Problem
from dvr_ryu.topology.declaration import LACKING, WRONG_KEY, TopologyWords
from dvr_ryu.topology.wording import nearest, suggestion
from dvr_ryu.topology.yaml_nodes import Document, Path

_KEY = "[key]"
"""pydantic's last step of the path to a bad key, as opposed to its value."""

EXAMPLES = {
    "hosts": "hosts: {server-1: {address: 10.0.44.1}}",
    "address": "address: 10.0.44.233",
    "cidr": "cidr: 10.10.10.0/24",
    "subnets": "subnets: [{cidr: 10.10.10.0/24}]",
    "interfaces": "interfaces: [{network: blue}]",
    "network": "network: NAME",
    "destination": "destination: 172.16.0.0/16",
    "nexthop": "nexthop: 192.168.10.254",
    "ip": "ip: 192.168.10.50",
    "host": "host: NAME",
    "protocol": "protocol: tcp",
    "external_port": "external_port: 80",
    "instance": "instance: NAME",
    "start": "start: 10.10.10.100",
    "end": "end: 10.10.10.199",
}

_WANTED = {
    "int_type": "a number; write digits without leading zeros, or 0x and hex digits",
    "bool_type": "true or false; write one of the two",
    "list_type": "a list; write [...], or a line with '- ' for each",
    "dict_type": "a mapping; write {key: value}, or an indented line for each key",
    "model_type": "a mapping; write {key: value}, or an indented line for each key",
}


def declare(document: Document) -> TopologyWords:
    """The declaration that the document holds; FileError with all that the schema refuses."""
    try:
        return TopologyWords.model_validate(document.data)
    except ValidationError as error:
        details = error.errors(include_url=False)
    suggested = {
        (*path[:-1], nearest(str(path[-1]), _keys_at(path[:-1])))
        for path in (each["loc"] for each in details if each["type"] == "extra_forbidden")
    }
    # What is missing, but is there misspelt, is said once.
    raise FileError(
        _problem(document, each)
        for each in details
        if each["type"] != "missing" or each["loc"] not in suggested
    )


def _problem(document: Document, error: ErrorDetails) -> Problem:
    path = tuple(error["loc"])
    kind, value = error["type"], error["input"]
    if kind == WRONG_KEY:
        return Problem(document.key((*path, error["ctx"]["field"])), error["ctx"]["message"])
    if kind == LACKING:
        kind, path = "missing", (*path, error["ctx"]["field"])
    if kind == "missing":
        field = str(path[-1])
        message = f"{_called(path[:-1])} has no '{field}'; add it, for example {EXAMPLES[field]}"
        return Problem(document.key(path[:-1]), message)
    if kind == "extra_forbidden":
        message = f"unknown key '{path[-1]}'; {suggestion(str(path[-1]), _keys_at(path[:-1]))}"
        return Problem(document.key(path), message)
    return Problem(_place(document, path), _message(kind, path, value, error))


def _place(document: Document, path: Path) -> Place:
    return document.key(path[:-1]) if path[-1:] == (_KEY,) else document.value(path)


def _message(kind: str, path: Path, value: Any, error: ErrorDetails) -> str:
    if kind == "value_error":
        return f"{_shown(value)} {error['ctx']['error']}"
    if kind == "too_short":
        return f"'{path[-1]}' is empty; it needs at least one: {EXAMPLES[path[-1]]}"
    if kind == "string_type":
        if isinstance(value, bool | int):
            return f"{_shown(value)} is not text to YAML; write it in quotes"
        return f"{_shown(value)} stands where text must; write one word"
    return f"{_shown(value)} is not {_WANTED[kind]}"


def _shown(value: Any) -> str:
    """A value as the file has it, where that is short."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"'{str(value).lower()}'"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return f"'{value}'"


def _called(path: Path) -> str:
    """What people call the object at a path: its name, or its place in a list."""
    if not path:
        return "the topology"
    if isinstance(path[-1], int):
        return f"entry {path[-1] + 1} of {path[-2]}"
    return f"'{path[-1]}'"


def _keys_at(path: Path) -> tuple[str, ...]:
    """The keys that the mapping at a path may have."""
    here: Any = TopologyWords
    for step in path:
        if isinstance(here, type) and issubclass(here, BaseModel):
            here = here.model_fields[step].annotation
        else:
            here = get_args(here)[-1]
    return tuple(here.model_fields)
