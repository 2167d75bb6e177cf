"""What each key of the topology file means, in a sentence or two: for the reference in docs/.

The keys themselves, with types and defaults, are `declaration`'s; a test holds that all are here.
"""

from __future__ import annotations

from dvr_ryu.topology.spec import declaration
from dvr_ryu.topology.spec.schema import Words

SENTENCES: dict[type[Words], dict[str, str]] = {
    declaration.TopologyWords: {
        "controller": "Where switches find the controller, and where it listens: an address that "
        "no host has. Without it the companions give the bridges none; a lab chooses one.",
        "underlay": "The network between the hosts.",
        "hosts": "The machines, by name.",
        "networks": "Layer 2 networks, by name.",
        "routers": "Distributed routers, by name.",
        "instances": "Virtual machines, or what stands for them, by name.",
        "floating_ips": "Addresses of external networks that lead to instances, by address.",
        "removed_hosts": "Hosts that the file no longer has, on purpose: it confirms an edit that "
        "takes out half of them or more.",
    },
    declaration.UnderlayWords: {
        "cidr": "Its range. Without it: the smallest of /24 or wider that has all hosts and the "
        "controller.",
        "mtu": "The MTU of the hosts' cards on it, from 626 to 9216. Instances have what the "
        "tunnels leave: 50 bytes less, with gre 42.",
        "tunnel_type": "How frames go from host to host.",
    },
    declaration.HostWords: {
        "address": "Its address on the underlay, where its tunnels end.",
        "management_address": "From where its switches reach the controller, if not from "
        "``address``.",
        "dvr_mac": "The source MAC of what its routers send to other hosts; chosen.",
        "snat": "Whether it may do SNAT for routers.",
        "local_vlans": "Network → the VLAN tag that the network has in this host's br-int; chosen.",
        "tunnel_ports": "Other host → the OpenFlow port of br-tun that leads there; chosen.",
        "datapath_ids": "``br-int`` or ``br-tun`` → the datapath id by which the controller knows "
        "the bridge, if it does not describe itself as HOST/BRIDGE.",
    },
    declaration.NetworkWords: {
        "id": "Its UUID, which names its qdhcp- or fip- namespace; chosen.",
        "vni": "Its number in tunnels, from 1 to 16777215; chosen.",
        "external": "Whether it is the world for routers: floating addresses are from it.",
        "subnets": "Its ranges of addresses.",
        "dhcp": "``central``: one server, on ``dhcp_host``. ``distributed``: one on each host that "
        "has an instance of the network.",
        "dhcp_host": "The host of its DHCP server; chosen among those that have an instance of it.",
        "dhcp_port": "The pins of the DHCP server's port; it may have an address in each subnet.",
        "gateway_host": "External networks: the host that has the gateway's address, on a device "
        "gw-, and routes beyond it. Without it the gateway is somebody else's.",
        "agent_gateways": "External networks: host → the pins of its fg- port, by which floating "
        "addresses leave.",
        "underlay_access": "External networks: whether their packets may reach the underlay's "
        "tunnels and the controller by ``gateway_host``.",
    },
    declaration.SubnetWords: {
        "cidr": "The range, of /30 or wider.",
        "gateway_ip": "Its gateway, an address of it; the first one if not said. ``none`` or null: "
        "it has no gateway.",
        "dhcp": "Whether DHCP serves it; not said: true, of external networks false.",
        "dns": "Name servers that DHCP tells.",
        "host_routes": "Routes that DHCP tells beside the default route.",
        "dhcp_options": "DHCP options for its instances: dnsmasq's name, or the number in quotes, "
        "→ the value.",
        "dhcp_ranges": "Addresses for machines that the file does not name.",
    },
    declaration.RouteWords: {
        "destination": "The range that is reached.",
        "nexthop": "The machine through which it is reached, an address on a subnet there.",
    },
    declaration.RangeWords: {
        "start": "The first address.",
        "end": "The last address.",
        "host": "With ``dhcp: distributed``: the host that leases them.",
    },
    declaration.PortWords: {
        "id": "Its UUID, which names its device; chosen.",
        "ip": "Its address; chosen.",
        "mac": "Its MAC; chosen.",
    },
    declaration.SeveralIpsWords: {
        "ips": "Instead of ``ip``: several addresses, the first first.",
    },
    declaration.RouterWords: {
        "id": "Its UUID, which names its qrouter- and snat- namespaces; chosen.",
        "interfaces": "The subnets that it joins.",
        "external_network": "The network by which it leads to the world.",
        "snat_host": "The host that does its SNAT; chosen among those with ``snat: true``.",
        "gateway_port": "The pins of its qg- port on the external network; SNAT uses its address.",
        "fip_link": "The pair of devices between its qrouter- and the fip- namespace, on a host.",
        "routes": "Routes beside those to its own subnets and the default route.",
    },
    declaration.InterfaceWords: {
        "network": "The network that it joins.",
        "subnet": "The range that it joins; not said: that of ``ip``, else the network's lowest.",
        "ip": "Its address there; not said: the subnet's gateway, if no other router has that.",
        "snat_port": "The pins of its sg- port beside it, on the SNAT host.",
    },
    declaration.LinkWords: {
        "cidr": "A /31 of 169.254.0.0/16; rfp- has the even address; chosen.",
        "rfp_mac": "The MAC of rfp-, the router's end; chosen.",
        "fpr_mac": "The MAC of fpr-, the other end; chosen.",
    },
    declaration.CardWords: {
        "network": "The network of the card.",
        "allowed_address_pairs": "Addresses that it may use beside its own: virtual ones, or "
        "ranges behind it.",
        "dhcp_options": "DHCP options for this card; they go before its subnet's.",
    },
    declaration.AddressPairWords: {
        "ip": "An address, or a range.",
        "mac": "The MAC that goes with it, if not the card's own.",
    },
    declaration.InstanceWords: {
        "host": "The host on which it is; an edit moves it.",
        "network": "The network of its only card. Without ``ports`` it must be said.",
        "ports": "Its cards, if it has several. Then the keys of a card stand there, and not here.",
    },
    declaration.FloatingIpWords: {
        "instance": "The instance to which all of it leads.",
        "fixed_ip": "Which of the instance's addresses; not said: its first.",
        "central": "Whether its NAT is on the router's SNAT host, and not on the instance's.",
        "port_forwardings": "Instead of ``instance``: ports that lead to instances.",
        "network": "Its external network; not said: the only one.",
        "rule_priority": "The priority of its ``ip rule``, from 32768 to 72767; chosen.",
    },
    declaration.ForwardingWords: {
        "protocol": "Of which protocol the ports are.",
        "external_port": "A port of the floating address, or a range: 8000-8009.",
        "instance": "The instance to which it leads.",
        "internal_port": "The instance's port, or the first of as many; not said: the same.",
        "fixed_ip": "Which of the instance's addresses; not said: its first.",
    },
}


def sentence(mapping: type[Words], key: str) -> str:
    """What a key of a mapping means: as the mapping says, or one that it is a kind of."""
    return next(SENTENCES[each][key] for each in mapping.__mro__ if key in SENTENCES.get(each, {}))
