"""The last step of a packet in a namespace: the MAC of the next hop, known or asked for. Pure."""

from __future__ import annotations

from dvr_ryu.pipeline.run.packet import BROADCAST, Packet, arp_request
from dvr_ryu.trace.kernel.addresses import LIMITED_BROADCAST, ip_text, is_multicast, mac_text
from dvr_ryu.trace.kernel.outcome import Kind, Purpose
from dvr_ryu.trace.kernel.setup.namespace import NetworkNamespace
from dvr_ryu.trace.kernel.state import Waiting
from dvr_ryu.trace.kernel.visit import Visit

_MULTICAST_MAC = 0x01005E000000


def send(visit: Visit, device: str, ip: int, packet: Packet) -> None:
    """Send a packet to the neighbour with an address, or let it wait for the answer to ARP."""
    if ip == LIMITED_BROADCAST:
        _emit(visit, device, packet, BROADCAST)
        return
    if is_multicast(ip):
        _emit(visit, device, packet, _MULTICAST_MAC | ip & 0x7FFFFF)
        return
    mac, how = _known(visit, device, ip)
    if mac is not None:
        text = f"ip neigh: {ip_text(ip)} dev {device} lladdr {mac_text(mac)} {how}"
        visit.step(Kind.NEIGHBOUR, text)
        _emit(visit, device, packet, mac)
        return
    asked = any((each.device, each.ip) == (device, ip) for each in visit.state.waiting)
    waiting = Waiting(device, ip, packet, answers=visit.purpose is Purpose.ANSWER)
    visit.learn(waiting=(*visit.state.waiting, waiting))
    if not asked:
        text = f"ip neigh: {ip_text(ip)} dev {device} is unknown: it asks by ARP"
        visit.step(Kind.NEIGHBOUR, text)
        with visit.acting(Purpose.ARP):
            ask(visit, device, ip, packet["nw_src"])


def _known(visit: Visit, device: str, ip: int) -> tuple[int | None, str]:
    """A neighbour's MAC and iproute2's word for how it is known; None if it is not."""
    permanent = visit.net.neighbours.get((device, ip))
    if permanent is not None:
        return permanent, "PERMANENT"
    return visit.state.neighbours.get((device, ip)), "REACHABLE"


def ask(visit: Visit, device: str, ip: int, source: int) -> None:
    """Ask by ARP for a neighbour's MAC; `source` is that of the packet that waits for it."""
    spa = _asking_address(visit.net, device, ip, source)
    visit.emit(device, arp_request(visit.net.mac_of(device, spa), spa, ip))


def _asking_address(net: NetworkNamespace, device: str, ip: int, source: int) -> int:
    """The sender's address of a request, by arp_announce."""
    announce = net.sysctls.greatest("arp_announce", device)
    is_near = any(source in each.prefix and ip in each.prefix for each in net.on(device))
    if net.has(source) and (announce == 0 or (announce == 1 and is_near)):
        return source
    return net.source_for(device, ip)


def learned(visit: Visit, device: str, ip: int, mac: int) -> None:
    """Learn a neighbour's MAC, and send what waits for it. A permanent entry stays as it is."""
    if (device, ip) in visit.net.neighbours:
        return
    state = visit.state
    if state.neighbours.get((device, ip)) != mac:
        visit.step(
            Kind.NEIGHBOUR, f"ip neigh: learns {ip_text(ip)} dev {device} lladdr {mac_text(mac)}"
        )
    ready = [each for each in state.waiting if (each.device, each.ip) == (device, ip)]
    rest = tuple(each for each in state.waiting if (each.device, each.ip) != (device, ip))
    visit.learn(neighbours={**state.neighbours, (device, ip): mac}, waiting=rest)
    for each in ready:
        visit.waited = True
        with visit.acting(Purpose.ANSWER if each.answers else Purpose.PASSAGE):
            _emit(visit, device, each.packet, mac)
    visit.waited = False


def _emit(visit: Visit, device: str, packet: Packet, mac: int) -> None:
    source = visit.net.mac_of(device, packet["nw_src"])
    visit.emit(device, packet.having(dl_src=source, dl_dst=mac))
