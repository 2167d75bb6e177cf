"""The bridges of a host, the patches between them and the tunnels to the other hosts. Pure.

Every port has its tag from the transaction that makes it, and all bridges are `secure`: they
forward only by the controller's flows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping

from attrs import evolve

from dvr_ryu.companion.resources.namespace import ROOT
from dvr_ryu.companion.resources.openvswitch.bridge import Bridge
from dvr_ryu.companion.resources.openvswitch.datapath import NETDEV
from dvr_ryu.companion.resources.openvswitch.ofctl import OPENFLOW
from dvr_ryu.companion.resources.openvswitch.port import OvsPort
from dvr_ryu.companion.resources.resource import Key, Resource
from dvr_ryu.topology import model
from dvr_ryu.topology.bridges import BRIDGES, PatchPort, Plug, bridge_of, patch_ports
from dvr_ryu.topology.controller import Controller
from dvr_ryu.topology.view import HostView

_MAC = "other_config:hwaddr"


def resources(
    view: HostView, datapath_type: str, controller: Controller | None
) -> Iterator[Resource]:
    """Yield the bridges, their patch ports and one tunnel port per other host."""
    for name in BRIDGES:
        yield _bridge(view, name, datapath_type, controller)
    for name in BRIDGES:
        for here, there in patch_ports(name):
            yield _patch(name, here, there)
    yield from tunnels(view)


def tunnels(view: HostView) -> Iterator[OvsPort]:
    """Yield the tunnels to the other hosts."""
    bridge = bridge_of(Plug.TUNNELS)
    ofports = view.planned_ofports(bridge)
    for tunnel in view.tunnel:
        options = {
            "ofport_request": str(ofports[tunnel.port]),
            "options:df_default": "true",
            "options:key": "flow",
            "options:local_ip": view.host.address,
            "options:remote_ip": tunnel.address,
            "type": view.topology.underlay.tunnel_type,
        }
        yield OvsPort(bridge, tunnel.port, ROOT, None, options)


def _bridge(view: HostView, name: str, datapath_type: str, controller: Controller | None) -> Bridge:
    description = f"{view.host.name}/{name}"
    settings = {
        "datapath_type": datapath_type,
        "fail_mode": "secure",
        "mcast_snooping_enable": "false",
        "other_config:disable-in-band": "true",
        "other_config:dp-desc": description,
        _MAC: _stable_mac(description),
        "protocols": OPENFLOW,
    }
    if name in view.host.datapath_ids:
        settings["other_config:datapath-id"] = f"{view.host.datapath_ids[name]:016x}"
    return Bridge(name, settings, _controller(controller))


def datapath_of(present: Iterable[Bridge], available: str) -> str:
    """The datapath's type on a host: userspace, if present bridges have it; else the type that is
    `available` to Open vSwitch. A patch cannot join bridges of the two types.

    So a host that began without the kernel's module stays as it is once there is one: the change
    would cut all its networks, and belongs to an administrator.
    """
    return NETDEV.type if any(map(is_userspace, present)) else available


def is_userspace(bridge: Bridge) -> bool:
    """Whether a bridge has Open vSwitch's userspace datapath."""
    return bridge.settings["datapath_type"] == NETDEV.type


def adopted(present: Iterable[Bridge]) -> dict[str, Bridge]:
    """Those of present bridges that were here before us, by name."""
    return {bridge.name: bridge for bridge in present if bridge.before is not None}


def beside_adopted(resource: Resource, adopted: Mapping[str, Bridge]) -> Resource:
    """Return a resource adapted to adopted bridges: these retain their MACs, and the foreign ports
    on them their numbers, which a port that requests one could take.
    """
    if isinstance(resource, OvsPort) and resource.bridge in adopted:
        interface = {k: v for k, v in resource.interface.items() if k != "ofport_request"}
        return evolve(resource, interface=interface)
    if isinstance(resource, Bridge) and resource.name in adopted:
        settings = {key: value for key, value in resource.settings.items() if key != _MAC}
        if _MAC in (its := adopted[resource.name].settings):
            settings[_MAC] = its[_MAC]
        return evolve(resource, settings=settings)
    return resource


def _controller(controller: Controller | None) -> dict[str, str]:
    if controller is None:
        return {}
    return {
        "target": str(controller),
        "connection_mode": "out-of-band",
        # By default, OVS waits up to 8 s before it retries an unreachable controller.
        "max_backoff": "1000",
    }


def _stable_mac(description: str) -> str:
    """A locally administered MAC for a bridge.

    By default, OVS takes the least of its ports' MACs. The datapath id, and so the connection to
    the controller, would change with the ports.
    """
    digest = hashlib.sha256(description.encode()).digest()
    return ":".join(f"{byte:02x}" for byte in (0x02, *digest[:5]))


def _patch(bridge: str, here: PatchPort, there: PatchPort) -> OvsPort:
    interface = {
        "ofport_request": str(here.ofport),
        "options:peer": there.name,
        "type": "patch",
    }
    return OvsPort(bridge, here.name, ROOT, None, interface, protected=here.protected)


def integration_port(
    view: HostView,
    port: model.Port | model.RouterInterface,
    namespace: str,
    outer: Key | None = None,
) -> OvsPort:
    """A port of br-int on its network's local VLAN, with Neutron's external_ids.

    Open vSwitch makes its device, unless that is `outer`: a tap, or an end of a pair of veth
    devices. A port that other hosts have, too, is protected, like the patch to br-tun: so its MAC
    leaves the host only by flows that match it, and never while these are missing.
    """
    interface = dict(_interface(port, "internal" if outer is None else ""))
    if namespace == ROOT and outer is None:
        # By default, OVS sets the least MTU of all other devices on the bridge.
        interface["mtu_request"] = str(view.topology.underlay.overlay_mtu)
    return OvsPort(
        bridge_of(Plug.DEVICES),
        port.device,
        namespace,
        view.local_vlans[port.network],
        interface,
        protected=port.distributed,
        outer=outer,
    )


def _interface(port: model.Port | model.RouterInterface, type: str) -> Mapping[str, str]:
    interface = {
        "external_ids:attached-mac": port.mac,
        "external_ids:iface-id": port.id,
        "external_ids:iface-status": "active",
        "ofport_request": str(port.ofport),
    }
    return {**interface, "type": type} if type else interface
