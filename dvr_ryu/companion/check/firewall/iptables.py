"""Read what iptables-save prints into rules. Pure.

An option that is not here makes a condition that may hold: the rule may fit.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv4Network

from dvr_ryu.companion.check.firewall.rules import (
    NEVER,
    Action,
    BaseChain,
    Condition,
    Field,
    Rule,
    Values,
)

HOOKS = {"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"}
TABLES = ("raw", "mangle", "filter", "security")
"""The tables that may drop a packet."""
PROTOCOLS = {
    "icmp": 1, "igmp": 2, "tcp": 6, "udp": 17, "dccp": 33, "gre": 47, "esp": 50, "ah": 51,
    "ipv6-icmp": 58, "icmpv6": 58, "comp": 108, "sctp": 132, "udplite": 136,
}  # fmt: skip
_ENDS = {
    "ACCEPT": Action.ACCEPT,
    "DROP": Action.DROP,
    "REJECT": Action.DROP,
    "RETURN": Action.RETURN,
}
_FLAGS = {"FIN", "SYN", "RST", "PSH", "ACK", "URG"}
_OPENS = {"SYN"}
"""The flags of a TCP packet that is asked about: it opens a connection."""


def base_chains(text: str, tool: str) -> Iterator[BaseChain]:
    """Yield the base chains of the tables that may drop."""
    table = ""
    policies: dict[str, str] = {}
    chains: dict[str, list[Rule]] = {}
    for line in text.splitlines():
        match line[:1]:
            case "*":
                table, policies, chains = line[1:].strip(), {}, {}
            case ":":
                name, policy, *_ = line[1:].split()
                policies[name], chains[name] = policy, []
            case "-":
                name, rule = _rule(line, chains)
                if rule is not None:
                    chains[name].append(rule)
            case "C" if table in TABLES:
                late = table != "raw"
                for name in policies.keys() & HOOKS:
                    drops = policies[name] == "DROP"
                    yield BaseChain(name.lower(), table, name, tool, drops, chains, late)


def _rule(line: str, chains: Mapping[str, object]) -> tuple[str, Rule | None]:
    """The chain of a line, and its rule; None for a rule that decides nothing."""
    _, name, *words = shlex.split(line)
    conditions: list[Condition | None] = []
    while words:
        negated = words[0] == "!"
        option, *words = words[negated:]
        if option in ("-j", "-g"):
            target = words[0]
            if target in _ENDS:
                return name, Rule(line, tuple(conditions), _ENDS[target])
            if target in chains:
                action = Action.GOTO if option == "-g" else Action.JUMP
                return name, Rule(line, tuple(conditions), action, target)
            return name, None
        count = next((i for i, word in enumerate(words) if word[:1] in ("-", "!")), len(words))
        count = 1 if option == "--comment" else count
        conditions += _conditions(option, words[:count], negated)
        words = words[count:]
    return name, None


def _conditions(option: str, words: list[str], negated: bool) -> Iterator[Condition | None]:
    if option in ("-m", "--comment"):
        return
    if option == "--tcp-flags":
        if (_OPENS & _flags(words[0]) == _flags(words[1])) == negated:
            yield NEVER
        return
    field = _FIELDS.get(option)
    if field is None or len(words) != 1:
        yield None
        return
    try:
        values = _values(field, words[0])
    except ValueError:
        yield None
    else:
        yield Condition(field, values, negated)


_FIELDS = {
    "-p": Field.PROTOCOL,
    "-s": Field.SOURCE,
    "-d": Field.DESTINATION,
    "--src-range": Field.SOURCE,
    "--dst-range": Field.DESTINATION,
    "-i": Field.IN,
    "-o": Field.OUT,
    "--sport": Field.SOURCE_PORT,
    "--sports": Field.SOURCE_PORT,
    "--dport": Field.DESTINATION_PORT,
    "--dports": Field.DESTINATION_PORT,
    "--ctstate": Field.STATE,
    "--state": Field.STATE,
    "--src-type": Field.SOURCE_TYPE,
    "--dst-type": Field.DESTINATION_TYPE,
}


def _values(field: Field, word: str) -> Values:
    """The values of a word. Raise ValueError for an unknown one."""
    match field:
        case Field.PROTOCOL:
            number = PROTOCOLS.get(word)
            number = int(word) if number is None else number
            return ((number, number),)
        case Field.SOURCE | Field.DESTINATION:
            return (addresses(*word.split("-")),)
        case Field.SOURCE_PORT | Field.DESTINATION_PORT:
            return tuple(_ports(each) for each in word.split(","))
        case Field.IN | Field.OUT:
            return (word[:-1] + "*" if word.endswith("+") else word,)
        case _:
            return tuple(word.lower().split(","))


def _flags(word: str) -> set[str]:
    return _FLAGS if word == "ALL" else set(word.split(",")) - {"NONE"}


def _ports(word: str) -> tuple[int, int]:
    first, colon, last = word.partition(":")
    return int(first or 0), int(last or 65535) if colon else int(first)


def addresses(first: str, last: str | None = None) -> tuple[int, int]:
    """An address, a prefix, or the addresses from one to another. Raise ValueError for others."""
    if last is not None:
        return int(IPv4Address(first)), int(IPv4Address(last))
    network = IPv4Network(first, strict=False)
    return int(network.network_address), int(network.broadcast_address)
