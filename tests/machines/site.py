"""Some machines and links that belong together. They end with the site, however a test ends."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from tests.machines.image import cache, image
from tests.machines.link import Link
from tests.machines.machine import Machine


class Site:
    """Machines and links from `with` to its end, where their disks are removed, too."""

    def __init__(self) -> None:
        self._stack = ExitStack()

    def __enter__(self) -> Site:
        cache().mkdir(parents=True, exist_ok=True)
        folder = tempfile.TemporaryDirectory(dir=cache(), prefix="site-")
        self._folder = Path(self._stack.enter_context(folder))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def link(self, name: str = "link") -> Link:
        """Return a new link, to which machines may be made."""
        return self._stack.enter_context(Link(self._folder, name))

    def machine(
        self,
        name: str,
        release: str = "12",
        links: Sequence[Link] = (),
        packages: Sequence[str] = (),
        memory: int = 1024,
        vcpus: int = 1,
    ) -> Machine:
        """Return a new machine with a release of Debian and some more packages. It is off."""
        made = Machine(name, image(release, packages), self._folder, links, memory, vcpus)
        self._stack.callback(made.stop, hard=True)
        return made


def start(machines: Sequence[Machine]) -> None:
    """Start machines beside one another, and return when all take commands."""
    for machine in machines:
        machine.power_on()
    for machine in machines:
        machine.wait_until_up()
