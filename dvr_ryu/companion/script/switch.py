"""Bridges and their ports in words of ovs-vsctl, one transaction for each. Pure text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from dvr_ryu.companion.providers.ovs_ofctl.flows import NO_MATCH, OFCTL, OWN_DEFAULT
from dvr_ryu.companion.providers.ovsdb.adopted import BEFORE, OWNER
from dvr_ryu.companion.providers.ovsdb.rows import PLACE
from dvr_ryu.companion.resources.describe import settings
from dvr_ryu.companion.resources.openvswitch.bridge import Bridge
from dvr_ryu.companion.resources.openvswitch.port import OvsPort
from dvr_ryu.companion.script import notes
from dvr_ryu.pipeline.language.cookie import COOKIE, LEARNED

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


def make_bridge(resource: Bridge, old: Bridge | None, host: str) -> Iterator[str]:
    """Add a bridge, or change it; its local port is marked as ours like the bridge itself. One that
    was here before us keeps its flows, and a note of what it was.
    """
    name, marks = resource.name, {f"external_ids:{OWNER}": host}
    if old and old.before is not None:
        marks[f"external_ids:{BEFORE}"] = _text(json.dumps(dict(old.before)))
        yield from _flows_noted(old)
        first = notes.flows_before(name)
        yield f"[ -e {first} ] || cp {notes.flows(name)} {first}"
    words = [] if old else [f"--may-exist add-br {name}", f"set Port {name} {_local(host)}"]
    words.append(f"set Bridge {name} {settings({**resource.settings, **marks})}")
    if old and old.controller and old.controller != resource.controller:
        words.append(_without_controller(name, host))
    if resource.controller and (old is None or old.controller != resource.controller):
        target = _text(resource.controller["target"])
        ours = settings({**resource.controller, "target": target, f"external_ids:{OWNER}": host})
        words.append(f"--id=@ours create Controller {ours}")
        words.append(f"add Bridge {name} controller @ours")
    yield _transaction(words)
    if old and old.before is not None:
        yield from _flows_put_back(name)


def unmake_bridge(resource: Bridge, host: str) -> Iterator[str]:
    """Remove a bridge with all that is on it; one that was here before us is given back."""
    if resource.before is None:
        yield f"ovs-vsctl --if-exists del-br {resource.name}"
        return
    name = resource.name
    yield from _flows_noted(resource)
    first = notes.flows_before(name)
    yield f"touch {first}"
    ours = " ".join(f"-e cookie={cookie:#x}" for cookie in (COOKIE, LEARNED))
    yield f"{_DUMP} {name} | grep {ours} | {IN_OUR_PLACE} - {first} >> {notes.flows(name)}"
    ports = _find("Port", "name", host)
    yield f"for port in $({ports}); do ovs-vsctl --if-exists del-port $port; done"
    if resource.controller:
        yield _transaction([_without_controller(name, host)])
    for cookie in (COOKIE, LEARNED):
        yield f"{_OFCTL} del-flows {name} cookie={cookie:#x}/-1"
    words = [_restored(name, key, resource.before.get(key, "")) for key in resource.settings]
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


def make_port(resource: OvsPort, host: str) -> Iterator[str]:
    """Add a port, or change it."""
    owner = {f"external_ids:{OWNER}": host}
    place = {f"external_ids:{PLACE}": resource.namespace} if resource.namespace else {}
    columns = {
        "tag": "[]" if resource.tag is None else str(resource.tag),
        "protected": str(resource.protected).lower(),
    }
    port: Mapping[str, str] = {**columns, **owner, **place}
    yield _transaction(
        [
            f"--may-exist add-port {resource.bridge} {resource.name}",
            f"set Port {resource.name} {settings(port)}",
            f"set Interface {resource.name} {settings(resource.interface)}",
        ]
    )


def unmake_port(resource: OvsPort) -> Iterator[str]:
    """Remove a port; its device goes with it."""
    yield f"ovs-vsctl --if-exists del-port {resource.bridge} {resource.name}"


def _transaction(words: list[str]) -> str:
    return "ovs-vsctl " + " -- ".join(words)
