"""Bridges of Open vSwitch. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from attrs import field, frozen

from dvr_ryu.companion.resources.openvswitch import bridge_flows
from dvr_ryu.companion.resources.openvswitch.tls import TLS_KEY
from dvr_ryu.companion.resources.openvswitch.vsctl import (
    BEFORE,
    OWNER,
    settings,
    text,
    transaction,
)
from dvr_ryu.companion.resources.resource import Key, Resource


@frozen
class Bridge(Resource):
    """An OVS bridge. Settings are as ovs-vsctl has them: column, or column:key, → value."""

    kind = "bridge"
    identity = ("name",)
    notes = (bridge_flows.NOTES, bridge_flows.NOTES_BEFORE)
    name: str
    settings: Mapping[str, str] = field(eq=dict)
    controller: Mapping[str, str] = field(eq=dict)
    """The settings of our controller, `target` among them; empty for none."""
    before: Mapping[str, str] | None = field(default=None, eq=False, repr=False)
    """The earlier settings of an adopted bridge, one that was here before us; None for ours."""

    @property
    def after(self) -> tuple[Key, ...]:
        """The resources that Open vSwitch needs to reach the controller."""
        return (TLS_KEY,) if self.controller.get("target", "").startswith("ssl:") else ()

    @property
    def programs(self) -> tuple[str, ...]:
        """The programs that ask for the datapath, and that read and restore foreign flows."""
        return ("ovs-appctl", "ovs-ofctl")

    def describe(self) -> str:
        """Add it, with its settings and its controller."""
        name = self.name
        line = f"ovs-vsctl add-br {name} -- set Bridge {name} {settings(self.settings)}"
        if self.controller:
            line += f" -- set-controller {name} {self.controller['target']}"
        return line

    def make_lines(self, old: Bridge | None, host: str) -> Iterator[str]:
        """Add it, or change it; its local port is marked as ours like the bridge itself. An adopted
        bridge retains its flows, and gets a note of its earlier settings.
        """
        name, marks = self.name, {f"external_ids:{OWNER}": host}
        if old and old.before is not None:
            marks[f"external_ids:{BEFORE}"] = text(json.dumps(dict(old.before)))
            yield from bridge_flows.note_lines(name, old.settings["fail_mode"])
            yield bridge_flows.note_before_line(name)
        commands = []
        if old is None:
            local = f"external_ids:{OWNER}={host}/local"
            commands = [f"--may-exist add-br {name}", f"set Port {name} {local}"]
        commands.append(f"set Bridge {name} {settings({**self.settings, **marks})}")
        if old and old.controller and old.controller != self.controller:
            commands.append(self._without_controller(host))
        if self.controller and (old is None or old.controller != self.controller):
            commands.extend(self._with_controller(host))
        yield transaction(commands)
        if old and old.before is not None:
            yield from bridge_flows.restore_lines(name)

    def remove_lines(self, host: str) -> Iterator[str]:
        """Remove it with all that is on it; release an adopted one."""
        if self.before is None:
            yield f"ovs-vsctl --if-exists del-br {self.name}"
            return
        name = self.name
        yield from bridge_flows.note_lines(name, self.settings["fail_mode"])
        yield from bridge_flows.note_displaced_lines(name)
        ports = _find("Port", "name", host)
        yield f"for port in $({ports}); do ovs-vsctl --if-exists del-port $port; done"
        if self.controller:
            yield transaction([self._without_controller(host)])
        yield from bridge_flows.remove_ours_lines(name)
        commands = [self._restored(key, self.before.get(key, "")) for key in self.settings]
        commands.append(f"remove Bridge {name} external_ids {OWNER} {BEFORE}")
        yield transaction(commands)
        yield from bridge_flows.restore_lines(name)
        yield f"rm {bridge_flows.note_before(name)}"

    def _with_controller(self, host: str) -> Iterator[str]:
        target = text(self.controller["target"])
        ours = {**self.controller, "target": target, f"external_ids:{OWNER}": host}
        yield f"--id=@ours create Controller {settings(ours)}"
        yield f"add Bridge {self.name} controller @ours"

    def _without_controller(self, host: str) -> str:
        return f"remove Bridge {self.name} controller $({_find('Controller', '_uuid', host)})"

    def _restored(self, key: str, value: str) -> str:
        """One setting as it was: a value, or none."""
        column, colon, key_of_map = key.partition(":")
        if value:
            return f"set Bridge {self.name} {settings({key: value})}"
        if colon:
            return f"remove Bridge {self.name} {column} {key_of_map}"
        if column == "datapath_type":
            return f"set Bridge {self.name} {column}='\"\"'"
        return f"clear Bridge {self.name} {column}"


def _find(table: str, column: str, host: str) -> str:
    return f"ovs-vsctl --bare --columns={column} find {table} external_ids:{OWNER}={host}"
