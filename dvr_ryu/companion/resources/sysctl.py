"""Settings of the kernel, by their paths below /proc/sys. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import field, frozen

from dvr_ryu.companion.paths import RUN_DIRECTORY
from dvr_ryu.companion.resources.device import device_key
from dvr_ryu.companion.resources.resource import Key, Resource
from dvr_ryu.companion.resources.shell import inside

NOTES = f"{RUN_DIRECTORY}/sysctls"
"""One file per setting that is to be restored: its earlier value."""


@frozen
class Sysctl(Resource):
    """A kernel setting of a namespace."""

    kind = "sysctl"
    identity = ("namespace", "name")
    namespace: str
    name: str
    value: str
    container: Key | None = field(eq=False, repr=False)
    after: tuple[Key, ...] = field(default=(), eq=False, repr=False)

    def describe(self) -> str:
        """Set the value."""
        return f"{inside(self.namespace)}sysctl -w {self.name}={self.value}"

    def make_lines(self, old: Sysctl | None, host: str) -> Iterator[str]:
        """Set the value, if this kernel has the setting."""
        yield f"{inside(self.namespace)}sysctl -q -e -w {self.name}={self.value}"

    def remove_lines(self, host: str) -> Iterator[str]:
        """Nothing: it ends with its namespace or its device."""
        yield from ()


@frozen
class RestoredSysctl(Resource):
    """A setting of an object that may outlast it, the host itself or an instance's card. A note
    stores its earlier value, which is restored when this resource ends.
    """

    kind = "kept-sysctl"
    identity = ("namespace", "name")
    notes = (NOTES,)
    outlives_container = True
    namespace: str
    name: str
    value: str

    @property
    def container(self) -> Key | None:
        """The card, below net/ipv4/conf."""
        return device_key(self.namespace, self.name.split("/")[3]) if self.namespace else None

    @property
    def note(self) -> str:
        """The file of the setting's earlier value."""
        name = self.name.replace("/", ".")
        return f"{NOTES}/{self.namespace}:{name}" if self.namespace else f"{NOTES}/{name}"

    def describe(self) -> str:
        """Set the value."""
        return f"{inside(self.namespace)}sysctl -w {self.name}={self.value}"

    def make_lines(self, old: RestoredSysctl | None, host: str) -> Iterator[str]:
        """Note the present value, then set the new one."""
        sysctl = f"{inside(self.namespace)}sysctl"
        if old is None:
            yield f"[ -e {self.note} ] || {sysctl} -n {self.name} > {self.note}"
        yield f"{sysctl} -q -w {self.name}={self.value}"

    def remove_lines(self, host: str) -> Iterator[str]:
        """Restore the noted value, if the setting still exists."""
        value = f'"$(cat {self.note})"'
        yield f"{inside(self.namespace)}sysctl -q -w {self.name}={value} 2> /dev/null || :"
        yield f"rm {self.note}"
