"""Report foreign items beside ours, which the companion never changes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import frozen

from dvr_ryu.topology.topology import Topology


@frozen(order=True)
class ForeignItem:
    """A foreign port or controller on a bridge of ours. As a "bridge", an adopted bridge itself; as
    "tls", on no bridge, Open vSwitch's settings for TLS, by the name of their private key.
    """

    bridge: str
    what: str
    name: str
    tag: int | None = None
    """A port's VLAN tag."""


@frozen(order=True)
class ForeignInterface:
    """An interface of others on a bridge: it may be an instance's."""

    bridge: str
    name: str
    iface_id: str
    """The id of the port that it stands for, as its maker wrote it; empty for none."""
    mac: str
    """The MAC of what is behind it, as its maker wrote it; empty for none."""
    error: str
    """Why Open vSwitch has no device for it; empty if it has one."""


@frozen(order=True)
class FirewallRules:
    """Foreign rules in a chain of a namespace of ours, or the chain's policy if it drops."""

    namespace: str
    tool: str
    """The program that shows them: iptables, iptables-legacy or nft."""
    chain: str
    """With its table."""
    count: int
    first: str = ""
    """A rule as its tool shows it, if that is known."""
    drops: bool = False


def lines_of_rules(found: Iterable[FirewallRules]) -> Iterator[str]:
    """Yield a line for each chain with foreign rules."""
    for each in sorted(found):
        first = f" ({each.first}{', …' if each.count > 1 else ''})" if each.first else ""
        rules = "a rule" if each.count == 1 else f"{each.count} rules"
        parts = [f"{rules} of others{first}"] if each.count else []
        parts += ["the policy DROP"] if each.drops else []
        tool = "nft list ruleset" if each.tool == "nft" else f"{each.tool}-save"
        where = f"in {each.chain} of {each.tool}"
        yield (
            f"{each.namespace} has {' and '.join(parts)} {where}: left alone, but packets may end "
            f"there; see ip netns exec {each.namespace} {tool}"
        )


def lines(found: Iterable[ForeignItem], topology: Topology, host: str) -> Iterator[str]:
    """Yield a line for each foreign item. A port in a network with dhcp_ranges is legitimate: these
    are for undeclared machines.
    """
    networks = {tag: network for network, tag in topology.local_vlans.get(host, {}).items()}
    for each in sorted(found):
        if each.what == "bridge":
            yield f"{each.name} was here before dvr_ryu, which gives it back when it goes down"
        elif each.what == "tls":
            yield (
                f"Open vSwitch's settings for TLS, with the key {each.name}, were here before "
                "dvr_ryu, which needs its own meanwhile and gives these back"
            )
        elif each.tag in networks:
            network = networks[each.tag]
            if topology.networks[network].has_dhcp_ranges:
                yield f"{each.bridge} has the {each.what} {each.name}, not ours, in {network}"
                continue
            yield (
                f"{each.bridge} has the {each.what} {each.name}, not ours, in {network}: both have "
                f"the tag {each.tag} here; give {network} another: local_vlans: {{{network}: TAG}}"
            )
        else:
            tag = f" with the tag {each.tag}" if each.tag else ""
            yield f"{each.bridge} has the {each.what} {each.name}{tag}, not ours: left alone"
