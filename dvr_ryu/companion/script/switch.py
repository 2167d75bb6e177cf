"""Bridges and their ports in words of ovs-vsctl, one transaction for each. Pure text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dvr_ryu.companion.edges.ovsdb import OWNER, PLACE
from dvr_ryu.companion.facts.kinds import Bridge, OvsPort
from dvr_ryu.companion.facts.words import settings


def make_bridge(fact: Bridge, host: str) -> Iterator[str]:
    """Add a bridge, or change it; its local port is marked as ours like the bridge itself."""
    words = [
        f"--may-exist add-br {fact.name}",
        f"set Bridge {fact.name} {settings({**fact.settings, f'external_ids:{OWNER}': host})}",
        f"set Port {fact.name} external_ids:{OWNER}={host}/local",
    ]
    if fact.controller:
        rest = {name: value for name, value in fact.controller.items() if name != "target"}
        words.append(f"set-controller {fact.name} {fact.controller['target']}")
        words.append(f"set Controller {fact.name} {settings(rest)}")
    else:
        words.append(f"del-controller {fact.name}")
    yield _transaction(words)


def unmake_bridge(fact: Bridge) -> Iterator[str]:
    """Remove a bridge with all that is on it."""
    yield f"ovs-vsctl --if-exists del-br {fact.name}"


def make_port(fact: OvsPort, host: str) -> Iterator[str]:
    """Add a port, or change it."""
    owner = {f"external_ids:{OWNER}": host}
    place = {f"external_ids:{PLACE}": fact.namespace} if fact.namespace else {}
    tag = {"tag": "[]" if fact.tag is None else str(fact.tag)}
    port: Mapping[str, str] = {**tag, **owner, **place}
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
