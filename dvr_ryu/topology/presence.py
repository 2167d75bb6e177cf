"""Find the routers on a host: the one rule, for declarations and for models. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

from dvr_ryu.topology import model


class _Port(Protocol):
    @property
    def owner(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def network(self) -> str: ...


class _Interface(Protocol):
    @property
    def network(self) -> str: ...


class _Router(Protocol):
    @property
    def interfaces(self) -> Sequence[_Interface]: ...


AnyRouter = TypeVar("AnyRouter", bound=_Router)


def routers_on(
    ports: Iterable[_Port],
    routers: Mapping[str, AnyRouter],
    routed_to: Mapping[str, Collection[str]],
) -> list[AnyRouter]:
    """The routers that route on the host that has these ports.

    It has an instance or a DHCP port on one of their networks: Neutron's dvr-serviced ports
    (l3_dvrscheduler_db._get_dvr_router_ids_for_host). Or a router that is on the host, or does SNAT
    there, sends to them: a gateway's MAC leads only to the host's own.
    """
    ports = list(ports)
    populated = {port.network for port in ports if port.owner in (model.COMPUTE, model.DHCP)}
    here = {
        name
        for name, router in routers.items()
        if any(interface.network in populated for interface in router.interfaces)
    }
    further = [*here, *{port.name for port in ports if port.owner == model.ROUTER_SNAT}]
    while further:
        following = set(routed_to.get(further.pop(), ())) - here
        here |= following
        further += following
    return [router for name, router in routers.items() if name in here]
