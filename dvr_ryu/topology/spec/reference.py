"""The reference of the topology file, as RST: each key with its type, its default, a sentence and
an example.

Made of `declaration` and `keys`, so that it has all keys, and no other.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from attrs import NOTHING, fields

from dvr_ryu.topology import model
from dvr_ryu.topology.spec import scalars
from dvr_ryu.topology.spec.declaration import TopologyWords
from dvr_ryu.topology.spec.keys import key
from dvr_ryu.topology.spec.schema import Words

HEADER = """\
.. Printed by `dvr docs --topology`. Do not edit: `make docs` writes it anew.

The topology file: all keys
===========================

YAML. Unknown keys are mistakes. ``NAME`` stands for a name of yours: up to 63 letters, digits,
``-``, ``_`` and ``.``, a letter or digit first. Text that looks like a number is written in quotes.
What is "chosen" follows from the file alone, the same on every machine, and can be pinned. Aliases
and merge keys (``<<: *NAME``) work. The smallest file is ``hosts: {h1: {address: 10.0.0.1}}``.

Each entry has the key, its type, what holds without it, what it means, and an example.
"""

TYPES: dict[Any, str] = {
    scalars.Address: "an IPv4 address",
    scalars.AddressOrCidr: "an IPv4 address or range",
    scalars.BridgeWord: " or ".join(f"``{each}``" for each in model.BRIDGES),
    scalars.Cidr: "an IPv4 range, as 10.1.0.0/24",
    scalars.ControllerWord: "``tcp:ADDRESS:PORT`` or ``ssl:ADDRESS:PORT``",
    scalars.DatapathId: "a number, as 0x1a2b",
    scalars.Destination: "an IPv4 range, as 10.1.0.0/24",
    scalars.DhcpWay: " or ".join(f"``{each}``" for each in scalars.DHCP_WAYS),
    scalars.Gateway: "an IPv4 address, ``none`` or null",
    scalars.HostRange: "an IPv4 range, as 10.1.0.0/24",
    scalars.Mac: "a MAC address",
    scalars.Mtu: "a number",
    scalars.Name: "a name",
    scalars.Ofport: "a port number, from 2 to 65279",
    scalars.Option: "an option",
    scalars.PeerAddress: "an IPv4 address",
    scalars.PortNumbers: "a port, or a range of ports",
    scalars.Protocol: " or ".join(f"``{each}``" for each in model.PROTOCOLS),
    scalars.RouterPair: "an IPv4 range of /31",
    scalars.RulePriority: "a number",
    scalars.Truth: "``true`` or ``false``",
    scalars.TunnelType: ", ".join(f"``{each}``" for each in model.TUNNEL_OVERHEADS),
    scalars.Uuid: "a UUID",
    scalars.Vlan: "a VLAN tag, from 1 to 4094",
    scalars.Vni: "a number",
    Any: "a value",
}
"""What a single value is called."""


def reference() -> str:
    """The whole document."""
    found: dict[type[Words], list[str]] = {}
    _find(TopologyWords, "", found)
    parts = [HEADER, *(_section(each, paths) for each, paths in found.items())]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _find(mapping: type[Words], path: str, found: dict[type[Words], list[str]]) -> None:
    """Note where in a file each kind of mapping stands, in the order of the keys."""
    found.setdefault(mapping, []).append(path)
    for name, hint in _hints(mapping).items():
        for below, where in _below(hint, f"{path}.{name}".lstrip(".")):
            _find(below, where, found)


def _below(hint: Any, path: str) -> Iterator[tuple[type[Words], str]]:
    if isinstance(hint, type) and issubclass(hint, Words):
        yield hint, path
        return
    kind, arguments = get_origin(hint), get_args(hint)
    if kind is Annotated:
        arguments = arguments[:1]
    name = "ADDRESS" if arguments and arguments[0] == scalars.Address else "NAME"
    ending = {dict: f".{name}", tuple: "[]"}.get(kind, "")
    for argument in arguments:
        yield from _below(argument, path + ending)


def _hints(mapping: type[Words]) -> dict[str, Any]:
    hints = get_type_hints(mapping, include_extras=True)
    return {each.name: hints[each.name] for each in fields(mapping)}


def _section(mapping: type[Words], paths: list[str]) -> str:
    title = f"``{paths[0]}``" if paths[0] else "The file"
    also = f"Also: ``{'``, ``'.join(paths[1:])}``.\n\n" if len(paths) > 1 else ""
    defaults = {each.name: each.default for each in fields(mapping)}
    entries = "".join(
        _entry(mapping, name, hint, defaults[name]) for name, hint in _hints(mapping).items()
    )
    return f"{title}\n{'-' * len(title)}\n\n{also}{entries}"


def _entry(mapping: type[Words], name: str, hint: Any, default: Any) -> str:
    known = key(mapping, name)
    without = "required" if default is NOTHING else f"default: {known.default or _default(default)}"
    return (
        f"``{name}`` : {_type(hint)} : {without}\n"
        f"    {known.sentence} Example: ``{name}: {known.example}``\n\n"
    )


def _type(hint: Any) -> str:
    kind, arguments = get_origin(hint), get_args(hint)
    if hint in TYPES:
        return TYPES[hint]
    if kind in (Union, UnionType):
        return _type(next(each for each in arguments if each is not NoneType))
    if kind is Annotated:
        return f"{_type(arguments[0])}, not empty"
    if kind is tuple:
        return f"a list of {_plural(arguments[0])}"
    if kind is dict:
        return f"a mapping, {_type(arguments[0])} → {_type(arguments[1])}"
    return "a mapping, see below"


def _plural(hint: Any) -> str:
    if isinstance(hint, type) and issubclass(hint, Words):
        return "mappings, see below"
    return f"{_type(hint).removeprefix('an ').removeprefix('a ')}s".replace("addresss", "addresses")


def _default(value: Any) -> str:
    """What holds without a key, as its declaration says it."""
    if isinstance(value, bool):
        return f"``{str(value).lower()}``"
    if isinstance(value, int | str):
        return f"``{value}``"
    return "the defaults of its keys" if isinstance(value, Words) else "none"
