"""The hosts of a traced network, each with cables, kernel and bridges, made when needed. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from dvr_ryu.companion.desired import desired_resources
from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.pipeline.compile.pipelines import Pipelines
from dvr_ryu.pipeline.language.pipeline import Pipeline
from dvr_ryu.pipeline.run.bridge import Bridge
from dvr_ryu.topology.model import NAMESPACE
from dvr_ryu.topology.topology import Topology
from dvr_ryu.topology.view import HostView
from dvr_ryu.trace.cabling import Cabling
from dvr_ryu.trace.kernel.host import HostKernel


class TracedHost:
    """One host. Nothing in it changes: states are values of a walk."""

    def __init__(
        self, topology: Topology, pipelines: Pipelines, name: str, datapath_type: str
    ) -> None:
        """Raise KeyError for a host that the topology does not have."""
        self.view = HostView(topology.as_namespaces, name)
        self.guests = {each.name for each in topology.cards if each.guest != NAMESPACE}
        """The instances that are no namespaces in truth."""
        self._pipelines = pipelines
        self._datapath_type = datapath_type
        self._bridges: dict[str, Bridge] = {}

    @cached_property
    def resources(self) -> tuple[Resource, ...]:
        """The resources that the host should have."""
        return desired_resources(self.view, self._datapath_type)

    @cached_property
    def cabling(self) -> Cabling:
        """Its cables."""
        return Cabling(self.resources)

    @cached_property
    def kernel(self) -> HostKernel:
        """Its kernel, with all namespaces."""
        return HostKernel(self.resources, self.view)

    def bridge(self, name: str) -> Bridge:
        """One of its bridges, with the flows that it should have."""
        if name not in self._bridges:
            pipeline = self._pipelines.by_bridge.get(name, Pipeline(name, "", ()))
            self._bridges[name] = Bridge(pipeline, self.view)
        return self._bridges[name]


class Hosts:
    """The hosts of a topology, each made when it is first asked for."""

    def __init__(
        self,
        topology: Topology,
        pipelines: Pipelines,
        datapath_type: str,
        others: Mapping[str, str],
    ) -> None:
        """`others`: the hosts whose datapath is not of `datapath_type`, each with its own."""
        self.topology = topology
        self._pipelines = pipelines
        self._datapath_type = datapath_type
        self._others = others
        self._made: dict[str, TracedHost] = {}
        self._by_address = {each.address: name for name, each in topology.hosts.items()}

    def __getitem__(self, name: str) -> TracedHost:
        """A host by its name. KeyError for an unknown one."""
        if name not in self._made:
            datapath_type = self._others.get(name, self._datapath_type)
            self._made[name] = TracedHost(self.topology, self._pipelines, name, datapath_type)
        return self._made[name]

    def at(self, address: str) -> str | None:
        """The name of the host with an underlay address."""
        return self._by_address.get(address)
