"""Reads whether a lab matches its topology: the companions' states, the bridges' flows, the
instances' addresses.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from attrs import field, frozen

from dvr_ryu.companion.paths import RUN_DIRECTORY
from dvr_ryu.companion.providers import notes
from dvr_ryu.errors import HostError
from dvr_ryu.lab.hosts.host import LabHost
from dvr_ryu.lab.plugging import actual_ports, as_led
from dvr_ryu.pipeline.compile.pipelines import Pipelines
from dvr_ryu.topology.bridges import BRIDGES, Plug, bridge_of
from dvr_ryu.topology.model import PLUGGED, instance_namespace
from dvr_ryu.topology.topology import Topology
from dvr_ryu.topology.view import HostView

COMPANION_STATE = f"{RUN_DIRECTORY}/companion.json"
"""The companion's state file in a host: {"state": "applied", …} once all resources hold."""

_BOOT_SECONDS = 20.0
_OFCTL = ("ovs-ofctl", "-OOpenFlow14", "--no-names")
_PARSED = re.compile(r": ADD (?:table:(\d+) )?(priority=\S+) .*?(actions=.*)")
_DUMPED = re.compile(r"cookie=(0x[0-9a-f]+), .*? table=(\d+), .*?(priority=\S+) (actions=.*)")
"""Flows in ovs-ofctl's output: those that it parses, and those that a bridge has. Both are in the
terms of OpenFlow 1.4."""


@frozen
class Goal:
    """The state that every host of a lab has to reach."""

    topology: Topology
    version: str
    """The version of the source that the topology was read from."""
    pipelines: Pipelines
    hosts: Mapping[str, LabHost] = field(factory=dict, eq=False)
    """The lab's hosts: what roams may be on any of them."""

    def companion_has_applied(self, host: LabHost) -> bool:
        """Whether the host's companion reports that all resources of exactly this file hold."""
        return self._state(host) == "applied"

    def nothing_departs(self, host: LabHost) -> bool:
        """Whether the host has none of the instances that this file puts on other hosts."""
        return self._state(host) in ("applied", "failed")

    def _state(self, host: LabHost) -> str:
        """The state that the host's companion reports for this file; empty if for another."""

        def read(text: str) -> str:
            document = json.loads(text)
            return str(document["state"]) if document["topology"] == self.version else ""

        return notes.meaning(host.path(COMPANION_STATE), read) or ""

    def bridges_have_flows(self, host: LabHost) -> bool:
        """Whether the bridges have exactly those of our flows that the controller should make."""
        return not any(self.wrong_flows(host, bridge) for bridge in BRIDGES)

    def wrong_flows(self, host: LabHost, bridge: str) -> list[str]:
        """The flows of ours that a bridge has in excess, with -, or lacks, with +.

        ovs-ofctl prints both, so that equal flows have equal text.
        """
        view = HostView(as_led(self.topology, self.hosts), host.name)
        planned = view.planned_ofports(bridge)
        if bridge == bridge_of(Plug.DEVICES):
            planned = actual_ports(host, view.topology, planned)
        lines = self.pipelines.lines(bridge, view, planned)
        expected = host.run([*_OFCTL, "parse-flows", "-"], input="\n".join(lines)).stdout
        present = host.run([*_OFCTL, "dump-flows", bridge], check=False).stdout
        ours = {f"{cookie:#x}" for cookie in self.pipelines.cookies}
        desired = {_line(*flow) for flow in _PARSED.findall(expected)}
        installed = {_line(*flow) for cookie, *flow in _DUMPED.findall(present) if cookie in ours}
        return [
            *(f"-{flow}" for flow in installed - desired),
            *(f"+{flow}" for flow in desired - installed),
        ]

    def instances_have_addresses(self, host: LabHost) -> bool:
        """Whether every instance of the host has its address, from DHCP or not; others see to those
        that they plug in.
        """
        return all(
            f" {port.ip}/" in _addresses(host, instance_namespace(name))
            for name, port in self.topology.instances.items()
            if port.host == host.name and port.guest != PLUGGED
        )


def _addresses(host: LabHost, namespace: str) -> str:
    """The addresses of an instance; none, while a virtual machine does not answer."""
    try:
        command = ["ip", "address"]
        return host.run(command, namespace=namespace, check=False, timeout=_BOOT_SECONDS).stdout
    except HostError:
        return ""


def _line(table: str, match: str, actions: str) -> str:
    return f"table={table or 0},{match} {actions}"
