"""Check references: each name of a host, network or instance must exist in the file."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from dvr_ryu.topology.checks.findings import Findings
from dvr_ryu.topology.spec.declaration import TopologySpec
from dvr_ryu.topology.spec.yaml_nodes import Path
from dvr_ryu.topology.wording import suggestion


def check(spec: TopologySpec, findings: Findings) -> None:
    """Every unknown name, and names that would be taken for another's."""
    _References(spec, findings).check()
    for name in spec.instances.keys() & spec.hosts.keys():
        message = f"'{name}' is also a host; `dvr lab exec` takes both, so rename one"
        findings.at_key(("instances", name), message)


class _References:
    """The references of each kind of object."""

    def __init__(self, spec: TopologySpec, findings: Findings) -> None:
        self._spec = spec
        self._findings = findings
        self._hosts = findings.names("hosts")
        self._networks = findings.names("networks")
        self._instances = findings.names("instances")

    def check(self) -> None:
        self._of_hosts()
        self._of_networks()
        self._of_routers()
        for name, instance in self._spec.instances.items():
            if not instance.roams:
                self._host(("instances", name, "host"), instance.host)
            for path, card in instance.cards:
                self._network(("instances", name, *path, "network"), card.network)
        for ip, floating in self._spec.floating_ips.items():
            path = ("floating_ips", str(ip))
            self._one((*path, "instance"), floating.instance, self._instances, "instance")
            self._network((*path, "network"), floating.network)
            for index, each in enumerate(floating.port_forwardings):
                key_path = (*path, "port_forwardings", index, "instance")
                self._one(key_path, each.instance, self._instances, "instance")

    def _of_hosts(self) -> None:
        for name, host in self._spec.hosts.items():
            path = ("hosts", name)
            self._keys((*path, "local_vlans"), host.local_vlans, self._networks, "network")
            self._keys((*path, "tunnel_ports"), host.tunnel_ports, self._hosts, "host")

    def _of_networks(self) -> None:
        for name, network in self._spec.networks.items():
            path = ("networks", name)
            self._host((*path, "dhcp_host"), network.dhcp_host)
            self._host((*path, "gateway_host"), network.gateway_host)
            for at, subnet in enumerate(network.subnets):
                for index, each in enumerate(subnet.dhcp_ranges):
                    self._host((*path, "subnets", at, "dhcp_ranges", index, "host"), each.host)
            gateways = network.agent_gateways
            self._keys((*path, "agent_gateways"), gateways, self._hosts, "host")

    def _of_routers(self) -> None:
        for name, router in self._spec.routers.items():
            path = ("routers", name)
            self._network((*path, "external_network"), router.external_network)
            self._host((*path, "snat_host"), router.snat_host)
            for index, each in enumerate(router.interfaces):
                self._network((*path, "interfaces", index, "network"), each.network)

    def _host(self, path: Path, name: str | None) -> None:
        self._one(path, name, self._hosts, "host")

    def _network(self, path: Path, name: str | None) -> None:
        self._one(path, name, self._networks, "network")

    def _one(self, path: Path, name: str | None, known: Collection[str] | None, kind: str) -> None:
        if name is not None and known is not None and name not in known:
            self._findings.at_value(path, f"no {kind} '{name}'; {suggestion(name, known)}")

    def _keys(
        self, path: Path, names: Iterable[str], known: Collection[str] | None, kind: str
    ) -> None:
        for name in names:
            if known is not None and name not in known:
                message = f"no {kind} '{name}'; {suggestion(name, known)}"
                self._findings.at_key((*path, name), message)
