"""Write the reference of the topology file, as RST: each key with its type, its default, a sentence
and an example.

It is made of `declaration` and `keys`, so it has exactly their keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from attrs import NOTHING, Attribute, fields

from dvr_ryu.topology import bridges, expectation, model
from dvr_ryu.topology.spec import scalars
from dvr_ryu.topology.spec.declaration import TopologySpec
from dvr_ryu.topology.spec.keys import Key, key
from dvr_ryu.topology.spec.schema import Spec, key_of

HEADER = """\
.. Printed by `dvr docs --topology`. Do not edit: `make docs` writes it anew.

The topology file: all keys
===========================

YAML. Unknown keys are mistakes. ``NAME`` stands for a name of yours: up to 63 letters, digits,
``-``, ``_`` and ``.``, a letter or digit first. Text that looks like a number is written in quotes.
A "chosen" value follows from the file alone, the same on every machine, and can be pinned. Aliases
and merge keys (``<<: *NAME``) work. The smallest file is ``hosts: {h1: {address: 10.0.0.1}}``.

Each entry has the key, its type, what holds without it, what it means, and an example. "A name →"
is a mapping that has names of yours as its keys.
"""

TYPES: dict[Any, str] = {
    scalars.Address: "an IPv4 address",
    scalars.AddressOrCidr: "an IPv4 address or range",
    scalars.BridgeName: bridges.bridge_names("or", "``"),
    scalars.Cidr: "an IPv4 range, as 10.1.0.0/24",
    scalars.ControllerTarget: "``tcp:ADDRESS:PORT`` or ``ssl:ADDRESS:PORT``",
    scalars.DatapathId: "a number, as 0x1a2b",
    scalars.Destination: "an IPv4 range, as 10.1.0.0/24",
    scalars.DhcpMode: " or ".join(f"``{each}``" for each in scalars.DHCP_MODES),
    scalars.EndpointName: "an instance, ``NAME:eth1``, a host, an address or ``outside``",
    scalars.Gateway: "an IPv4 address, ``none`` or null",
    scalars.GuestKind: " or ".join(f"``{each}``" for each in model.MADE_GUESTS),
    scalars.HostRange: "an IPv4 range, as 10.1.0.0/24",
    scalars.Mac: "a MAC address",
    scalars.Mtu: "a number",
    scalars.Name: "a name",
    scalars.Ofport: "a port number, from 2 to 65279",
    scalars.Option: "an option",
    scalars.PeerAddress: "an IPv4 address",
    scalars.PortNumbers: "a port, or a range of ports",
    scalars.Protocol: " or ".join(f"``{each}``" for each in expectation.PROTOCOLS),
    scalars.RouterPair: "an IPv4 range of /31",
    scalars.RulePriority: "a number",
    scalars.ServicePort: "a port, as 80/tcp or 53/udp",
    scalars.Truth: "``true`` or ``false``",
    scalars.TunnelType: ", ".join(f"``{each}``" for each in model.TUNNEL_OVERHEADS),
    scalars.Uuid: "a UUID",
    scalars.Vlan: "a VLAN tag, from 1 to 4094",
    scalars.Vni: "a number",
    Any: "a value",
}
"""The names of the types of single values."""


Sections = dict[type[Spec], list[str]]
"""Each kind of mapping, and its paths in a file; the first names its section."""


def reference() -> str:
    """The whole document."""
    sections: Sections = {}
    _find(TopologySpec, "", sections)
    parts = [HEADER, *(_section(each, sections) for each in sections)]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _find(mapping: type[Spec], path: str, sections: Sections) -> None:
    """Note the paths of each kind of mapping in a file, in the order of the keys."""
    sections.setdefault(mapping, []).append(path)
    for name, hint in _hints(mapping).items():
        for below, where in _below(hint, f"{path}.{name}".lstrip(".")):
            _find(below, where, sections)


def _below(hint: Any, path: str) -> Iterator[tuple[type[Spec], str]]:
    if isinstance(hint, type) and issubclass(hint, Spec):
        yield hint, path
        return
    kind, arguments = get_origin(hint), get_args(hint)
    if kind is Annotated:
        arguments = arguments[:1]
    name = "ADDRESS" if arguments and arguments[0] == scalars.Address else "NAME"
    ending = {dict: f".{name}", tuple: "[]"}.get(kind, "")
    for argument in arguments:
        yield from _below(argument, path + ending)


def _hints(mapping: type[Spec]) -> dict[str, Any]:
    hints = get_type_hints(mapping, include_extras=True)
    return {key_of(each): hints[each.name] for each in fields(mapping)}


def _section(mapping: type[Spec], sections: Sections) -> str:
    first, *others = sections[mapping]
    title = f"``{first}``" if first else "The file"
    also = f"Also: ``{'``, ``'.join(others)}``.\n\n" if others else ""
    hints = _hints(mapping)
    entries = "".join(
        f"``{name}`` : {_type(hints[name], sections)} : {_without(mapping, each)}\n"
        f"    {_explained(key(mapping, name), name)}\n\n"
        for each in fields(mapping)
        for name in [key_of(each)]
    )
    return f"{title}\n{'-' * len(title)}\n\n{also}{entries}"


def _without(mapping: type[Spec], attribute: Attribute[Any]) -> str:
    """The text about an omitted key."""
    if attribute.default is NOTHING:
        return "required"
    return f"default: {key(mapping, key_of(attribute)).default or _default(attribute.default)}"


def _explained(known: Key, name: str) -> str:
    return f"{known.sentence} Example: ``{name}: {known.example}``"


def _type(hint: Any, sections: Sections) -> str:
    kind, arguments = get_origin(hint), get_args(hint)
    if hint in TYPES:
        return TYPES[hint]
    if kind in (Union, UnionType):
        return _type(next(each for each in arguments if each is not NoneType), sections)
    if kind is Annotated:
        return f"{_type(arguments[0], sections)}, not empty"
    if kind is tuple:
        return f"a list of {_plural(_type(arguments[0], sections))}"
    if kind is dict:
        return " → ".join(_type(each, sections) for each in arguments)
    return f"the keys of `{sections[hint][0]}`_"


def _plural(one: str) -> str:
    if one.startswith("the keys of "):
        return one.removeprefix("the keys of ")
    return f"{one.removeprefix('an ').removeprefix('a ')}s".replace("addresss", "addresses")


def _default(value: Any) -> str:
    """The default of a key by its declaration."""
    if isinstance(value, bool):
        return f"``{str(value).lower()}``"
    if isinstance(value, int | str):
        return f"``{value}``"
    return "the defaults of its keys" if isinstance(value, Spec) else "none"
