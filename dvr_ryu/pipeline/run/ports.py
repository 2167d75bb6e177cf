"""The ports of a bridge as NORMAL and outputs see them: numbers, tags, and which are protected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import frozen

from dvr_ryu.pipeline.language.numbers import RESERVED_PORTS
from dvr_ryu.topology import model
from dvr_ryu.topology.bridges import BRIDGES, Plug, patch_ports
from dvr_ryu.topology.view import HostView

LOCAL = RESERVED_PORTS["LOCAL"]


@frozen
class BridgePort:
    """One port. With a `tag` it is an access port of that VLAN, else a trunk of all VLANs. Open
    vSwitch forwards nothing between two protected ports. `peer` is the other end of a patch.
    Packets through a tunnel keep the fields of their tunnel.
    """

    name: str
    number: int
    tag: int | None = None
    protected: bool = False
    peer: str | None = None
    tunnel: bool = False


def planned_ports(bridge: str, view: HostView) -> tuple[BridgePort, ...]:
    """The ports that the companion makes on a bridge of a host, and the bridge's own port."""
    numbers = view.planned_ofports(bridge)
    ports = [BridgePort(bridge, LOCAL)]
    for here, there in patch_ports(bridge):
        ports.append(BridgePort(here.name, here.ofport, protected=here.protected, peer=there.name))
    plugged = _devices(view) if Plug.DEVICES in BRIDGES[bridge].plugs else ()
    ports += plugged
    known = {port.name for port in ports}
    others = ((name, number) for name, number in numbers.items() if name not in known)
    ports += (BridgePort(name, number, tunnel=True) for name, number in others)
    return tuple(ports)


def _devices(view: HostView) -> Iterator[BridgePort]:
    interfaces = (each for router in view.local_routers for each in router.interfaces)
    everything: Iterable[model.Port | model.RouterInterface] = (*interfaces, *view.local_ports)
    for port in everything:
        yield BridgePort(port.device, port.ofport, view.local_vlans[port.network], port.distributed)
