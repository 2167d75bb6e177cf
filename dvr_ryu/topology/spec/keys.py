"""Explain each key of the topology file, with an example: for the reference in docs/.

`declaration` has the keys themselves, with types and defaults. A test holds that every key is here,
and that its type takes the example. Texts only.
"""

from __future__ import annotations

from attrs import frozen

from dvr_ryu.topology.spec import declaration, expect
from dvr_ryu.topology.spec.schema import Spec


@frozen
class Key:
    """A key for people.

    `example` is what may stand behind the key, as YAML. `default` says what holds without the key;
    empty where the declaration says it.
    """

    sentence: str
    example: str
    default: str = ""


CHOSEN = "chosen"
NONE = "none"

KEYS: dict[type[Spec], dict[str, Key]] = {
    declaration.TopologySpec: {
        "controller": Key(
            "Where switches find the controller, and where it listens: an address that no host "
            "has. Without it the companions set no controller on the bridges.",
            "tcp:10.0.44.1:6653",
            "none; a lab chooses one",
        ),
        "underlay": Key("The network between the hosts.", "{cidr: 10.0.44.0/24, mtu: 1550}"),
        "hosts": Key("The machines, by name.", "{server-64: {address: 10.0.44.64}}"),
        "networks": Key(
            "Layer 2 networks, by name.", "{blue: {subnets: [{cidr: 192.168.10.0/24}]}}"
        ),
        "routers": Key(
            "Distributed routers, by name.", "{router1: {interfaces: [{network: blue}]}}"
        ),
        "instances": Key(
            "Virtual machines, or namespaces that stand for them, by name.",
            "{cirros: {host: server-64, network: blue}}",
        ),
        "floating_ips": Key(
            "Addresses of external networks that lead to instances, by address.",
            "{2.2.2.100: {instance: cirros}}",
        ),
        "expect": Key(
            "Packets that should arrive, or should not. ``dvr prove`` computes whether they do, "
            "``dvr lab test`` tries them. They change no flow and no device.",
            "[{from: cirros, to: outside, seen_as: 2.2.2.100}]",
        ),
        "removed_hosts": Key(
            "Hosts that the file no longer has, on purpose. They confirm an edit that takes out "
            "half of the hosts or more.",
            "[server-68]",
        ),
    },
    declaration.UnderlaySpec: {
        "cidr": Key(
            "Its range.",
            "10.0.44.0/24",
            "the smallest range of /24 or wider that has all hosts and the controller",
        ),
        "mtu": Key(
            "The MTU of the hosts' NICs on it, from 626 to 9216. Instances have what the tunnels "
            "leave: 50 bytes less, with gre 42.",
            "9000",
        ),
        "tunnel_type": Key("How frames go from host to host.", "geneve"),
    },
    declaration.HostSpec: {
        "address": Key("Its address on the underlay. Its tunnels end there.", "10.0.44.64"),
        "management_address": Key(
            "The address from which its switches reach the controller.",
            "192.0.2.64",
            "its ``address``",
        ),
        "dvr_mac": Key(
            "The source MAC of packets that its routers send to other hosts.",
            '"fa:16:3f:02:d7:f2"',
            CHOSEN,
        ),
        "snat": Key("Whether it may do SNAT for routers.", "true"),
        "local_vlans": Key(
            "Network → the VLAN tag that the network has in this host's br-int.",
            "{blue: 1, yellow: 2}",
            CHOSEN,
        ),
        "tunnel_ports": Key(
            "Other host → the OpenFlow port of br-tun that leads there.", "{server-68: 2}", CHOSEN
        ),
        "datapath_ids": Key(
            "Bridge → the datapath id by which the controller knows the bridge. "
            "A bridge that describes itself as HOST/BRIDGE needs none.",
            "{br-int: 0x1a2b}",
        ),
    },
    declaration.NetworkSpec: {
        "id": Key(
            "Its UUID. It names the network's qdhcp- or fip- namespace.",
            "ccf351c9-826c-4d93-9dd4-625302bf3051",
            CHOSEN,
        ),
        "vni": Key("Its number in tunnels, from 1 to 16777215.", "0x19", CHOSEN),
        "external": Key(
            "Whether routers reach the world by it. Floating addresses are from such a network.",
            "true",
        ),
        "subnets": Key("Its ranges of addresses.", "[{cidr: 192.168.10.0/24}]"),
        "dhcp": Key(
            "``central``: one server, on ``dhcp_host``. ``distributed``: one on each host that has "
            "an instance of the network.",
            "distributed",
        ),
        "dhcp_host": Key(
            "The host of its DHCP server.",
            "server-68",
            "chosen among those that have an instance of it",
        ),
        "dhcp_port": Key(
            "The pins of the DHCP server's port. It may have an address in each subnet.",
            "{ips: [10.1.0.2, 10.2.0.2]}",
        ),
        "gateway_host": Key(
            "External networks: the host that has the gateway's address, on a device gw-, and "
            "routes beyond it.",
            "server-64",
            "none; the gateway is a machine that the file does not name",
        ),
        "agent_gateways": Key(
            "External networks: host → the pins of its fg- port. Floating addresses leave by it.",
            "{server-64: {ip: 2.2.2.6}}",
            CHOSEN,
        ),
        "underlay_access": Key(
            "External networks: whether their packets may reach the underlay's tunnels and the "
            "controller by ``gateway_host``.",
            "true",
        ),
    },
    declaration.SubnetSpec: {
        "cidr": Key("The range, of /30 or wider.", "192.168.10.0/24"),
        "gateway_ip": Key(
            "Its gateway, an address of it. ``none`` or null: it has no gateway.",
            "192.168.10.254",
            "its first address",
        ),
        "dhcp": Key("Whether DHCP serves it.", "false", "true; of external networks false"),
        "dns": Key("Name servers that DHCP tells.", "[9.9.9.9]"),
        "host_routes": Key(
            "Routes that DHCP tells beside the default route.",
            "[{destination: 10.9.0.0/16, nexthop: 192.168.10.12}]",
        ),
        "dhcp_options": Key(
            "DHCP options for its instances: dnsmasq's name, or the number in quotes, → the value.",
            '{domain-name: blue.example, "224": text}',
        ),
        "dhcp_ranges": Key(
            "Addresses for machines that the file does not name.",
            "[{start: 192.168.10.100, end: 192.168.10.199}]",
        ),
    },
    declaration.RouteSpec: {
        "destination": Key("The range that it leads to.", "172.16.0.0/16"),
        "nexthop": Key(
            "The machine through which it leads, an address on a subnet there.", "192.168.10.254"
        ),
    },
    declaration.RangeSpec: {
        "start": Key("The first address.", "192.168.10.100"),
        "end": Key("The last address.", "192.168.10.199"),
        "host": Key(
            "The host that leases them. Each range needs one with ``dhcp: distributed``.",
            "server-64",
            NONE,
        ),
    },
    declaration.PortSpec: {
        "id": Key(
            "Its UUID. It names the port's device.", "9f4709e2-8e00-4c4d-8a51-2b6d3f1c7a90", CHOSEN
        ),
        "ip": Key("Its address.", "192.168.10.50", CHOSEN),
        "mac": Key("Its MAC.", '"fa:16:3e:ff:aa:66"', CHOSEN),
    },
    declaration.SeveralIpsSpec: {
        "ips": Key(
            "Several addresses instead of ``ip``, the first first.", "[10.1.0.20, 10.1.1.20]"
        ),
    },
    declaration.RouterSpec: {
        "id": Key(
            "Its UUID. It names the router's qrouter- and snat- namespaces.",
            "28e4ec01-f0a1-4c0e-9c2b-4f8a5d7e6b10",
            CHOSEN,
        ),
        "interfaces": Key("The subnets that it joins.", "[{network: blue}, {network: yellow}]"),
        "external_network": Key("The network by which it leads to the world.", "external", NONE),
        "snat_host": Key(
            "The host that does its SNAT.", "server-64", "chosen among those with ``snat: true``"
        ),
        "gateway_port": Key(
            "The pins of its qg- port on the external network. SNAT uses its address.",
            "{ip: 2.2.2.24}",
        ),
        "fip_link": Key(
            "The pair of devices between its qrouter- and the fip- namespace, on a host.",
            "{cidr: 169.254.31.28/31}",
        ),
        "routes": Key(
            "Routes beside those to its own subnets and the default route.",
            "[{destination: 10.3.0.0/24, nexthop: 10.2.0.254}]",
        ),
    },
    declaration.InterfaceSpec: {
        "network": Key("The network that it joins.", "blue"),
        "subnet": Key(
            "The range that it joins.",
            "192.168.10.0/24",
            "that of ``ip``, else the network's lowest",
        ),
        "ip": Key(
            "Its address there.",
            "192.168.10.1",
            "the subnet's gateway, if no other router has that; else chosen",
        ),
        "snat_port": Key(
            "The pins of its sg- port beside it, on the SNAT host.", "{ip: 192.168.10.96}"
        ),
    },
    declaration.LinkSpec: {
        "cidr": Key(
            "A /31 of 169.254.0.0/16. rfp- has the even address.", "169.254.31.28/31", CHOSEN
        ),
        "rfp_mac": Key("The MAC of rfp-, the router's end.", '"fa:16:3e:54:67:29"', CHOSEN),
        "fpr_mac": Key("The MAC of fpr-, the other end.", '"42:55:ae:6e:ab:34"', CHOSEN),
    },
    declaration.CardSpec: {
        "network": Key("The network of the NIC.", "blue"),
        "allowed_address_pairs": Key(
            "Addresses that it may use beside its own: virtual ones, or ranges behind it.",
            "[{ip: 10.1.0.100}]",
        ),
        "dhcp_options": Key(
            "DHCP options for this NIC. They go before its subnet's.",
            "{domain-name: b.example}",
        ),
    },
    declaration.AddressPairSpec: {
        "ip": Key("An address, or a range.", "10.1.0.100"),
        "mac": Key("The MAC that goes with it.", '"00:00:5e:00:01:07"', "the NIC's own"),
    },
    declaration.InstanceSpec: {
        "host": Key(
            "The host on which it is. An edit moves it.",
            "server-64",
            "required; one that is ``plugged`` is where it is plugged in",
        ),
        "guest": Key(
            "What it is: a network namespace, or a virtual machine of qemu, which boots the image "
            "that ``dvr lab image`` makes.",
            "qemu",
        ),
        "plugged": Key(
            "Whether others make it, and plug it into br-int: an interface with "
            "``external_ids:iface-id``, the id of its port, or with the name of its tap.",
            "true",
        ),
        "network": Key("The network of its only NIC.", "blue", "none; required without ``ports``"),
        "ports": Key(
            "Its NICs, if it has several. The keys of a NIC then stand there, and not here.",
            "[{network: blue}, {network: yellow}]",
        ),
    },
    declaration.FloatingIpSpec: {
        "instance": Key("The instance to which all of it leads.", "cirros", NONE),
        "fixed_ip": Key("Which of the instance's addresses.", "192.168.10.222", "its first"),
        "central": Key(
            "Whether its NAT is on the router's SNAT host, and not on the instance's host.", "true"
        ),
        "port_forwardings": Key(
            "Ports that lead to instances, instead of ``instance``.",
            "[{protocol: tcp, external_port: 80, instance: web}]",
        ),
        "network": Key("Its external network.", "external", "the only one"),
        "rule_priority": Key(
            "The priority of its ``ip rule``, from 32768 to 72767.", "57482", CHOSEN
        ),
    },
    declaration.ForwardingSpec: {
        "protocol": Key("The protocol of the ports.", "tcp"),
        "external_port": Key("A port of the floating address, or a range.", "8000-8009"),
        "instance": Key("The instance to which it leads.", "web"),
        "internal_port": Key(
            "The instance's port, or the first of as many.", "8080", "the same as outside"
        ),
        "fixed_ip": Key("Which of the instance's addresses.", "192.168.10.222", "its first"),
    },
    expect.ExpectSpec: {
        "from": Key(
            "The sender. ``outside`` is the gateway of an external network, on its "
            "``gateway_host``.",
            "cirros",
        ),
        "to": Key(
            "The receiver. An address may be any of a network or a host, a floating one, too.",
            "2.2.2.100",
        ),
        "port": Key("The port to which the sender connects.", "80/tcp", "none; it pings"),
        "reach": Key("Whether the sender gets an answer.", "false"),
        "seen_as": Key(
            "The source address that the receiver sees.", "2.2.2.100", "any address will do"
        ),
    },
}


def key(mapping: type[Spec], name: str) -> Key:
    """The texts about a key: those of its mapping, else those of the nearest class above it."""
    return next(KEYS[each][name] for each in mapping.__mro__ if name in KEYS.get(each, {}))
