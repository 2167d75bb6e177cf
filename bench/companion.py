"""Measures how long the companion takes to make a host; the peer is a shell script that people
would type.

*Apply* is the whole process of `dvr companion apply` on the bare host. The peer is sh with the
output of `dvr companion plan --as script`, one command a line, on the same host. After either of
them, plan must find nothing to change.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from attrs import frozen

from bench.figures import Figure, Goal, alternate
from bench.rig.bare_host import SECONDS, BareHost, lab_host

INSTANCES = 200
ROUNDS = 5


def measure() -> Iterator[Figure]:
    """The figures, in seconds. Needs root."""
    with lab_host() as bare:
        bare.write(INSTANCES)
        yield from _Making(bare).figures()


@frozen
class _Making:
    """Makes a host by the companion and by the script."""

    _bare: BareHost

    def figures(self) -> Iterator[Figure]:
        ours, script = alternate(ROUNDS, self._apply, self._follow_script)
        self._apply()
        again = median(self._seconds("apply") for _ in range(ROUNDS))
        down = self._seconds("down")
        name = f"host of {INSTANCES} instances"
        yield Figure(f"{name}: apply", "s", ours, script, "shell script", Goal(0.1))
        yield Figure(f"{name}: second apply", "s", again, goal=Goal(1, absolute=True))
        yield Figure(f"{name}: down", "s", down)

    def _apply(self) -> float:
        """The time that the companion takes for a bare host."""
        self._empty()
        return self._seconds("apply")

    def _follow_script(self) -> float:
        """The time that the script takes for a bare host."""
        self._empty()
        host, plan = self._bare.host, self._bare.command("plan")
        planned = host.run([*plan, "--as", "script"], check=False).stdout
        seconds = self._bare.seconds("sh", "-s", input=planned)
        host.run(plan)  # fails if a change is left
        return seconds

    def _empty(self) -> None:
        self._bare.host.run(self._bare.command("down"), timeout=SECONDS)

    def _seconds(self, verb: str) -> float:
        return self._bare.seconds(*self._bare.command(verb))
