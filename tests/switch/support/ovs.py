"""Runs a real Open vSwitch for a test: its daemons, database and sockets are in a folder, and no
kernel has its packets.

It runs the userspace datapath of Open vSwitch with dummy ports, needs no root, and shares nothing
with the machine's Open vSwitch.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"


class Ovs:
    """Running daemons; their files are in `folder`. `tunnels`: tunnel ports are tunnels, and not
    dummies as all other ports.
    """

    def __init__(self, folder: Path, tunnels: bool = False) -> None:
        self.folder = folder
        self._dummies = "--enable-dummy" if tunnels else "--enable-dummy=override"
        self.environment = {
            **os.environ,
            "OVS_RUNDIR": str(folder),
            "OVS_LOGDIR": str(folder),
            "OVS_DBDIR": str(folder),
            "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin",
        }
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Start both daemons, and wait until they answer."""
        self.start_database()
        self.run("ovs-vsctl", "--retry", "--no-wait", "init")
        self._daemon(
            "ovs-vswitchd",
            self._dummies,
            "--disable-system",
            "--disable-system-route",
            "--pidfile",
            f"unix:{self.folder}/db.sock",
        )
        self.vsctl("--retry", "show")

    def start_database(self, schema: str = SCHEMA) -> None:
        """Start ovsdb-server alone; make an empty database if there is none."""
        database = self.folder / "conf.db"
        if not database.exists():
            self.run("ovsdb-tool", "create", str(database), schema)
        remote = f"--remote=punix:{self.folder}/db.sock"
        self._daemon("ovsdb-server", str(database), remote, "--pidfile")

    def stop(self) -> None:
        """End both daemons."""
        for daemon in reversed(self._daemons.values()):
            daemon.kill()
            daemon.wait()
        self._daemons.clear()

    def signal(self, daemon: str, number: int) -> None:
        """Send a signal to a daemon."""
        self._daemons[daemon].send_signal(number)

    def _daemon(self, name: str, *arguments: str) -> None:
        log = (self.folder / f"{name}.log").open("ab")
        with log:
            daemon = subprocess.Popen(
                [name, *arguments], env=self.environment, stdout=log, stderr=log, cwd=self.folder
            )
        self._daemons[name] = daemon

    def run(self, *command: str, input: str | None = None) -> str:
        """Run a tool of Open vSwitch on this one; return its output."""
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, input=input, timeout=60
        )
        if done.returncode:
            raise AssertionError(f"{' '.join(command)}: {done.stderr}{done.stdout}")
        return done.stdout

    def vsctl(self, *arguments: str) -> str:
        return self.run("ovs-vsctl", "--timeout=20", *arguments)

    def add_bridge(
        self,
        bridge: str,
        description: str,
        ports: dict[str, int],
        controller: str,
        protocols: str = "OpenFlow10,OpenFlow13,OpenFlow14",
    ) -> None:
        """Add a bridge like the companion's, with dummy ports instead of patches, tunnels and
        devices.
        """
        arguments = [
            "add-br",
            bridge,
            "--",
            "set",
            "bridge",
            bridge,
            "fail_mode=secure",
            "datapath_type=dummy",
        ]
        arguments += [f"other_config:dp-desc={description}", f"protocols={protocols}"]
        for port, number in ports.items():
            arguments += [
                "--",
                "add-port",
                bridge,
                port,
                "--",
                "set",
                "interface",
                port,
                "type=dummy",
            ]
            arguments += [f"ofport_request={number}"]
        self.vsctl(*arguments, "--", "set-controller", bridge, controller)

    def flows(self, bridge: str, *arguments: str) -> list[str]:
        """The flows of a bridge, as `ovs-ofctl dump-flows` prints them without its counters."""
        printed = self.run("ovs-ofctl", "--no-stats", *arguments, "dump-flows", bridge)
        return [line.strip() for line in printed.splitlines() if "actions=" in line]


def flow_file(lines: Iterable[str]) -> str:
    """Join flow lines to the text of a file."""
    return "".join(f"{line}\n" for line in lines)
