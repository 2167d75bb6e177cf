"""Programs that serve a device. Pure."""

from __future__ import annotations

from attrs import field, frozen

from dvr_ryu.companion.paths import RUN_DIRECTORY
from dvr_ryu.companion.resources.resource import Key, Resource


@frozen
class Process(Resource):
    """A program that serves a device, with its exact words; its `pid_file` is among them."""

    kind = "process"
    identity = ("name",)
    outlives_container = True
    name: str
    namespace: str
    argv: tuple[str, ...]
    container: Key = field(eq=False, repr=False)


def pid_file(process: str) -> str:
    """The file that holds the number of a process of ours."""
    return f"{RUN_DIRECTORY}/processes/{process}.pid"
