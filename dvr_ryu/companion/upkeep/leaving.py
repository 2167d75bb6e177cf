"""Retain instances that leave this host until they have arrived elsewhere: make before break.

An instance that moves stays here until the controller has shut its ports: by then all flows lead to
the new host. Without a controller it stays for a while. If the host that it leaves goes, too, all
other hosts retain their tunnels to that host as long as flows lead there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from itertools import chain

from attrs import evolve, field, frozen

from dvr_ryu.companion.desired.virtual_machines import migration_uri
from dvr_ryu.companion.host import Host
from dvr_ryu.companion.providers.commands import run
from dvr_ryu.companion.providers.netlink import links
from dvr_ryu.companion.providers.ovs_ofctl import flows
from dvr_ryu.companion.providers.processes import migrations
from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.topology.bridges import Plug, bridge_of
from dvr_ryu.topology.loading import Declaration
from dvr_ryu.topology.model import QEMU
from dvr_ryu.topology.placement import Retained, retained
from dvr_ryu.topology.topology import Topology
from dvr_ryu.topology.view import HostView

PATIENCE = 10.0
"""Seconds for which leaving instances are retained without a controller."""


@frozen
class Leaving:
    """The instances that this host retains, and the deadline for that without a controller."""

    retained: Retained
    deadline: float = field(eq=False)
    """By the monotonic clock."""
    machines: Mapping[str, str] = field(factory=dict, eq=False)
    """Virtual machine that moves on → where its new host awaits it."""

    @classmethod
    def of(cls, host: str, before: Topology, declaration: Declaration) -> Leaving | None:
        """The instances and tunnels that an edit takes from a host, as far as they are there."""
        found = retained(host, before, declaration)
        if found is None:
            return None
        machines = {
            name: migration_uri(declaration.topology, name)
            for name in found.devices
            if before.instances[name].guest == QEMU
        }
        leaving = cls(found, time.monotonic() + PATIENCE, machines)
        return leaving.still_here(lambda: False)

    def __str__(self) -> str:
        return str(self.retained)

    def silence(self) -> None:
        """Shut their ports that are still up: their clients must not give back leases in use."""
        up = links.up(self._devices())
        if up:
            run(["ip", "-batch", "-"], "".join(f"link set {device} down\n" for device in up))

    def send_machines(self) -> None:
        """Send the virtual machines that are still here to their new hosts."""
        for name, uri in self.machines.items():
            if name in self.retained.devices:
                migrations.send(name, uri)

    def still_here(self, is_led: Callable[[], bool]) -> Leaving | None:
        """The part still needed here: a controller ends it, if there is one; `is_led` is asked once
        it takes long.
        """
        now, deadline = time.monotonic(), self.deadline
        if now > deadline:
            if not is_led():
                return None
            deadline = now + PATIENCE
        bridge, tunnels = bridge_of(Plug.TUNNELS), self.retained.tunnels.values()
        used = {device for device in tunnels if flows.use(bridge, device)}
        still = self.retained.still({*links.up(self._devices())}, used)
        return evolve(self, retained=still, deadline=deadline) if still else None

    def _devices(self) -> Iterable[str]:
        return chain.from_iterable(self.retained.devices.values())

    def resources(self, host: Host) -> tuple[Resource, ...]:
        """The tunnels, as they were."""
        if not self.retained.tunnels:
            return ()
        return host.tunnels(HostView(self.retained.before, host.name), self.retained.tunnels)
