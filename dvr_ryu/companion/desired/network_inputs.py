"""The inputs of one network's resources, as parts of a view: to compare, not to use. Pure."""

from __future__ import annotations

from dvr_ryu.companion.desired.cache import ResourceCache
from dvr_ryu.topology import model
from dvr_ryu.topology.view import HostView


class NetworkInputs:
    """The networks of a view, each with all that is on it."""

    def __init__(self, view: HostView, cache: ResourceCache) -> None:
        topology = view.topology
        gateways: dict[str, list[model.RouterInterface]] = {}
        for router in topology.routers.values():
            for each in router.interfaces:
                gateways.setdefault(each.network, []).append(each)
        self._of = {
            name: (
                view.host.name,
                topology.underlay,
                topology.networks[name],
                vlan,
                cache.value(name, topology.ports_in[name]),
                gateways.get(name),
            )
            for name, vlan in view.local_vlans.items()
        }

    def of(self, network: str) -> tuple[object, ...]:
        """Return values that are equal as long as the network has the same tag, ports and
        gateways."""
        return self._of[network]
