"""The kernel of one host: each of its namespaces receives and sends packets, as values. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from dvr_ryu.companion.resources.namespace import ROOT, in_instance
from dvr_ryu.companion.resources.netfilter.hooked_chain import HookedChain
from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.pipeline.run.packet import Packet
from dvr_ryu.topology import model
from dvr_ryu.topology.view import HostView
from dvr_ryu.trace.kernel import input, local, neighbours, output
from dvr_ryu.trace.kernel.addresses import ip_number
from dvr_ryu.trace.kernel.outcome import Outcome
from dvr_ryu.trace.kernel.request import Request
from dvr_ryu.trace.kernel.setup.configuration import UNDERLAY, Configuration
from dvr_ryu.trace.kernel.setup.namespace import NetworkNamespace
from dvr_ryu.trace.kernel.setup.routes import LOOPBACK, Found
from dvr_ryu.trace.kernel.state import KernelState
from dvr_ryu.trace.kernel.visit import Visit

__all__ = ["UNDERLAY", "HostKernel"]


class HostKernel:
    """The kernel of one host. It is a value: what it remembers is in the KernelState.

    Namespaces have the names of resources, and are made at their first use; "" is the host's own.
    """

    def __init__(
        self,
        resources: Iterable[Resource],
        view: HostView,
        *,
        announced: Mapping[str, Collection[str]] | None = None,
        inherited: Mapping[str, int] | None = None,
    ) -> None:
        """`resources` are all of the host's desired ones. `announced`: instance → addresses of its
        allowed_address_pairs that it has. `inherited`: sysctls of new namespaces on this machine
        that are not the kernel's defaults, such as {"rp_filter": 2}.
        """
        self._view = view
        self._announced = announced or {}
        self._inherited = inherited or {}
        self._made: dict[str, NetworkNamespace] = {}
        self._nics: dict[str, list[model.Port]] = {}
        for port in view.local_ports_of(model.COMPUTE):
            self._nics.setdefault(model.instance_namespace(port.name), []).append(port)
        self._resources: dict[str, list[Resource]] = {ROOT: []}
        for each in resources:
            name = ROOT if isinstance(each, HookedChain) else getattr(each, "namespace", None)
            if name is not None:
                self._resources.setdefault(name, []).append(each)

    @property
    def namespaces(self) -> Collection[str]:
        """The names of all namespaces."""
        return self._resources.keys()

    def namespace(self, name: str) -> NetworkNamespace:
        """A namespace by its name. KeyError for an unknown one; UnknownRule if it has a rule of
        iptables that cannot be computed.
        """
        if name not in self._made:
            self._made[name] = self._configured(name)
        return self._made[name]

    def _configured(self, name: str) -> NetworkNamespace:
        made = Configuration(name)
        made.add_all(self._resources[name])
        if name == ROOT:
            made.add_underlay(self._view)
        if name == ROOT or in_instance(name):
            made.add_programs()
        for port in self._nics.get(name, ()):
            made.add_lease(self._view, port)
            for ip in self._announced.get(port.name, ()):
                if port.may_have(ip):
                    made.add_virtual(port, ip)
        return made.made(self._inherited)

    # What happens -------------------------------------------------------------------------------

    def receive(self, namespace: str, device: str, packet: Packet, state: KernelState) -> Outcome:
        """A frame arrives at a device. KeyError for an unknown namespace or device."""
        return self._visited(namespace, state, lambda visit: input.receive(visit, device, packet))

    def send(self, namespace: str, request: Request, state: KernelState) -> Outcome:
        """A program sends a packet."""

        def sent(visit: Visit) -> None:
            back = output.send(visit, request)
            if back is not None:
                local.take(visit, back)

        return self._visited(namespace, state, sent)

    def ask(self, namespace: str, device: str, ip: str, state: KernelState) -> Outcome:
        """A program asks by ARP for the MAC of an address, as arping does."""
        number = ip_number(ip)

        def asked(visit: Visit) -> None:
            neighbours.ask(visit, device, number, visit.net.source_for(device, number))

        return self._visited(namespace, state, asked)

    def _visited(self, namespace: str, state: KernelState, act: Callable[[Visit], None]) -> Outcome:
        visit = Visit(self.namespace(namespace), state.of(namespace))
        act(visit)
        return Outcome(
            tuple(visit.steps),
            tuple(visit.frames),
            tuple(visit.delivered),
            tuple(visit.dropped),
            state.having(namespace, visit.state),
        )

    # What it would do ---------------------------------------------------------------------------

    def route(
        self, namespace: str, destination: str, source: str = "0.0.0.0", iif: str = LOOPBACK
    ) -> Found | None:
        """The rule and route of a packet, as `ip route get DESTINATION from SOURCE iif IIF`."""
        tables = self.namespace(namespace).tables
        return tables.look_up(ip_number(destination), ip_number(source), iif)
