"""Find duplicates of pinned MACs, ids, VNIs, VLAN tags, ports, priorities, router pairs."""

from __future__ import annotations

from collections.abc import Mapping

from dvr_ryu.topology.allocation.ports import WantedPort, hosts_of
from dvr_ryu.topology.checks.findings import Claim, Findings, Unique, already
from dvr_ryu.topology.model import DEVICE_PREFIXES, ROUTER_INTERFACE, device_name
from dvr_ryu.topology.spec.declaration import TopologySpec
from dvr_ryu.topology.spec.yaml_nodes import Path

SAME_DEVICE = (
    "device {value} would also be that of {other} (line {line}); change the id's beginning"
)


def check(spec: TopologySpec, ports: list[WantedPort], findings: Findings) -> None:
    """Every number that is pinned twice where only one may have it."""
    _check_macs(spec, ports, findings)
    _check_ids(spec, ports, findings)
    _check_hosts(spec, findings)
    vnis = Unique(findings, already("VNI"))
    for name, network in spec.networks.items():
        if network.vni:
            vnis.claim(network.vni, Claim(f"'{name}'", ("networks", name, "vni")))
    _check_links(spec, findings)
    _check_rule_priorities(spec, findings)


def _check_macs(spec: TopologySpec, ports: list[WantedPort], findings: Findings) -> None:
    dvr_macs = Unique(findings, already("DVR MAC"))
    for name, host in spec.hosts.items():
        if host.dvr_mac:
            dvr_macs.claim(host.dvr_mac, Claim(f"host '{name}'", ("hosts", name, "dvr_mac")))
    on_network = Unique(findings, already("MAC"))
    for port in ports:
        mac = port.pins.mac
        if mac:
            claim = Claim(str(port), (*port.path, "mac"))
            dvr_macs.refuse(mac, claim)
            on_network.claim((port.network, mac), claim, mac)


def _check_ids(spec: TopologySpec, ports: list[WantedPort], findings: Findings) -> None:
    """No duplicate ids, and no two devices of one name, which has only an id's prefix."""
    ids, devices = Unique(findings, already("id")), Unique(findings, SAME_DEVICE)
    for port in ports:
        if port.pins.id:
            claim = Claim(str(port), (*port.path, "id"))
            ids.claim(port.pins.id, claim)
            prefix = "qr-" if port.owner == ROUTER_INTERFACE else DEVICE_PREFIXES[port.owner]
            devices.claim(device_name(prefix, port.pins.id), claim)
    for name, network in spec.networks.items():
        if network.id:
            ids.claim(network.id, Claim(f"network '{name}'", ("networks", name, "id")))
    for name, router in spec.routers.items():
        if router.id:
            claim = Claim(f"router '{name}'", ("routers", name, "id"))
            ids.claim(router.id, claim)
            devices.claim(device_name("fpr-", router.id), claim)


def _check_hosts(spec: TopologySpec, findings: Findings) -> None:
    datapaths = Unique(findings, already("datapath id"))
    for name, host in spec.hosts.items():
        path = ("hosts", name)
        for bridge, number in host.datapath_ids.items():
            claim = Claim(f"{bridge} of host '{name}'", (*path, "datapath_ids", bridge))
            datapaths.claim(number, claim)
        _check_pins((*path, "local_vlans"), host.local_vlans, "VLAN tag", findings)
        _check_pins((*path, "tunnel_ports"), host.tunnel_ports, "port", findings)
        if name in host.tunnel_ports:
            message = f"'{name}' has no tunnel to itself; remove this"
            findings.at_key((*path, "tunnel_ports", name), message)


def _check_pins(path: Path, pins: Mapping[str, int], kind: str, findings: Findings) -> None:
    unique = Unique(findings, already(kind))
    for name, number in pins.items():
        unique.claim(number, Claim(f"'{name}'", (*path, name)))


def _check_links(spec: TopologySpec, findings: Findings) -> None:
    pairs = Unique(findings, already("link-local pair"))
    for name, router in spec.routers.items():
        path, link = ("routers", name, "fip_link"), router.fip_link
        if link.cidr:
            pairs.claim(link.cidr, Claim(f"router '{name}'", (*path, "cidr")))
        macs = Unique(findings, already("MAC"))
        for field, mac in (("rfp_mac", link.rfp_mac), ("fpr_mac", link.fpr_mac)):
            if mac:
                macs.claim(mac, Claim("the link's other end", (*path, field)))


def _check_rule_priorities(spec: TopologySpec, findings: Findings) -> None:
    """A rule is on its instance's host, beside those of the others there."""
    unique = Unique(findings, already("rule priority"))
    for ip, floating in spec.floating_ips.items():
        instance = spec.instances.get(floating.instance or "")
        if floating.rule_priority and instance and floating.distributed:
            claim = Claim(str(ip), ("floating_ips", str(ip), "rule_priority"))
            for host in hosts_of(instance, spec):
                unique.claim((host, floating.rule_priority), claim, floating.rule_priority)
