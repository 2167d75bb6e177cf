"""Types the commands of docs/three-servers.rst: at a desk, and into servers."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dvr_ryu.lab.wait import wait_until
from tests.machines.machine import Machine
from tests.servers.document import Command, commands, topology

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "three-servers.rst"
LOOKS = ("ping ", "ip netns exec ", "dvr status", "dvr companion check ")
"""Commands that only look: a person would look again some seconds later, and so does the test."""
PATIENCE = 600
TYPING = 1800
"""Seconds that a command may take. An installation takes minutes where qemu has no KVM."""


class Chapter:
    """The document's commands, and where they are typed."""

    def __init__(self, desk: Path, servers: Mapping[str, Machine]) -> None:
        """`desk` is an empty folder, where what the document has you save is saved."""
        text = DOCUMENT.read_text(encoding="utf-8")
        self.commands = list(commands(text))
        self.servers = servers
        self.desk = desk
        (desk / "topology.yaml").write_text(topology(text))
        (desk / "Makefile").write_text(
            f"deb:\n\tmake -C {ROOT} deb\n"
            f"\tmkdir -p build/deb\n\tcp {ROOT}/build/deb/*.deb build/deb\n"
        )

    def under(self, title: str) -> list[Command]:
        """Return the commands under a title."""
        return [each for each in self.commands if each.title == title]

    def type_all(self, chosen: Iterable[Command]) -> None:
        """Type commands in their order; into all servers at once, if it is for each of them."""
        for command in chosen:
            if command.where == "desk":
                self._type_at_desk(command)
                continue
            each = command.where == "server-*"
            servers = self.servers.values() if each else [self.servers[command.where]]
            with ThreadPoolExecutor() as threads:
                list(threads.map(lambda server: type_into(server, command), servers))  # noqa: B023

    def _type_at_desk(self, command: Command) -> None:
        """ssh and scp find the servers by their names, as they would at a desk."""
        config = self.desk / "ssh_config"
        config.write_text("".join(map(Machine.ssh_config, self.servers.values())))
        named = "".join(
            f'{name}() {{ command {name} -F {config} "$@"; }}\n' for name in ("ssh", "scp")
        )
        done = subprocess.run(
            ["bash", "-e", "-c", named + command.text],
            cwd=self.desk,
            capture_output=True,
            text=True,
            timeout=TYPING,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


def type_into(server: Machine, command: Command) -> None:
    """Type a command into a server. It must succeed, and print what the document shows."""
    if command.text.startswith(LOOKS):
        seen = ""

        def good() -> bool:
            nonlocal seen
            done = server.run(command.text, PATIENCE, check=False)
            seen = done.stdout + done.stderr
            return done.returncode == 0 and command.printed(done.stdout)

        wait_until(good, PATIENCE, f"{server.name}# {command.text}", lambda: seen)
        return
    done = server.run(command.text, TYPING)
    shown = (
        f"{server.name}# {command.text}\n{done.stdout}\nnot as in {DOCUMENT.name}:{command.line}"
    )
    assert command.printed(done.stdout), shown
