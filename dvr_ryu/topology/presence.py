"""Which routers are on a host. The one rule, for declarations and for models. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

from dvr_ryu.topology import model


class _Port(Protocol):
    @property
    def owner(self) -> str: ...
    @property
    def network(self) -> str: ...


class _Interface(Protocol):
    @property
    def network(self) -> str: ...


class _Router(Protocol):
    @property
    def interfaces(self) -> Sequence[_Interface]: ...


AnyRouter = TypeVar("AnyRouter", bound=_Router)


def routers_on(ports: Iterable[_Port], routers: Mapping[str, AnyRouter]) -> list[AnyRouter]:
    """The routers that route on the host that has these ports.

    It has an instance or a DHCP port on one of their networks: Neutron's dvr-serviced ports
    (l3_dvrscheduler_db._get_dvr_router_ids_for_host).
    """
    populated = {port.network for port in ports if port.owner in (model.COMPUTE, model.DHCP)}
    return [
        router
        for router in routers.values()
        if any(interface.network in populated for interface in router.interfaces)
    ]
