"""Finds the two ends of a trace by the words that a user types. Pure; it computes no way.

An end is an instance, one of its NICs (`both:eth1`), a host, an address or `outside`: the gateway
of an external network, which stands for the world beyond it.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address

from attrs import frozen

from dvr_ryu.companion.desired.dhcp import dhcp_namespace
from dvr_ryu.companion.desired.fip import fip_namespace
from dvr_ryu.companion.resources.namespace import ROOT
from dvr_ryu.errors import DvrError
from dvr_ryu.topology import model
from dvr_ryu.topology.expectation import OUTSIDE
from dvr_ryu.topology.topology import Topology
from dvr_ryu.topology.wording import listed, nearest


class UnknownEndpoint(DvrError):
    """A word that names no end of a trace; the text says what does."""


@frozen
class Sender:
    """The namespace that sends. `address` is the source address; None leaves it to the kernel."""

    name: str
    host: str
    namespace: str
    address: str | None = None


@frozen
class Receiver:
    """The destination address. `name` is the word for people."""

    name: str
    address: str


def ends(topology: Topology, source: str, target: str) -> tuple[Sender, Receiver]:
    """The ends that two words name. Raises UnknownEndpoint, with the nearest known name."""
    sender = _sender(topology, source, target)
    return sender, _receiver(topology, target, sender)


def names(topology: Topology) -> Iterator[str]:
    """Every name that may be an end: instances, further NICs, hosts, `outside`."""
    yield from topology.instances
    yield from (f"{card.name}:{card.card}" for card in topology.more_cards)
    yield from topology.hosts
    if any(network.outside_ip for network in topology.networks.values()):
        yield OUTSIDE


def _sender(topology: Topology, word: str, target: str) -> Sender:
    card = _card(topology, word)
    if card is not None:
        # A NIC by its own name sends from its own address; an instance leaves that to its kernel.
        own = card.ip if ":" in word else None
        return Sender(word, card.host, model.instance_namespace(card.name), own)
    if word in topology.hosts:
        return Sender(word, word, ROOT)
    if word == OUTSIDE:
        network = _world(topology, target)
        assert network.gateway_host is not None, "_world returns networks with a gateway"
        return Sender(word, network.gateway_host, ROOT, network.outside_ip)
    if _is_address(word):
        return _owner(topology, word)
    raise _unknown(topology, word)


def _receiver(topology: Topology, word: str, sender: Sender) -> Receiver:
    card = _card(topology, word)
    if card is not None:
        if sender.namespace == ROOT:
            # The networks of instances have no way in from a host: only floating addresses have.
            floating = _floating_address(topology, card)
            if floating is not None:
                return Receiver(f"{word} by its floating address", floating)
        return Receiver(word, card.ip)
    if word in topology.hosts:
        return Receiver(word, topology.hosts[word].address)
    if word == OUTSIDE:
        return Receiver(word, str(_world_of(topology, sender).outside_ip))
    if _is_address(word):
        return Receiver(word, str(IPv4Address(word)))
    raise _unknown(topology, word)


def _card(topology: Topology, word: str) -> model.Port | None:
    if ":" not in word:
        return topology.instances.get(word)
    named = (each for each in topology.cards if f"{each.name}:{each.card}" == word)
    return next(named, None)


def _floating_address(topology: Topology, card: model.Port) -> str | None:
    own = {fixed.ip for fixed in card.addresses}
    for each in topology.floating_ips.values():
        if each.instance == card.name and each.fixed_ip in own:
            return each.ip
    return None


def _is_address(word: str) -> bool:
    try:
        IPv4Address(word)
    except ValueError:
        return False
    return True


# A sender by its address ------------------------------------------------------------------------


def _owner(topology: Topology, address: str) -> Sender:
    owners = [*_owners(topology, address)]
    if len(owners) == 1:
        return owners[0]
    if owners:
        which = " and ".join(each.name for each in owners)
        raise UnknownEndpoint(f"{address} is an address of {which}; name one of them instead")
    for floating in topology.floating_ips.values():
        if floating.ip == address:
            behind = f": name {floating.instance}" if floating.instance else ""
            raise UnknownEndpoint(f"{address} is a floating address, and sends nothing{behind}")
    raise UnknownEndpoint(
        f"nothing in this topology has the address {address}, so nothing sends from it; "
        f"name an instance, a host or `{OUTSIDE}`"
    )


def _owners(topology: Topology, address: str) -> Iterator[Sender]:
    for port in topology.ports:
        if any(fixed.ip == address for fixed in port.addresses):
            namespace = namespace_of(topology, port)
            if namespace is not None:
                name = port.name if port.owner == model.COMPUTE else f"{port.name}'s {port.device}"
                yield Sender(name, port.host, namespace, address)
    for host in topology.hosts.values():
        if host.address == address:
            yield Sender(host.name, host.name, ROOT, address)


def namespace_of(topology: Topology, port: model.Port) -> str | None:
    """The namespace of a port's device."""
    network = topology.networks[port.network]
    match port.owner:
        case model.COMPUTE:
            return model.instance_namespace(port.name)
        case model.DHCP:
            return dhcp_namespace(network)
        case model.ROUTER_SNAT | model.ROUTER_GATEWAY:
            return topology.routers[port.name].snat_namespace
        case model.AGENT_GATEWAY:
            return fip_namespace(network)
        case model.EXTERNAL_GATEWAY:
            return ROOT
    return None


# Outside ----------------------------------------------------------------------------------------


def _world(topology: Topology, target: str) -> model.Network:
    """The external network from beyond which a sender reaches the target."""
    worlds = _worlds(topology)
    card = _card(topology, target)
    address = target
    if card is not None:
        address = _floating_address(topology, card) or ""
        if not address:
            return _world_behind(topology, card) or next(iter(worlds.values()))
    for network in worlds.values():
        if _is_address(address) and network.subnet_of(address):
            return network
    return next(iter(worlds.values()))


def _world_of(topology: Topology, sender: Sender) -> model.Network:
    """The external network by which a sender reaches the world."""
    instance = sender.namespace.removeprefix(model.instance_namespace(""))
    for card in (card for card in topology.cards if card.name == instance):
        network = _world_behind(topology, card)
        if network is not None:
            return network
    return next(iter(_worlds(topology).values()))


def _world_behind(topology: Topology, card: model.Port) -> model.Network | None:
    """The external network of a router on a NIC's network, the gateway's before others."""
    worlds = _worlds(topology)
    subnets = topology.networks[card.network].subnets
    announced = {subnet.gateway_ip for subnet in subnets}
    joined = [
        (each.ip not in announced, router.name, router.external_network)
        for router in topology.routers.values()
        for each in router.interfaces
        if each.network == card.network and router.external_network in worlds
    ]
    return worlds[str(min(joined)[2])] if joined else None


def _worlds(topology: Topology) -> dict[str, model.Network]:
    """The external networks that have a gateway on a host, by name."""
    found = {name: network for name, network in topology.networks.items() if network.outside_ip}
    if not found:
        raise UnknownEndpoint(
            f"nothing is known of the world {OUTSIDE}: no external network has a gateway_host; "
            "name an address instead"
        )
    return found


# Errors -----------------------------------------------------------------------------------------


def _unknown(topology: Topology, word: str) -> UnknownEndpoint:
    if word in topology.routers:
        own = [f"{each.ip} ({each.network})" for each in topology.routers[word].interfaces]
        return UnknownEndpoint(f"{word} is a router, on every host that needs it: name one of its "
                               f"addresses as the receiver: {listed(own)}")  # fmt: skip
    if word in topology.networks:
        there = [card.name for card in topology.cards if card.network == word]
        hint = f": {listed(there)}" if there else ""
        return UnknownEndpoint(f"{word} is a network; name an instance on it{hint}")
    name, colon, nic = word.partition(":")
    if colon and name in topology.instances:
        own = [card.card for card in topology.cards if card.name == name]
        return UnknownEndpoint(f"{name} has no NIC {nic}; it has {listed(own)}")
    known = tuple(names(topology))
    near = nearest(word, known)
    hint = f"did you mean {near}?" if near else f"there is {listed(known)}"
    return UnknownEndpoint(f"'{word}' is no instance, host or address of this topology; {hint}")
