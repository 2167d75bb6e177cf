"""Read what nft prints as JSON into rules, for packets of IPv4. Pure.

A statement that is not here makes a condition that may hold: the rule may fit.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import Any, TypeAlias

from dvr_ryu.companion.check.firewall.iptables import HOOKS, PROTOCOLS, addresses
from dvr_ryu.companion.check.firewall.rules import (
    NEVER,
    Action,
    BaseChain,
    Condition,
    Field,
    Rule,
    Values,
)

Document: TypeAlias = "Mapping[str, Any]"
Conditions: TypeAlias = "list[Condition | None]"

FAMILIES = ("ip", "inet", "netdev")
"""The families of tables that see IPv4 at a host's own hooks."""
CONNTRACK = -200
"""The priority at which conntrack looks at packets."""
_ACTIONS = {
    "accept": Action.ACCEPT,
    "drop": Action.DROP,
    "reject": Action.DROP,
    "return": Action.RETURN,
    "jump": Action.JUMP,
    "goto": Action.GOTO,
}
_SILENT = ("counter", "log", "mangle", "notrack", "comment", "continue", "ct helper", "flow", "set")
"""Statements that neither ask nor decide."""
_META = {
    "iif": Field.IN,
    "iifname": Field.IN,
    "oif": Field.OUT,
    "oifname": Field.OUT,
    "l4proto": Field.PROTOCOL,
    "nfproto": Field.FAMILY,
    "protocol": Field.FAMILY,
}
_OF_IP = {"saddr": Field.SOURCE, "daddr": Field.DESTINATION, "protocol": Field.PROTOCOL}
_PORTS = {"sport": Field.SOURCE_PORT, "dport": Field.DESTINATION_PORT}
_WITH_PORTS = ("tcp", "udp", "sctp", "dccp", "udplite")
_LARGEST = 1 << 32


def base_chains(text: str, of_iptables: Collection[str]) -> Iterator[BaseChain]:
    """Yield the base chains that may drop. `of_iptables`: the tables that iptables has shown."""
    ruleset = _Ruleset(json.loads(text)["nftables"])
    for chain in ruleset.of("chain"):
        family, table, name = chain["family"], chain["table"], chain["name"]
        shown = family == "ip" and table in of_iptables and name in HOOKS
        if "hook" not in chain or chain.get("type") == "nat" or family not in FAMILIES or shown:
            continue
        if (family, table) in ruleset.dormant:
            continue
        is_ingress = chain["hook"] == "ingress"
        devices = chain.get("dev", None if is_ingress else ())
        devices = (devices,) if isinstance(devices, str) else devices
        yield BaseChain(
            chain["hook"],
            f"{family} {table}",
            name,
            "nft",
            chain.get("policy") == "drop",
            ruleset.chains_of(family, table),
            not is_ingress and chain["prio"] > CONNTRACK,
            None if devices is None else tuple(devices),
        )


class _Ruleset:
    def __init__(self, items: list[Document]) -> None:
        self._items = items
        self.dormant = {
            (table["family"], table["name"])
            for table in self.of("table")
            if "dormant" in table.get("flags", ())
        }
        self._elements = {
            (each["family"], each["table"], each["name"]): each.get("elem", [])
            for kind in ("set", "map")
            for each in self.of(kind)
        }
        self._chains: dict[tuple[str, str], defaultdict[str, list[Rule]]] = {}

    def of(self, kind: str) -> Iterator[Document]:
        """The objects of one kind."""
        return (item[kind] for item in self._items if kind in item)

    def chains_of(self, family: str, table: str) -> Mapping[str, list[Rule]]:
        """The chains of a table, with their rules; each table is read once."""
        if (family, table) not in self._chains:
            chains = self._chains[family, table] = defaultdict(list)
            for rule in self.of("rule"):
                if (rule["family"], rule["table"]) == (family, table):
                    chains[rule["chain"]] += _RuleReader(self._elements, rule).rules()
        return self._chains[family, table]


class _RuleReader:
    """Reads one rule. One with a verdict map becomes several."""

    def __init__(self, elements: Mapping[tuple[str, str, str], list[Any]], rule: Document) -> None:
        self._elements = elements
        self._of = rule["family"], rule["table"]
        self._text = f"handle {rule['handle']}"
        self._statements = rule.get("expr", [])

    def rules(self) -> Iterator[Rule]:
        conditions: Conditions = []
        for statement in self._statements:
            ((kind, body),) = statement.items()
            if kind in _ACTIONS:
                yield self._rule(conditions, statement)
                return
            if kind == "match":
                conditions += self._match(body["left"], body["op"], body["right"])
            elif kind == "vmap":
                for key, verdict in self._members(body["data"]):
                    if verdict.keys() & _ACTIONS.keys():
                        asked = self._match(body["key"], "==", key)
                        yield self._rule([*conditions, *asked], verdict)
            elif kind not in _SILENT:
                conditions.append(None)

    def _rule(self, conditions: Conditions, verdict: Document) -> Rule:
        ((kind, body),) = verdict.items()
        target = body["target"] if isinstance(body, dict) and "target" in body else ""
        return Rule(self._text, tuple(conditions), _ACTIONS[kind], target)

    def _match(self, left: Any, op: str, right: Any) -> Conditions:
        """The conditions of a comparison: None for one that is not known here."""
        needed, field = _left(left)
        if NEVER in needed or field is None:
            return [*needed, None]
        try:
            values = self._values(field, right, op)
        except (ValueError, KeyError, TypeError):
            return [*needed, None]
        return [*needed, Condition(field, values, op == "!=")]

    def _members(self, data: Any) -> list[Any]:
        """The members of a set or a map, named or written in the rule."""
        if isinstance(data, str):
            family, table = self._of
            return self._elements[family, table, data.removeprefix("@")]
        found: list[Any] = data["set"]
        return found

    def _values(self, field: Field, right: Any, op: str) -> Values:
        """The values on the right side. Raise ValueError, KeyError or TypeError for others."""
        if isinstance(right, str) and right.startswith("@"):
            right = self._members(right)
        elif isinstance(right, dict) and "set" in right:
            right = right["set"]
        if isinstance(right, list):
            return tuple(value for each in right for value in self._values(field, each, "=="))
        if isinstance(right, dict) and "elem" in right:
            return self._values(field, right["elem"]["val"], op)
        if isinstance(right, dict) and "range" in right:
            first, last = (_value(field, each) for each in right["range"])
            return ((int(first[0]), int(last[1])),)
        value = _value(field, right)
        if op in ("==", "!=", "in"):
            return (value,)
        if isinstance(value, str):
            raise ValueError(op)
        at = int(value[0])
        bounds = {"<": (0, at - 1), "<=": (0, at), ">": (at + 1, _LARGEST), ">=": (at, _LARGEST)}
        return (bounds[op],)


def _left(left: Any) -> tuple[Conditions, Field | None]:
    """What the left side needs to exist, and its field; None for one that is not known here."""
    if not isinstance(left, dict):
        return [], None
    ((kind, body),) = left.items()
    if kind == "meta":
        return [], _META.get(body["key"])
    if kind == "ct":
        return [], Field.STATE if body["key"] == "state" and "dir" not in body else None
    if kind == "fib" and body["result"] == "type":
        types = {("saddr",): Field.SOURCE_TYPE, ("daddr",): Field.DESTINATION_TYPE}
        return [], types.get(tuple(body["flags"]))
    if kind == "payload" and "protocol" in body:
        return _of_payload(body["protocol"], body["field"])
    if kind == "&":
        return _left(body[0])[0], None
    return [], None


def _of_payload(protocol: str, name: str) -> tuple[Conditions, Field | None]:
    if protocol == "ip":
        return [], _OF_IP.get(name)
    if protocol == "th":
        numbers = tuple((PROTOCOLS[each], PROTOCOLS[each]) for each in _WITH_PORTS)
        return [Condition(Field.PROTOCOL, numbers)], _PORTS.get(name)
    if protocol in PROTOCOLS:
        number = PROTOCOLS[protocol]
        return [Condition(Field.PROTOCOL, ((number, number),))], _PORTS.get(name)
    return [NEVER] if protocol == "ip6" else [], None


def _value(field: Field, value: Any) -> tuple[int, int] | str:
    """One value of a field."""
    if field in (Field.SOURCE, Field.DESTINATION):
        prefix = value["prefix"] if isinstance(value, dict) else {"addr": value, "len": 32}
        return addresses(f"{prefix['addr']}/{prefix['len']}")
    if field is Field.PROTOCOL and isinstance(value, str):
        number = PROTOCOLS[value]
        return number, number
    if field in (Field.PROTOCOL, Field.SOURCE_PORT, Field.DESTINATION_PORT):
        if not isinstance(value, int):
            raise ValueError(value)
        return value, value
    if field is Field.FAMILY:
        return {"ip": "ipv4", "ip6": "ipv6"}.get(value, str(value))
    if not isinstance(value, str):
        raise ValueError(value)
    return value
