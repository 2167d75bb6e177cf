"""Turn plain data into a declaration; report the schema's errors with their file locations.

The schema is `declaration`'s. Voluptuous finds errors; none of its messages leaves this module.
"""

from __future__ import annotations

from typing import Any

from attrs import frozen
from voluptuous import Invalid, MultipleInvalid, RequiredFieldInvalid, Schema

from dvr_ryu.errors import Problem
from dvr_ryu.topology.spec.declaration import TopologySpec
from dvr_ryu.topology.spec.schema import Empty, UnknownKey, WrongKey, schema
from dvr_ryu.topology.spec.yaml_nodes import Document, Path

_TOPOLOGY = Schema(schema(TopologySpec))

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
    "from": "from: cirros",
    "to": "to: outside",
}


@frozen
class Declared:
    """The readable part of a document, and the problems of the rest."""

    spec: TopologySpec | None
    """Without the objects that have problems; None if no topology is left."""
    problems: tuple[Problem, ...] = ()
    unread: frozenset[str] = frozenset()
    """The sections of the file that `spec` do not have whole."""


def declare(document: Document) -> Declared:
    """The document's declaration, as far as the schema accepts it."""
    try:
        return Declared(_TOPOLOGY(document.data))
    except MultipleInvalid as wrong:
        errors = _reported_once(wrong.errors)
    problems = tuple(_problem(document, each) for each in errors)
    if not isinstance(document.data, dict):
        return Declared(None, problems)
    paths = [tuple(map(str, each.path)) for each in errors]
    unread = frozenset(path[0] for path in paths)
    try:
        spec = _TOPOLOGY(_without(document.data, paths))
    except MultipleInvalid:
        spec = None
    return Declared(spec, problems, unread)


def _without(data: dict[str, Any], paths: list[tuple[str, ...]]) -> dict[str, Any]:
    """The data without the objects that the paths lead into; without a whole section where a path
    ends there.
    """
    sections = {path[0] for path in paths if len(path) == 1 or not isinstance(data[path[0]], dict)}
    objects = {path[:2] for path in paths if path[0] not in sections}
    return {
        section: {name: value for name, value in its.items() if (section, name) not in objects}
        if isinstance(its, dict)
        else its
        for section, its in data.items()
        if section not in sections
    }


def _reported_once(errors: list[Invalid]) -> list[Invalid]:
    """The errors without those about a missing key that is present but misspelt."""
    misspelt = {
        (tuple(each.path[:-1]), each.nearest) for each in errors if isinstance(each, UnknownKey)
    }
    return [
        each
        for each in errors
        if not (isinstance(each, RequiredFieldInvalid) and _missing(each) in misspelt)
    ]


def _missing(error: RequiredFieldInvalid) -> tuple[Path, str]:
    """The mapping and its key, which is the schema's at the end of voluptuous's path."""
    return tuple(error.path[:-1]), str(error.path[-1])


def _problem(document: Document, error: Invalid) -> Problem:
    if isinstance(error, RequiredFieldInvalid):
        above, key = _missing(error)
        message = f"{_called(above)} has no '{key}'; add it, for example {EXAMPLES[key]}"
        return Problem(document.key(above), message)
    path = tuple(error.path)
    if isinstance(error, WrongKey):
        return Problem(document.key(path), error.msg)
    return Problem(document.value(path), _message(path, document.at(path), error))


def _message(path: Path, value: Any, error: Invalid) -> str:
    if isinstance(error, Empty):
        return f"'{path[-1]}' is empty; it needs at least one: {EXAMPLES[path[-1]]}"
    return f"{_shown(value)} {error.msg}"


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
    """The label of the object at a path: its name, or its index in a list."""
    if not path:
        return "the topology"
    if isinstance(path[-1], int):
        return f"entry {path[-1] + 1} of {path[-2]}"
    return f"'{path[-1]}'"
