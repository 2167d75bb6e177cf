"""Choose every number that the file omits, as a function of the declaration. Pure.

Pinned numbers are reserved first; then each claimant, in sorted order, takes its slot in the pool.
The order of lines does not matter, and an edit of another object moves a number only by a
collision: see `slots`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from ipaddress import IPv4Address, IPv4Network

from attrs import Factory, define

from dvr_ryu.topology import model
from dvr_ryu.topology.allocation.addresses import choose_addresses
from dvr_ryu.topology.allocation.ports import WantedPort
from dvr_ryu.topology.allocation.slots import Exhausted, Ids, Slots, stable_hash
from dvr_ryu.topology.bridges import Plug, bridge_of, patch_ofports
from dvr_ryu.topology.presence import routers_on
from dvr_ryu.topology.spec.declaration import TopologySpec
from dvr_ryu.topology.spec.scalars import FIP_RULE_PRIORITIES, LOCAL_VLANS, VNIS
from dvr_ryu.topology.spec.yaml_nodes import Path
from dvr_ryu.topology.topology import Joint, routed_to

PORT_MACS = range(0xFA163E000000, 0xFA163F000000)
DVR_MACS = range(0xFA163F000000, 0xFA1640000000)
"""Neutron's base_mac and dvr_base_mac."""

CHOSEN_VNIS = VNIS[999:]
"""From 1000 up: people pin small ones."""

TUNNEL_PORTS = range(2, 10000)
LOCAL_OFPORTS = range(2, 0x8000)
INTERFACE_OFPORTS = range(0x8000, 0xFF00)
"""Of devices: a host's own ports, and the ports that have one number on every host: those of
routers, and of instances that others plug in. Open vSwitch itself gives ports numbers of the first
range only."""

LINK_PAIRS = IPv4Network("169.254.64.0/18")
"""Neutron's pool of /31 pairs between qrouter- and fip- namespaces (link_local_allocator)."""


@define
class Numbers:
    """The numbers that are pinned or chosen.

    By WantedPort.key: ids, macs, ips and ofports; ids also by 'networks/NAME' and 'routers/NAME',
    macs also by 'routers/NAME/rfp' and 'routers/NAME/fpr', ips by `further_key`. The others by
    name.
    """

    ids: dict[str, str] = Factory(dict)
    macs: dict[str, str] = Factory(dict)
    ips: dict[str, IPv4Address] = Factory(dict)
    ofports: dict[str, int] = Factory(dict)
    dvr_macs: dict[str, str] = Factory(dict)
    vnis: dict[str, int] = Factory(dict)
    link_pairs: dict[str, IPv4Address] = Factory(dict)
    rule_priorities: dict[IPv4Address, int] = Factory(dict)
    local_vlans: dict[str, dict[str, int]] = Factory(dict)
    tunnel_ports: dict[str, dict[str, int]] = Factory(dict)


class NoRoom(Exception):
    """Pools are too small for the file. `shortages` has paths in it, each with the shortage."""

    def __init__(self, shortages: list[tuple[Path, str]]) -> None:
        super().__init__(shortages)
        self.shortages = shortages


def allocate(spec: TopologySpec, ports: list[WantedPort]) -> Numbers:
    """The numbers of a checked declaration and its ports (`wanted_ports`); raises NoRoom."""
    allocation = _Allocation(spec, ports)
    allocation.run()
    if allocation.shortages:
        raise NoRoom(allocation.shortages)
    return allocation.numbers


def mac_text(number: int) -> str:
    """48 bits as six pairs of hex digits."""
    return ":".join(f"{byte:02x}" for byte in number.to_bytes(6, "big"))


def _mac_number(text: str) -> int:
    return int(text.replace(":", ""), 16)


def _is_known_by_number(port: WantedPort) -> bool:
    """Whether its OpenFlow number tells more than a name: which of a host's ports is the same on
    all hosts, or which port of others is an instance's. Open vSwitch itself gives no such number.
    """
    return port.distributed or port.guest == model.PLUGGED


class _Allocation:
    """One run: the pools in turn, each filling one table of the numbers."""

    def __init__(self, spec: TopologySpec, ports: list[WantedPort]) -> None:
        self.spec = spec
        self.numbers = Numbers()
        self.shortages: list[tuple[Path, str]] = []
        self._all = ports
        self._by_host: dict[str, list[WantedPort]] = defaultdict(list)
        for port in ports:
            for host in spec.hosts if port.roams else port.hosts:
                self._by_host[host].append(port)

    def run(self) -> None:
        self._ids()
        self._macs()
        self._vnis()
        self._ofports()
        self._rule_priorities()
        self._link_pairs()
        self.numbers.ips = choose_addresses(self.spec, self._all, self.shortages)
        self._local_vlans()
        self._tunnel_ports()

    def _claim(
        self,
        pool: range,
        claims: Mapping[str, int | None],
        path: Path,
        shortage: str,
        taken: Collection[int] = (),
    ) -> dict[str, int]:
        """Claimant → its pin, or its slot in the pool, which is none of those `taken`. A pool that
        runs out is one shortage.
        """
        pins = {name: pin for name, pin in claims.items() if pin is not None}
        slots = Slots(pool, {*pins.values(), *taken})
        chosen: dict[str, int] = {}
        try:
            for name in sorted(claims):
                chosen[name] = pins[name] if name in pins else slots.take(name)
        except Exhausted:
            self.shortages.append((path, shortage))
        return chosen

    # Numbers of the whole topology ----------------------------------------------------------------

    def _ids(self) -> None:
        claims = {port.key: port.pins.id for port in self._all}
        claims |= {f"networks/{name}": each.id for name, each in self.spec.networks.items()}
        claims |= {f"routers/{name}": each.id for name, each in self.spec.routers.items()}
        ids = Ids(pin for pin in claims.values() if pin)
        self.numbers.ids = {key: claims[key] or ids.take(key) for key in sorted(claims)}

    def _macs(self) -> None:
        claims = {port.key: port.pins.mac for port in self._all}
        for name, router in self.spec.routers.items():
            claims[f"routers/{name}/rfp"] = router.fip_link.rfp_mac
            claims[f"routers/{name}/fpr"] = router.fip_link.fpr_mac
        hosts = {name: host.dvr_mac for name, host in self.spec.hosts.items()}
        pairs = [pair.mac for port in self._all for pair in port.address_pairs]
        taken = [_mac_number(pin) for pin in (*claims.values(), *hosts.values(), *pairs) if pin]
        self.numbers.macs = self._mac_texts(PORT_MACS, claims, taken)
        self.numbers.dvr_macs = self._mac_texts(DVR_MACS, hosts, taken)

    def _mac_texts(
        self, pool: range, claims: dict[str, str | None], taken: list[int]
    ) -> dict[str, str]:
        slots = Slots(pool, taken)
        return {key: claims[key] or mac_text(slots.take(key)) for key in sorted(claims)}

    def _vnis(self) -> None:
        claims = {name: network.vni for name, network in self.spec.networks.items()}
        self.numbers.vnis = self._claim(CHOSEN_VNIS, claims, ("networks",), "too many networks")

    def _rule_priorities(self) -> None:
        floating = self.spec.floating_ips
        claims = {str(ip): each.rule_priority for ip, each in floating.items()}
        shortage = f"more floating addresses than the {len(FIP_RULE_PRIORITIES)} rule priorities"
        chosen = self._claim(FIP_RULE_PRIORITIES, claims, ("floating_ips",), shortage)
        self.numbers.rule_priorities = {IPv4Address(ip): n for ip, n in chosen.items()}

    def _link_pairs(self) -> None:
        base, size = int(LINK_PAIRS[0]), LINK_PAIRS.num_addresses
        claims = {
            name: int(router.fip_link.cidr[0]) if router.fip_link.cidr else None
            for name, router in self.spec.routers.items()
        }
        shortage = f"more routers than the {size // 2} pairs of {LINK_PAIRS}; pin their fip_link"
        chosen = self._claim(range(base, base + size, 2), claims, ("routers",), shortage)
        self.numbers.link_pairs = {name: IPv4Address(n) for name, n in chosen.items()}

    # Numbers of one host --------------------------------------------------------------------------

    def _ofports(self) -> None:
        everywhere: dict[str, int | None] = {
            port.key: None
            for port in self._all
            if port.owner == model.ROUTER_INTERFACE or _is_known_by_number(port)
        }
        bridge = bridge_of(Plug.DEVICES)
        patches = patch_ofports(bridge)
        shortage = f"more distributed ports than the {len(INTERFACE_OFPORTS)} reserved for them"
        self.numbers.ofports = self._claim(
            INTERFACE_OFPORTS, everywhere, ("routers",), shortage, patches
        )
        for host, ports in self._by_host.items():
            shortage = (
                f"'{host}' has more ports than the {len(LOCAL_OFPORTS)} that {bridge} can have"
            )
            claims: dict[str, int | None] = {
                port.key: None for port in ports if not _is_known_by_number(port)
            }
            self.numbers.ofports |= self._claim(
                LOCAL_OFPORTS, claims, ("hosts", host), shortage, patches
            )

    def _local_vlans(self) -> None:
        routed_to = self._routed_to()
        for name, host in self.spec.hosts.items():
            ports = self._by_host[name]
            present = {port.network for port in ports}
            for router in routers_on(ports, self.spec.routers, routed_to):
                present.update(each.network for each in router.interfaces)
            claims = {**dict.fromkeys(present), **host.local_vlans}
            shortage = f"'{name}' has more networks than the {len(LOCAL_VLANS)} VLAN tags"
            tags = self._claim(LOCAL_VLANS, claims, ("hosts", name), shortage)
            self.numbers.local_vlans[name] = {
                network: tags[network]
                for network in self.spec.networks
                if network in present and network in tags
            }

    def _routed_to(self) -> dict[str, set[str]]:
        joints = [
            Joint(port.name, port.network, str(self.numbers.ips[port.key]))
            for port in self._all
            if port.owner == model.ROUTER_INTERFACE and port.key in self.numbers.ips
        ]
        routers = self.spec.routers.items()
        nexthops = {name: [str(route.nexthop) for route in each.routes] for name, each in routers}
        return routed_to(joints, nexthops)

    def _tunnel_ports(self) -> None:
        # Hashed once for all hosts: the number of pairs grows with the square of the hosts.
        peers = sorted(self.spec.hosts)
        homes = {peer: stable_hash(peer) for peer in peers}
        patches = patch_ofports(bridge_of(Plug.TUNNELS))
        if len(peers) > len(TUNNEL_PORTS):
            self.shortages.append((("hosts",), f"more hosts than {len(TUNNEL_PORTS)} tunnel ports"))
            return
        for name, host in self.spec.hosts.items():
            pins = host.tunnel_ports
            slots = Slots(TUNNEL_PORTS, {*pins.values(), *patches})
            self.numbers.tunnel_ports[name] = {
                peer: pins[peer] if peer in pins else slots.take_near(homes[peer])
                for peer in peers
                if peer != name
            }
