"""When a lab is what its topology says: what companions tell, which flows bridges have, and which
addresses instances. Only reads.
"""

from __future__ import annotations

import json
import re
from hashlib import sha256
from pathlib import Path

from attrs import frozen

from dvr_ryu.companion.paths import RUN_DIRECTORY
from dvr_ryu.companion.providers import notes
from dvr_ryu.lab.hosts.host import LabHost
from dvr_ryu.pipeline.compile.pipelines import Pipelines
from dvr_ryu.topology.bridges import BRIDGES
from dvr_ryu.topology.model import instance_namespace
from dvr_ryu.topology.topology import Topology
from dvr_ryu.topology.view import HostView

COMPANION_STATE = f"{RUN_DIRECTORY}/companion.json"
"""In a host: what its companion has done. {"state": "applied", …} once all resources hold."""

_OFCTL = ("ovs-ofctl", "-OOpenFlow14", "--no-names")
_PARSED = re.compile(r": ADD (?:table:(\d+) )?(priority=\S+) .*?(actions=.*)")
_DUMPED = re.compile(r"cookie=(0x[0-9a-f]+), .*? table=(\d+), .*?(priority=\S+) (actions=.*)")
"""Flows as ovs-ofctl prints those that it reads, and those that a bridge has; all in OpenFlow 1.4's
words."""


@frozen
class Goal:
    """What every host of a lab shall come to."""

    topology: Topology
    digest: str
    """The SHA-256 of the file that the topology was read from."""
    pipelines: Pipelines

    @classmethod
    def of(cls, topology: Topology, path: Path, pipelines: Pipelines) -> Goal:
        """The goal of a topology that was read from `path`."""
        return cls(topology, sha256(path.read_bytes()).hexdigest(), pipelines)

    def companion_has_applied(self, host: LabHost) -> bool:
        """Whether the host's companion says that all resources of this very file hold."""
        return self._state(host) == "applied"

    def nothing_departs(self, host: LabHost) -> bool:
        """Whether no instance that is elsewhere in this file is still on the host."""
        return self._state(host) in ("applied", "failed")

    def _state(self, host: LabHost) -> str:
        """What the host's companion says of this very file."""

        def read(text: str) -> str:
            document = json.loads(text)
            return str(document["state"]) if document["topology"] == self.digest else ""

        return notes.meaning(host.path(COMPANION_STATE), read) or ""

    def bridges_have_flows(self, host: LabHost) -> bool:
        """Whether the bridges have the flows that the controller owes them, and no more of its."""
        return not any(self.wrong_flows(host, bridge) for bridge in BRIDGES)

    def wrong_flows(self, host: LabHost, bridge: str) -> list[str]:
        """The flows of ours that a bridge has too many, with -, or lacks, with +.

        ovs-ofctl puts both into the same words.
        """
        lines = self.pipelines.lines(bridge, HostView(self.topology, host.name))
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
        """Whether every instance of the host has its address, by DHCP or not."""
        return all(
            f" {port.ip}/" in host.run(["ip", "address"], namespace=namespace, check=False).stdout
            for name, port in self.topology.instances.items()
            if port.host == host.name
            for namespace in (instance_namespace(name),)
        )


def _line(table: str, match: str, actions: str) -> str:
    return f"table={table or 0},{match} {actions}"
