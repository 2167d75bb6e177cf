"""Programs that serve a device. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from attrs import field, frozen

from dvr_ryu.companion.paths import RUN_DIRECTORY
from dvr_ryu.companion.resources.resource import Key, Resource
from dvr_ryu.companion.resources.shell import inside

NOTES = f"{RUN_DIRECTORY}/processes"
"""The folder where the programs write their pid files."""
DAEMONS = ("dnsmasq", "qemu-system-x86_64")
"""Programs that go to the background by themselves, once they serve; others do not."""
DHCP_SCRIPT = "udhcpc.script"
"""Stands in a DHCP client's argv for the path of the script that the package ships."""
DHCP_SCRIPT_PATH = str(Path(__file__).parents[1] / DHCP_SCRIPT)
NAMESPACE_VARIABLE = "NETNS"
"""The environment variable with the name of the namespace of the clients' script."""


def pid_file(process: str) -> str:
    """The file that holds the number of a process of ours."""
    return f"{NOTES}/{process}.pid"


def with_script_path(argv: Sequence[str]) -> list[str]:
    """Return an argv in which the path of the clients' script replaces its placeholder."""
    return [DHCP_SCRIPT_PATH if each == DHCP_SCRIPT else each for each in argv]


@frozen
class Process(Resource):
    """A program that serves a device, with its exact argv, which names its `pid_file`."""

    kind = "process"
    identity = ("name",)
    notes: ClassVar[tuple[str, ...]] = (NOTES,)
    outlives_container = True
    name: str
    namespace: str
    argv: tuple[str, ...]
    container: Key = field(eq=False, repr=False)

    @property
    def programs(self) -> tuple[str, ...]:
        """The program itself."""
        return self.argv[:1]

    def describe(self) -> str:
        """Start it."""
        return inside(self.namespace) + shlex.join(self.argv)

    def make_lines(self, old: Process | None, host: str) -> Iterator[str]:
        """Start it. First it ends the program that it replaces, also one that served a device that
        has just been replaced.
        """
        if old is not None:
            yield from self.remove_lines(host)
        else:
            end = "; ".join(self.remove_lines(host))
            yield f"[ ! -s {pid_file(self.name)} ] || {{ {end}; }}"
        yield self.start_line()

    def start_line(self) -> str:
        """Start it, if it does not run."""
        command = f"{inside(self.namespace)}{shlex.join(with_script_path(self.argv))}"
        if self.argv[0] in DAEMONS:
            return command
        variable = f"{NAMESPACE_VARIABLE}={self.namespace}"
        return f"{variable} {command} < /dev/null > /dev/null 2>&1 &"

    def remove_lines(self, host: str) -> Iterator[str]:
        """End it, and wait until it has ended."""
        file = pid_file(self.name)
        yield f'pid="$(cat {file})"'
        yield 'kill "$pid" || :'
        yield 'tail -s 0.1 --pid="$pid" -f /dev/null'
        yield f"rm -f {file}"
