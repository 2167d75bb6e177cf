"""Bridges and their ports in words of ovs-vsctl, one transaction for each. Pure text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from dvr_ryu.companion.edges.flows import NO_MATCH, OFCTL, OWN_DEFAULT
from dvr_ryu.companion.edges.given import BEFORE, OWNER
from dvr_ryu.companion.edges.ovsdb_rows import PLACE
from dvr_ryu.companion.facts.kinds import Bridge, OvsPort
from dvr_ryu.companion.facts.words import settings
from dvr_ryu.companion.script import notes
from dvr_ryu.pipeline.cookie import COOKIE, LEARNED

_OFCTL = " ".join(OFCTL)
_DUMP = f"{_OFCTL} --no-stats --no-names dump-flows"
IN_OUR_PLACE = f"""\
awk 'function place(flow) {{
  sub(/ actions=.*/, "", flow)
  gsub(/{NO_MATCH.pattern}/, "", flow)
  gsub(/^[ ,]+|[ ,]+$/, "", flow)
  return flow
}}
FNR == NR {{ ours[place($0)] }}
FNR < NR && place($0) in ours'"""
"""Of two files, the flows of the second whose table, priority and match one of the first has."""


def make_bridge(fact: Bridge, old: Bridge | None, host: str) -> Iterator[str]:
    """Add a bridge, or change it; its local port is marked as ours like the bridge itself. One that
    was here before us keeps its flows, and a note of what it was.
    """
    name, marks = fact.name, {f"external_ids:{OWNER}": host}
    if old and old.before is not None:
        marks[f"external_ids:{BEFORE}"] = _text(json.dumps(dict(old.before)))
        yield from _flows_noted(old)
        first = notes.flows_before(name)
        yield f"[ -e {first} ] || cp {notes.flows(name)} {first}"
    words = [] if old else [f"--may-exist add-br {name}", f"set Port {name} {_local(host)}"]
    words.append(f"set Bridge {name} {settings({**fact.settings, **marks})}")
    if old and old.controller and old.controller != fact.controller:
        words.append(_without_controller(name, host))
    if fact.controller and (old is None or old.controller != fact.controller):
        target = _text(fact.controller["target"])
        ours = settings({**fact.controller, "target": target, f"external_ids:{OWNER}": host})
        words.append(f"--id=@ours create Controller {ours}")
        words.append(f"add Bridge {name} controller @ours")
    yield _transaction(words)
    if old and old.before is not None:
        yield from _flows_put_back(name)


def unmake_bridge(fact: Bridge, host: str) -> Iterator[str]:
    """Remove a bridge with all that is on it; one that was here before us is given back."""
    if fact.before is None:
        yield f"ovs-vsctl --if-exists del-br {fact.name}"
        return
    name = fact.name
    yield from _flows_noted(fact)
    first = notes.flows_before(name)
    yield f"touch {first}"
    ours = " ".join(f"-e cookie={cookie:#x}" for cookie in (COOKIE, LEARNED))
    yield f"{_DUMP} {name} | grep {ours} | {IN_OUR_PLACE} - {first} >> {notes.flows(name)}"
    ports = _find("Port", "name", host)
    yield f"for port in $({ports}); do ovs-vsctl --if-exists del-port $port; done"
    if fact.controller:
        yield _transaction([_without_controller(name, host)])
    for cookie in (COOKIE, LEARNED):
        yield f"{_OFCTL} del-flows {name} cookie={cookie:#x}/-1"
    words = [_restored(name, key, fact.before.get(key, "")) for key in fact.settings]
    words.append(f"remove Bridge {name} external_ids {OWNER} {BEFORE}")
    yield _transaction(words)
    yield from _flows_put_back(name)
    yield f"rm {first}"


def _text(value: str) -> str:
    """In double quotes ovs-vsctl takes a value for text, whatever is in it."""
    return json.dumps(value)


def _local(host: str) -> str:
    return f"external_ids:{OWNER}={host}/local"


def _find(table: str, column: str, host: str) -> str:
    return f"ovs-vsctl --bare --columns={column} find {table} external_ids:{OWNER}={host}"


def _without_controller(bridge: str, host: str) -> str:
    return f"remove Bridge {bridge} controller $({_find('Controller', '_uuid', host)})"


def _restored(bridge: str, key: str, value: str) -> str:
    """One setting as it was: a value, or none."""
    column, colon, key_of_map = key.partition(":")
    if value:
        return f"set Bridge {bridge} {settings({key: value})}"
    if colon:
        return f"remove Bridge {bridge} {column} {key_of_map}"
    if column == "datapath_type":
        return f"set Bridge {bridge} {column}='\"\"'"
    return f"clear Bridge {bridge} {column}"


def _flows_noted(bridge: Bridge) -> Iterator[str]:
    """Note the flows of others: Open vSwitch forgets all when controllers come or go."""
    patterns = [f"cookie={cookie:#x}" for cookie in (COOKIE, LEARNED)]
    if bridge.settings["fail_mode"] != "secure":
        patterns.append(f"^{OWN_DEFAULT.pattern}$")
    ours = " ".join(f"-e '{pattern}'" for pattern in patterns)
    note = notes.flows(bridge.name)
    yield f"{_DUMP} {bridge.name} | grep actions= | grep -vE {ours} >> {note} || :"


def _flows_put_back(bridge: str) -> Iterator[str]:
    yield f"{_OFCTL} add-flows {bridge} {notes.flows(bridge)}"
    yield f"rm {notes.flows(bridge)}"


def make_port(fact: OvsPort, host: str) -> Iterator[str]:
    """Add a port, or change it."""
    owner = {f"external_ids:{OWNER}": host}
    place = {f"external_ids:{PLACE}": fact.namespace} if fact.namespace else {}
    columns = {
        "tag": "[]" if fact.tag is None else str(fact.tag),
        "protected": str(fact.protected).lower(),
    }
    port: Mapping[str, str] = {**columns, **owner, **place}
    yield _transaction(
        [
            f"--may-exist add-port {fact.bridge} {fact.name}",
            f"set Port {fact.name} {settings(port)}",
            f"set Interface {fact.name} {settings(fact.interface)}",
        ]
    )


def unmake_port(fact: OvsPort) -> Iterator[str]:
    """Remove a port; its device goes with it."""
    yield f"ovs-vsctl --if-exists del-port {fact.bridge} {fact.name}"


def _transaction(words: list[str]) -> str:
    return "ovs-vsctl " + " -- ".join(words)
