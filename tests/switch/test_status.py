"""The controller shows over HTTP what became of it and of its bridges."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dvr_ryu.lab.wait import wait_until
from tests.switch.conftest import view_of
from tests.switch.support.controller import Controller
from tests.switch.support.ovs import Ovs

HOST, BRIDGE = "server-233", "br-int"


def fetch(controller: Controller, path: str) -> Any:
    with urllib.request.urlopen(controller.page + path, timeout=10) as response:
        return json.load(response)


def bridge_of(status: Any) -> Any:
    (found,) = [
        each for each in status["bridges"] if (each["host"], each["bridge"]) == (HOST, BRIDGE)
    ]
    return found


def awaited(controller: Controller, what: str, ready: Callable[[Any], bool]) -> Any:
    """The status for which `ready` holds at last."""
    wait_until(
        lambda: ready(fetch(controller, "status.json")),
        20,
        what,
        lambda: json.dumps(fetch(controller, "status.json")),
    )
    return fetch(controller, "status.json")


def test_a_bridge_comes_changes_fails_and_goes(
    ovs: Ovs, controller: Controller, topology_file: Path, flows_folder: Path
) -> None:
    view, text = view_of(topology_file, HOST), topology_file.read_text()
    first = bridge_of(fetch(controller, "status.json"))
    assert (first["connected"], first["in_sync"], first["peer"]) == (False, False, None)

    ovs.add_bridge(BRIDGE, f"{HOST}/{BRIDGE}", view.planned_ofports(BRIDGE), controller.target)
    status = awaited(controller, "it is in sync", lambda it: bool(bridge_of(it)["in_sync"]))
    filled = bridge_of(status)
    assert filled["connected"] and filled["peer"].startswith("127.0.0.1:")
    assert filled["since"] > first["since"]
    assert filled["in_sync_since"] >= filled["since"]
    assert filled["flows"] == len(ovs.flows(BRIDGE, "-O", "OpenFlow14"))
    assert filled["last_error"] is None
    assert status["in_sync"] is False, "the other bridges are not connected"

    file = flows_folder / f"{BRIDGE}.flows"
    file.write_text(file.read_text() + "    priority=77, in_port=7777  actions=drop\n")
    status = awaited(
        controller,
        "the edit is applied and on the bridge",
        lambda it: it["controller"]["edits"]["applied"] == 1 and bridge_of(it)["in_sync"],
    )
    assert bridge_of(status)["in_sync_since"] > filled["in_sync_since"]
    assert "1 added" in bridge_of(status)["last_sync"]
    wait_until(lambda: bool(fetch(controller, "edits.json")["edits"]), 10, "its difference")
    (edit,) = fetch(controller, "edits.json")["edits"]
    (changed,) = edit["files"]
    assert changed["file"] == f"{BRIDGE}.flows"
    assert changed["lines"][-1] == "+    priority=77, in_port=7777  actions=drop"

    topology_file.write_text(text + "nonsense: 1\n")
    status = awaited(
        controller, "the bad save is refused", lambda it: bool(it["controller"]["error"])
    )
    assert status["controller"]["edits"] == {"applied": 1, "refused": 1}
    assert "nonsense" in status["controller"]["error"]["text"]
    assert bridge_of(status)["in_sync"], "what was there stays"
    assert "nonsense" in fetch(controller, "edits.json")["edits"][0]["error"]
    topology_file.write_text(text)
    awaited(controller, "the good one is taken", lambda it: it["controller"]["error"] is None)

    ovs.run("ovs-ofctl", "-O", "OpenFlow14", "del-flows", BRIDGE, "table=0")
    status = awaited(
        controller,
        "it is mended",
        lambda it: bool(bridge_of(it)["last_error"]) and bridge_of(it)["in_sync"],
    )
    assert "somebody else changed" in bridge_of(status)["last_error"]["text"]

    ovs.vsctl("del-br", BRIDGE)
    status = awaited(controller, "it is gone", lambda it: not bridge_of(it)["connected"])
    gone = bridge_of(status)
    assert (gone["in_sync"], gone["in_sync_since"], gone["peer"]) == (False, None, None)
    assert gone["since"] > filled["since"]
