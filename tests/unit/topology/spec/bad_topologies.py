"""Topologies that are wrong: each with its places marked, and what is said there.

A mark stands before the character that the message points to; a test removes the marks before it
reads the text. Messages are in the order of the marks.
"""

from __future__ import annotations

from tests.unit.topology.files import topology_file

MARK = "§"

Cases = dict[str, tuple[str, ...]]
"""Name of the case → marked text, then a phrase of each message."""

BAD_YAML: Cases = {
    "empty": (f"{MARK}", "is empty"),
    "only a comment": (f"{MARK}# nothing yet", "is empty"),
    "a list": (f"{MARK}- hosts", "a list is not a mapping"),
    "a word": (f"{MARK}hosts", "'hosts' is not a mapping"),
    "tab": (f"hosts:\n{MARK}\tone: {{address: 10.0.0.1}}", "a tab where YAML allows only blanks"),
    "unclosed bracket": (
        f"hosts: {{one: {{address: 10.0.0.1}}\n{MARK}networks: {{}}",
        "flow mapping that begins on line 1",
    ),
    "not YAML": (f"hosts: one{MARK}: two", "mapping values are not allowed"),
    "unknown alias": (f"hosts: {MARK}*others", "undefined alias"),
    "contains itself": (f"hosts: {MARK}&all {{one: *all}}", "contains itself"),
    "two documents": (
        f"hosts: {{one: {{address: 10.0.0.1}}}}\n{MARK}---\nhosts: {{}}",
        "a second document begins here",
    ),
    "tag": (f"hosts: {MARK}!hosts {{}}", "is a tag"),
    "key that is a list": (f"? {MARK}[a]\n: b\n", "where a key must stand"),
    "control character": (f"hosts: {MARK}\x07", "U+0007"),
    "nested deeply": ("[" * 99 + MARK + "[" * 5000 + "]" * 5099, "nested too deeply"),
    "duplicate section": (
        f"hosts: {{one: {{address: 10.0.0.1}}}}\n{MARK}hosts: {{two: {{address: 10.0.0.2}}}}",
        "'hosts' is already on line 1",
    ),
    "merge of no mapping": (
        f"hosts:\n  one: {{address: 10.0.0.1}}\n  two: {{<<: {MARK}one, address: 10.0.0.2}}",
        "is no mapping, which '<<' takes",
    ),
    "merge of what contains it": (
        f"hosts: {{one: {MARK}&all {{<<: *all, address: 10.0.0.1}}}}",
        "contains itself",
    ),
    "two merges": (
        f"hosts: {{one: &a {{address: 10.0.0.1}}, two: {{<<: *a, {MARK}<<: *a, "
        "address: 10.0.0.2}}",
        "'<<' is already on line 1; write one",
    ),
    "merged key that is unknown": (
        f"hosts: {{one: &a {{address: 10.0.0.1, {MARK}snt: true}}, "
        "two: {<<: *a, address: 10.0.0.2}}",
        "unknown key 'snt'; did you mean 'snat'?",
    ),
    "merged address": (
        f"hosts:\n  one: &a {{address: {MARK}10.0.0.1}}\n  two: {{<<: *a}}\n",
        "already the address of host",
    ),
    "quoted merge": (
        f"hosts: {{one: &a {{address: 10.0.0.1}}, two: {{{MARK}'<<': *a, address: 10.0.0.2}}}}",
        "unknown key '<<'",
    ),
    "duplicate name": (
        f"hosts:\n  one: {{address: 10.0.0.1}}\n  {MARK}one: {{address: 10.0.0.2}}",
        "'one' is already on line 2",
    ),
}


def _only(networks: str) -> str:
    """A topology of these networks, which nobody names."""
    return topology_file(networks=networks, routers="{}", instances="{}", floating_ips="{}")


BAD_SCHEMA: Cases = {
    "no hosts": (f"{MARK}networks: {{}}", "the topology has no 'hosts'"),
    "empty hosts": (f"hosts: {MARK}{{}}", "'hosts' is empty"),
    "unknown section": (
        f"{MARK}instance: {{}}\nhosts: {{one: {{address: 10.0.0.1}}}}",
        "unknown key 'instance'; did you mean 'instances'?",
    ),
    "misspelt key": (
        f"hosts: {{one: {{{MARK}adress: 10.0.0.1}}}}",
        "unknown key 'adress'; did you mean 'address'?",
    ),
    "missing key": (f"hosts: {{{MARK}one: }}", "'one' has no 'address'; add it"),
    "number as a name": (f"hosts: {{{MARK}64: {{address: 10.0.0.1}}}}", "write it in quotes"),
    "bad name": (f"hosts: {{{MARK}-x: {{address: 10.0.0.1}}}}", "'-x' is not a name"),
    "yes is not true": (
        f"hosts: {{one: {{address: 10.0.0.1, snat: {MARK}yes}}}}",
        "'yes' is not true or false",
    ),
    "leading zero": (
        topology_file(underlay=f"{{mtu: {MARK}01500}}"),
        "'01500' is not a number",
    ),
    "unknown type of tunnel": (
        topology_file(underlay=f"{{tunnel_type: {MARK}stt}}"),
        "'stt' is no type of tunnel; there are vxlan, geneve and gre",
    ),
    "MTU too small": (topology_file(underlay=f"{{mtu: {MARK}68}}"), "from 626 to 9216"),
    "address is not one": (
        f"hosts: {{one: {{address: {MARK}10.0.0.256}}}}",
        "'10.0.0.256' is not an IPv4 address",
    ),
    "a management address that no peer can have": (
        f"hosts: {{one: {{address: 10.0.0.1, management_address: {MARK}224.0.0.1}}}}",
        "224.0.0.1' is a multicast address, which no machine can have",
    ),
    "IPv6 address": (f"hosts: {{one: {{address: {MARK}'fe80::1'}}}}", "is IPv6"),
    "IPv6 subnet": (
        _only(networks=f"{{blue: {{subnets: [{{cidr: {MARK}'fd00::/64'}}]}}}}"),
        "is IPv6",
    ),
    "host bits": (
        _only(networks=f"{{blue: {{subnets: [{{cidr: {MARK}10.1.0.7/24}}]}}}}"),
        "write 10.1.0.0/24",
    ),
    "no prefix length": (
        _only(networks=f"{{blue: {{subnets: [{{cidr: {MARK}10.1.0.0}}]}}}}"),
        "is not an IPv4 network",
    ),
    "subnet too small": (
        _only(networks=f"{{blue: {{subnets: [{{cidr: {MARK}10.1.0.0/31}}]}}}}"),
        "is too small",
    ),
    "multicast subnet": (
        _only(networks=f"{{blue: {{subnets: [{{cidr: {MARK}224.1.0.0/24}}]}}}}"),
        "lies in 224.0.0.0/3",
    ),
    "no subnets": (
        _only(networks=f"{{blue: {{subnets: {MARK}[]}}}}"),
        "'subnets' is empty",
    ),
    "subnets is no list": (
        _only(networks=f"{{blue: {{subnets: {MARK}{{cidr: 10.1.0.0/24}}}}}}"),
        "a mapping is not a list",
    ),
    "VNI too large": (
        _only(networks=f"{{blue: {{vni: {MARK}0x1000000, subnets: [{{cidr: 10.1.0.0/24}}]}}}}"),
        "from 1 to 16777215",
    ),
    "true is no number": (
        _only(networks=f"{{blue: {{vni: {MARK}true, subnets: [{{cidr: 10.1.0.0/24}}]}}}}"),
        "'true' is not a number",
    ),
    "what is behind wrong keys": (
        f"hosts: {{{MARK}'bad name': {{{MARK}adress: 10.0.44.1, {MARK}mtu: 3}}, "
        f"{MARK}{MARK}c d: }}",
        "'bad name' is not a name",
        "unknown key 'adress'; did you mean 'address'?",
        "unknown key 'mtu'",
        "'c d' has no 'address'",
        "'c d' is not a name",
    ),
    "every entry of a list": (
        _only(
            networks=f"{{blue: {{subnets: [{{cidr: 10.1.0.0/24, {MARK}dns_: []}}, "
            f"{MARK}10.1.1.0/24, {{cidr: 10.1.2.0/24, dns: [{MARK}one, {MARK}two]}}]}}}}"
        ),
        "unknown key 'dns_'; did you mean 'dns'?",
        "'10.1.1.0/24' is not a mapping",
        "'one' is not an IPv4 address",
        "'two' is not an IPv4 address",
    ),
    "local VLAN out of range": (
        f"hosts: {{one: {{address: 10.0.0.1, local_vlans: {{blue: {MARK}4095}}}}}}",
        "from 1 to 4094",
    ),
    "bad MAC": (
        f"hosts: {{one: {{address: 10.0.0.1, dvr_mac: {MARK}fa:16:3f:2}}}}",
        "is not a MAC address",
    ),
    "multicast MAC": (
        f"hosts: {{one: {{address: 10.0.0.1, dvr_mac: {MARK}01:16:3f:00:00:02}}}}",
        "is a multicast MAC address",
    ),
    "null MAC": (
        f"hosts: {{one: {{address: 10.0.0.1, dvr_mac: {MARK}00:00:00:00:00:00}}}}",
        "is the null MAC address",
    ),
    "bad id": (
        topology_file(routers=f"{{r1: {{id: {MARK}28e4ec01, interfaces: [{{network: blue}}]}}}}"),
        "is not a UUID",
    ),
    "link outside of link-local": (
        topology_file(
            routers="{r1: {interfaces: [{network: blue}], "
            f"fip_link: {{cidr: {MARK}10.0.0.0/31}}}}}}"
        ),
        "is not a /31 within 169.254.0.0/16",
    ),
    "rule priority out of range": (
        topology_file(floating_ips=f"{{2.2.2.10: {{instance: a, rule_priority: {MARK}100}}}}"),
        "from 32768 to 72767",
    ),
    "floating address is not one": (
        topology_file(floating_ips=f"{{{MARK}2.2.2: {{instance: a}}}}"),
        "'2.2.2' is not an IPv4 address",
    ),
    "controller not OpenFlow": (topology_file(controller=f"{MARK}10.0.0.9"), "tcp:ADDRESS:PORT"),
    "controller port": (topology_file(controller=f"{MARK}tcp:10.0.0.9:65536"), "from 1 to 65535"),
    "controller name": (topology_file(controller=f"{MARK}tcp:there:6653"), "no IPv4 address"),
    "controller name over TLS": (
        topology_file(controller=f"{MARK}ssl:there:6653"),
        "write it as ssl:10.0.44.1:6653",
    ),
    "controller over TLS by another word": (
        topology_file(controller=f"{MARK}tls:10.0.0.9:6653"),
        "or ssl:ADDRESS:PORT for TLS",
    ),
    "controller everywhere": (
        topology_file(controller=f"{MARK}tcp:0.0.0.0:6653"),
        "no switch can reach",
    ),
    "several at once": (
        f"{MARK}hots: {{}}\nhosts: {{one: {{address: {MARK}ten, snat: {MARK}1}}}}\n"
        f"instances: {{{MARK}a: {{host: one}}}}",
        "unknown key 'hots'",
        "'ten' is not an IPv4 address",
        "'1' is not true or false",
        "'a' has no 'network'",
    ),
}

ONE_ROUND: Cases = {
    "YAML, schema and references": (
        f"""hosts:
  one: {{address: 10.0.0.1, snat: {MARK}yes}}
  {MARK}64: {{address: 10.0.0.64}}
  two: {{address: 10.0.0.2}}
networks:
  blue: {{subnets: [{{cidr: 10.1.0.0/24}}]}}
  green: {{subnets: [{{cidr: {MARK}10.2.0.0}}]}}
  {MARK}blue: {{subnets: [{{cidr: 10.3.0.0/24}}]}}
instances:
  a: {{host: one, network: green}}
  b: {{host: {MARK}three, network: blue}}
  c: {{host: two, network: {MARK}bleu, ip: 10.2.0.7}}
  {MARK}two: {{host: 'two', network: blue}}
""",
        "'yes' is not true or false",
        "'64' as a key is not text to YAML",
        "'10.2.0.0' is not an IPv4 network",
        "'blue' is already on line 6",
        "no host 'three'",
        "no network 'bleu'",
        "'two' is also a host",
    ),
    "what only seems wrong without the rest is not said": (
        f"""hosts:
  one: {{address: 10.0.0.1, snat: {MARK}1}}
  two: {{address: 10.0.0.2}}
networks:
  blue: {{subnets: [{{cidr: 10.1.0.0/24}}]}}
  external: {{external: {MARK}yes, subnets: [{{cidr: 2.2.2.0/24}}]}}
routers:
  r1: {{interfaces: [{{network: blue}}], external_network: external}}
  r2: {{interfaces: [{{network: blue, ip: 10.1.0.9}}], external_network: {MARK}externel}}
instances:
  a: {{host: one, network: blue}}
floating_ips:
  2.2.2.10: {{instance: a}}
""",
        "'1' is not true or false",
        "'yes' is not true or false",
        "no network 'externel'; did you mean 'external'?",
    ),
    "a section that is no mapping": (
        topology_file(networks=f"{MARK}[blue, yellow]"),
        "a list is not a mapping",
    ),
}

BAD_REFERENCES: Cases = {
    "unknown host": (
        topology_file(instances=f"{{a: {{host: {MARK}ome, network: blue}}}}"),
        "no host 'ome'; did you mean 'one'?",
    ),
    "unknown network": (
        topology_file(instances=f"{{a: {{host: one, network: {MARK}green}}}}"),
        "no network 'green'; there is blue, yellow, external",
    ),
    "unknown instance": (
        topology_file(floating_ips=f"{{2.2.2.10: {{instance: {MARK}vm}}}}"),
        "no instance 'vm'",
    ),
    "unknown network of a router": (
        topology_file(routers=f"{{r1: {{interfaces: [{{network: {MARK}blu}}]}}}}", floating_ips=""),
        "did you mean 'blue'?",
    ),
    "unknown external network": (
        topology_file(
            routers=f"{{r1: {{interfaces: [{{network: blue}}], external_network: {MARK}ext}}}}",
            floating_ips="",
        ),
        "no network 'ext'",
    ),
    "unknown SNAT host": (
        topology_file(
            routers=f"{{r1: {{interfaces: [{{network: blue}}], external_network: external, "
            f"snat_host: {MARK}three}}}}"
        ),
        "no host 'three'",
    ),
    "unknown network of a local VLAN": (
        topology_file(
            hosts=f"{{one: {{address: 10.0.0.1, snat: true, local_vlans: {{{MARK}bleu: 1}}}}, "
            "two: {address: 10.0.0.2}}"
        ),
        "no network 'bleu'; did you mean 'blue'?",
    ),
    "unknown host of a tunnel": (
        topology_file(
            hosts=f"{{one: {{address: 10.0.0.1, snat: true, tunnel_ports: {{{MARK}tow: 2}}}}, "
            "two: {address: 10.0.0.2}}"
        ),
        "no host 'tow'; did you mean 'two'?",
    ),
    "unknown hosts of a network": (
        topology_file(
            networks=f"""
      blue: {{subnets: [{{cidr: 192.168.1.0/24}}], dhcp_host: {MARK}onne}}
      yellow: {{subnets: [{{cidr: 192.168.2.0/24}}]}}
      external:
        external: true
        subnets: [{{cidr: 2.2.2.0/24}}]
        gateway_host: {MARK}twoo
        agent_gateways: {{{MARK}three: {{}}}}"""
        ),
        "no host 'onne'",
        "no host 'twoo'",
        "no host 'three'",
    ),
    "unknown network of a floating address": (
        topology_file(floating_ips=f"{{2.2.2.10: {{network: {MARK}ext}}}}"),
        "no network 'ext'",
    ),
    "instance named as a host": (
        topology_file(
            instances="{a: {host: one, network: blue}, "
            f"{MARK}two: {{host: two, network: blue}}}}"
        ),
        "'two' is also a host",
    ),
}


def _networks(blue: str = "", yellow: str = "", external: str = "external: true, ") -> str:
    return f"""
      blue: {{{blue}subnets: [{{cidr: 192.168.1.0/24}}]}}
      yellow: {{{yellow}subnets: [{{cidr: 192.168.2.0/24}}]}}
      external: {{{external}subnets: [{{cidr: 2.2.2.0/24}}]}}"""


def _router(keys: str, interfaces: str = "{network: blue}, {network: yellow}") -> str:
    return f"\n      r1: {{interfaces: [{interfaces}], {keys}}}"


BAD_ROLES: Cases = {
    "gateway host of an internal network": (
        topology_file(networks=_networks(blue=f"gateway_host: {MARK}one, ")),
        "not external",
    ),
    "agent gateway of an internal network": (
        topology_file(networks=_networks(blue=f"{MARK}agent_gateways: {{one: {{}}}}, ")),
        "not external",
    ),
    "DHCP host without DHCP": (
        topology_file(networks=_networks(external=f"external: true, dhcp_host: {MARK}one, ")),
        "no subnet of the network has DHCP",
    ),
    "DHCP port without DHCP": (
        topology_file(
            networks=_networks(external=f"external: true, {MARK}dhcp_port: {{ip: 2.2.2.5}}, ")
        ),
        "no subnet of the network has DHCP",
    ),
    "network joined twice": (
        topology_file(
            routers=_router(
                "external_network: external",
                f"{{network: blue}}, {{network: yellow}}, {{network: {MARK}blue, ip: 192.168.1.9}}",
            )
        ),
        "joins 'blue' twice",
    ),
    "interface on an external network": (
        topology_file(routers=_router("", f"{{network: {MARK}external}}"), floating_ips=""),
        "'external' is external",
    ),
    "external network that is not": (
        topology_file(
            routers=_router(f"external_network: {MARK}yellow", "{network: blue}"), floating_ips=""
        ),
        "'yellow' is not external; there is external",
    ),
    "nobody does SNAT": (
        topology_file(
            hosts="{one: {address: 10.0.0.1}, two: {address: 10.0.0.2}}",
            routers=_router(f"{MARK}external_network: external"),
        ),
        "no host does SNAT",
    ),
    "SNAT host that does none": (
        topology_file(routers=_router(f"external_network: external, snat_host: {MARK}two")),
        "'two' does no SNAT",
    ),
    "SNAT without an external network": (
        topology_file(
            routers=_router(
                f"{MARK}snat_host: one, {MARK}gateway_port: {{ip: 2.2.2.7}}",
                f"{{network: blue, {MARK}snat_port: {{ip: 192.168.1.9}}}}",
            ),
            floating_ips="",
        ),
        "has no external_network",
        "has no external_network",
        "has no external_network",
    ),
}

BAD_UNDERLAYS: Cases = {
    "duplicate host address": (
        topology_file(
            hosts=f"{{one: {{address: 10.0.0.1, snat: true}}, two: {{address: {MARK}10.0.0.1}}}}"
        ),
        "10.0.0.1 is already the address of host 'one' (line 3)",
    ),
    "controller at a host's address": (
        topology_file(controller="tcp:10.0.0.2:6653").replace(
            "two: {address: ", f"two: {{address: {MARK}"
        ),
        "already the address of the controller",
    ),
    "host outside of the underlay": (
        topology_file(underlay="{cidr: 10.0.0.0/24}").replace("10.0.0.2", f"{MARK}10.0.1.2"),
        "10.0.1.2 is not in the underlay's cidr 10.0.0.0/24",
    ),
    "host with the broadcast address": (
        topology_file().replace("10.0.0.2", f"{MARK}10.0.0.255"),
        "first or last",
    ),
    "host on link-local": (
        topology_file(underlay="{cidr: 10.0.0.0/24}").replace("10.0.0.2", f"{MARK}169.254.0.2"),
        "is not an address that a host can have",
    ),
    "controller with the broadcast address": (
        topology_file(controller=f"{MARK}tcp:10.0.0.255:6653"),
        "first or last",
    ),
    "controller of no machine": (
        topology_file(controller=f"{MARK}tcp:0.1.2.3:6653"),
        "names an address that no switch can reach",
    ),
    "hosts on no one network": (
        topology_file()
        .replace("10.0.0.1,", f"{MARK}10.0.0.1,")
        .replace("10.0.0.2", f"{MARK}192.168.0.1"),
        "on no one network",
        "on no one network",
    ),
    "access to the underlay from within": (
        topology_file(networks=_networks(blue=f"{MARK}underlay_access: true, ")),
        "no host of the file leads from here to the underlay",
    ),
    "external network over the underlay": (
        topology_file(
            networks="{external: {external: true, gateway_host: one, "
            f"subnets: [{{cidr: {MARK}10.0.0.0/16}}]}}}}",
            routers="",
            instances="",
            floating_ips="",
        ),
        "overlaps the underlay 10.0.0.0/24",
    ),
}


def _subnet(keys: str) -> str:
    return topology_file(
        networks=f"{{blue: {{subnets: [{{cidr: 192.168.1.0/24, {keys}}}]}}}}",
        routers="",
        instances="",
        floating_ips="",
    )


def _instances(a: str, b: str = "") -> str:
    return f"""
      a: {{host: one, network: blue{a}}}
      b: {{host: two, network: blue{b}}}"""


def _option(word: str) -> str:
    return _subnet(f"dhcp_options: {{{word}}}")


BAD_DHCP: Cases = {
    "unknown option": (_option(f"{MARK}ntp-sever: 9.9.9.9"), "did you mean 'ntp-server'?"),
    "option 0": (_option(f"{MARK}'0': 9.9.9.9"), "from 1 to 254"),
    "option of the protocol": (_option(f"{MARK}'53': 5"), "the DHCP server's own business"),
    "option of routes": (_option(f"{MARK}'121': x"), "write host_routes on the subnet"),
    "option twice": (
        _option(f"dns-server: 9.9.9.9, {MARK}'6': 9.9.9.9"),
        "'dns-server' (line 6) is the same; remove one",
    ),
    "option that takes addresses": (
        _option(f"ntp-server: {MARK}[9.9.9.9, time.example]"),
        "'ntp-server' takes addresses",
    ),
    "option that takes a number": (_option(f"mtu: {MARK}65536"), "from 0 to 65535"),
    "option that takes text": (_option(f"bootfile-name: {MARK}5"), "takes text of one line"),
    "option that takes names": (_option(f"domain-search: {MARK}a..b"), "takes domain names"),
    "option without a value": (_option(f"'224': {MARK}"), "takes addresses"),
    "option of too many values": (_option(f"'224': {MARK}[]"), "write from 1 to 63"),
    "option without DHCP": (
        _subnet(f"dhcp: false, {MARK}dhcp_options: {{domain-name: a.example}}"),
        "DHCP does not serve this",
    ),
    "option of an instance": (
        topology_file(instances=_instances(f", dhcp_options: {{'42': {MARK}x}}")),
        "'42' takes addresses",
    ),
    "range outside": (
        _subnet(f"dhcp_ranges: [{{start: 192.168.1.9, end: {MARK}192.168.2.9}}]"),
        "192.168.2.9 is no machine's address in 192.168.1.0/24; take one of 192.168.1.1 to",
    ),
    "range with the broadcast address": (
        _subnet(f"dhcp_ranges: [{{start: 192.168.1.9, end: {MARK}192.168.1.255}}]"),
        "192.168.1.255 is no machine's address",
    ),
    "range backwards": (
        _subnet(f"dhcp_ranges: [{{start: 192.168.1.9, end: {MARK}192.168.1.8}}]"),
        "192.168.1.8 is before 192.168.1.9",
    ),
    "range without an end": (
        _subnet(f"dhcp_ranges: [{MARK}{{start: 192.168.1.9}}]"),
        "has no 'end'",
    ),
    "ranges overlap": (
        _subnet(
            "dhcp_ranges: [{start: 192.168.1.9, end: 192.168.1.19}, "
            f"{{start: {MARK}192.168.1.8, end: 192.168.1.9}}]"
        ),
        "addresses from 192.168.1.9 on are in another range already",
    ),
    "range without DHCP": (
        _subnet(f"dhcp: false, {MARK}dhcp_ranges: [{{start: 192.168.1.8, end: 192.168.1.9}}]"),
        "DHCP does not serve this",
    ),
    "DHCP in no such way": (
        topology_file(
            networks=f"{{blue: {{dhcp: {MARK}true, subnets: [{{cidr: 192.168.1.0/24}}]}}}}",
            routers="",
            instances="",
            floating_ips="",
        ),
        "there are central and distributed",
    ),
    "DHCP on each host and on one": (
        topology_file(networks=_networks(blue=f"dhcp: distributed, dhcp_host: {MARK}one, ")),
        "with dhcp: distributed each host serves itself",
    ),
    "DHCP on each host and nowhere": (
        topology_file(
            networks=_networks(blue=f"{MARK}dhcp: distributed, ").replace(
                "192.168.1.0/24", "192.168.1.0/24, dhcp: false"
            )
        ),
        "no subnet of the network has DHCP",
    ),
    "range of no host": (
        topology_file(
            networks=_networks(blue="dhcp: distributed, ").replace(
                "192.168.1.0/24",
                f"192.168.1.0/24, dhcp_ranges: [{MARK}{{start: 192.168.1.8, end: 192.168.1.9}}]",
            )
        ),
        "which host leases these?",
    ),
    "range of an unknown host": (
        topology_file(
            networks=_networks(blue="dhcp: distributed, ").replace(
                "192.168.1.0/24",
                "192.168.1.0/24, dhcp_ranges: "
                f"[{{start: 192.168.1.8, end: 192.168.1.9, host: {MARK}onne}}]",
            )
        ),
        "no host 'onne'",
    ),
    "two addresses of a DHCP port in one subnet": (
        topology_file(
            networks=_networks(blue=f"dhcp_port: {{ips: [192.168.1.7, {MARK}192.168.1.8]}}, ")
        ),
        "192.168.1.7 (line 7) is in 192.168.1.0/24, too; a DHCP port has one in each subnet",
    ),
    "range of one host": (
        _subnet(f"dhcp_ranges: [{{start: 192.168.1.8, end: 192.168.1.9, host: {MARK}one}}]"),
        "one host serves all of this network",
    ),
    "next hop elsewhere": (
        _subnet(f"host_routes: [{{destination: 10.9.0.0/16, nexthop: {MARK}192.168.2.9}}]"),
        "192.168.2.9 is not in 192.168.1.0/24",
    ),
    "route twice": (
        _subnet(
            "host_routes: [{destination: 10.9.0.0/16, nexthop: 192.168.1.9}, "
            f"{{destination: {MARK}10.9.0.0/16, nexthop: 192.168.1.8}}]"
        ),
        "the route to 10.9.0.0/16 (line 6) is the same",
    ),
    "route to nowhere": (
        _subnet(f"host_routes: [{MARK}{{nexthop: 192.168.1.9}}]"),
        "has no 'destination'",
    ),
}

BAD_ADDRESSES: Cases = {
    "gateway outside": (_subnet(f"gateway_ip: {MARK}192.168.2.1"), "is not in 192.168.1.0/24"),
    "gateway is the broadcast address": (
        _subnet(f"gateway_ip: {MARK}192.168.1.255"),
        "is the broadcast address of 192.168.1.0/24",
    ),
    "external network without gateway": (
        topology_file(
            networks="{external: {external: true, "
            f"subnets: [{{cidr: 2.2.2.0/24, gateway_ip: {MARK}none}}]}}}}",
            routers="",
            instances="",
            floating_ips="",
        ),
        "leave an external network by its gateway",
    ),
    "gateway is neither": (_subnet(f"gateway_ip: {MARK}no"), "is not an IPv4 address"),
    "subnets of a network overlap": (
        topology_file(
            networks="{blue: {subnets: [{cidr: 10.1.0.128/25}, "
            f"{{cidr: {MARK}10.1.0.0/16}}]}}}}",
            routers="",
            instances="",
            floating_ips="",
        ),
        "10.1.0.0/16 of 'blue' overlaps 10.1.0.128/25 of 'blue' (line 6)",
    ),
    "subnets of a router overlap": (
        topology_file(
            networks=_networks().replace("192.168.2.0/24", "192.168.0.0/16"),
            routers=_router(
                "external_network: external", f"{{network: blue}}, {{network: {MARK}yellow}}"
            ),
        ),
        "192.168.0.0/16 of 'yellow' overlaps 192.168.1.0/24 of 'blue'",
    ),
    "external network overlaps a router's": (
        topology_file(
            networks=_networks().replace("192.168.2.0/24", "2.2.2.0/25"),
            routers=_router(f"external_network: {MARK}external"),
        ),
        "2.2.2.0/24 of 'external' overlaps 2.2.2.0/25 of 'yellow'",
    ),
    "address outside": (
        topology_file(instances=_instances(f", ip: {MARK}192.168.2.4")),
        "192.168.2.4 is in no subnet of 'blue'; take an address of 192.168.1.0/24",
    ),
    "network address": (
        topology_file(instances=_instances(f", ip: {MARK}192.168.1.0")),
        "is the network address of 192.168.1.0/24",
    ),
    "broadcast address": (
        topology_file(instances=_instances(f", ip: {MARK}192.168.1.255")),
        "is the broadcast address of 192.168.1.0/24",
    ),
    "gateway's address": (
        topology_file(instances=_instances(f", ip: {MARK}192.168.1.1")),
        "192.168.1.1 is the gateway of 192.168.1.0/24, the first unless gateway_ip says otherwise",
    ),
    "duplicate address": (
        topology_file(instances=_instances(", ip: 192.168.1.7", f", ip: {MARK}192.168.1.7")),
        "192.168.1.7 is already the address of instance 'a' (line 13)",
    ),
    "address of the DHCP port": (
        topology_file(
            networks=_networks(blue="dhcp_port: {ip: 192.168.1.7}, "),
            instances=_instances(f", ip: {MARK}192.168.1.7"),
        ),
        "the address of the DHCP port of 'blue' (line 7)",
    ),
    "address of a router's port": (
        topology_file(
            routers=_router("external_network: external", "{network: blue, ip: 192.168.1.7}"),
            instances=_instances(f", ip: {MARK}192.168.1.7"),
        ),
        "the address of the port of 'r1' on 'blue' (line 11)",
    ),
    "SNAT port in another subnet": (
        topology_file(
            networks=_networks().replace("24}]", "24}, {cidr: 192.168.3.0/24}]", 1),
            routers=_router(
                "external_network: external",
                f"{{network: blue, snat_port: {{ip: {MARK}192.168.3.7}}}}",
            ),
        ),
        "192.168.3.7 is not in 192.168.1.0/24",
    ),
    "agent gateway outside": (
        topology_file(
            networks=_networks(
                external=f"external: true, agent_gateways: {{one: {{ip: {MARK}2.2.3.6}}}}, "
            )
        ),
        "2.2.3.6 is in no subnet of 'external'",
    ),
    "no address left": (
        topology_file(
            networks=_networks().replace(
                "blue: {subnets: [{cidr: 192.168.1.0/24", "blue: {§subnets: [{cidr: 192.168.1.0/30"
            ),
            instances=_instances(""),
        ),
        "'blue' has too few addresses",
    ),
}

BAD_FLOATING_IPS: Cases = {
    "outside of the external network": (
        topology_file(floating_ips=f"{{{MARK}3.3.3.3: {{instance: a}}}}"),
        "3.3.3.3 is in no subnet of 'external'",
    ),
    "is the gateway": (
        topology_file(floating_ips=f"{{{MARK}2.2.2.1: {{instance: a}}}}"),
        "2.2.2.1 is the gateway",
    ),
    "taken by the gateway port": (
        topology_file(
            routers=_router("external_network: external, gateway_port: {ip: 2.2.2.10}"),
            floating_ips=f"{{{MARK}2.2.2.10: }}",
        ),
        "the address of the gateway port of 'r1'",
    ),
    "network not external": (
        topology_file(floating_ips=f"{{192.168.1.9: {{network: {MARK}blue}}}}"),
        "'blue' is not external",
    ),
    "no external network": (
        topology_file(
            networks="{blue: {subnets: [{cidr: 192.168.1.0/24}]}}",
            routers=_router("", "{network: blue}"),
            instances="{a: {host: one, network: blue}}",
            floating_ips=f"{{{MARK}2.2.2.10: {{instance: a}}}}",
        ),
        "no network is external",
    ),
    "several external networks": (
        topology_file(
            networks=_networks() + "\n      other: {external: true, subnets: [{cidr: 3.3.3.0/24}]}",
            floating_ips=f"{{{MARK}2.2.2.10: {{instance: a}}}}",
        ),
        "Add network: external, other",
    ),
    "network that the instance's routers do not lead to": (
        topology_file(
            networks=_networks() + "\n      other: {external: true, subnets: [{cidr: 3.3.3.0/24}]}",
            floating_ips=f"{{3.3.3.10: {{network: other, instance: {MARK}a}}}}",
        ),
        "routers lead from its network 'blue' to external, not 'other'",
    ),
    "no router leads there": (
        topology_file(
            routers=_router("external_network: external", "{network: yellow}"),
            floating_ips=f"{{2.2.2.10: {{instance: {MARK}a}}}}",
        ),
        "no router leads from its network 'blue' to 'external'",
    ),
    "two for one instance": (
        topology_file(
            floating_ips=f"{{2.2.2.10: {{instance: a}}, 2.2.2.11: {{instance: {MARK}a}}}}"
        ),
        "'a' already has the floating address 2.2.2.10",
    ),
    "priority without an instance": (
        topology_file(floating_ips=f"{{2.2.2.10: {{{MARK}rule_priority: 40000}}}}"),
        "bound to no instance, which this is for",
    ),
    "central without an instance": (
        topology_file(floating_ips=f"{{2.2.2.10: {{{MARK}central: true}}}}"),
        "bound to no instance, which this is for",
    ),
    "fixed address without an instance": (
        topology_file(floating_ips=f"{{2.2.2.10: {{{MARK}fixed_ip: 192.168.1.9}}}}"),
        "bound to no instance, which this is for",
    ),
    "priority of a central address": (
        topology_file(
            floating_ips=f"{{2.2.2.10: {{instance: a, central: true, {MARK}rule_priority: 40000}}}}"
        ),
        "a central address has no rule",
    ),
    "fixed address of another": (
        topology_file(
            instances="{a: {host: one, network: blue, ip: 192.168.1.9}}",
            floating_ips=f"{{2.2.2.10: {{instance: a, fixed_ip: {MARK}192.168.1.8}}}}",
        ),
        "'a' does not have 192.168.1.8; it has 192.168.1.9",
    ),
    "virtual address that is not central": (
        topology_file(
            instances="{a: {host: one, network: blue, allowed_address_pairs: [{ip: 192.168.1.8}]}}",
            floating_ips=f"{{2.2.2.10: {{instance: a, fixed_ip: {MARK}192.168.1.8}}}}",
        ),
        "several instances may have 192.168.1.8, so it is on no host for sure; add central: true",
    ),
    "fixed address that may be another's": (
        topology_file(
            instances="{a: {host: one, network: blue, ip: 192.168.1.8}, b: {host: two, "
            "network: blue, allowed_address_pairs: [{ip: 192.168.1.8}]}}",
            floating_ips=f"{{2.2.2.10: {{instance: {MARK}a}}}}",
        ),
        "several instances may have 192.168.1.8",
    ),
    "virtual address bound twice": (
        topology_file(
            instances="{a: {host: one, network: blue, "
            "allowed_address_pairs: [{ip: 192.168.1.8}]}, "
            "b: {host: two, network: blue, allowed_address_pairs: [{ip: 192.168.1.8}]}}",
            floating_ips="{2.2.2.10: {instance: a, central: true, fixed_ip: 192.168.1.8}, "
            f"2.2.2.11: {{instance: {MARK}b, central: true, fixed_ip: 192.168.1.8}}}}",
        ),
        "already has the floating address 2.2.2.10",
    ),
    "fixed address on a subnet that no router joins": (
        topology_file(
            networks="""
      blue: {subnets: [{cidr: 192.168.1.0/24}, {cidr: 192.168.9.0/24}]}
      external: {external: true, subnets: [{cidr: 2.2.2.0/24}]}""",
            routers=_router("external_network: external", "{network: blue}"),
            instances="{a: {host: one, network: blue, ip: 192.168.9.5}}",
            floating_ips=f"{{2.2.2.10: {{instance: {MARK}a}}}}",
        ),
        "no router leads from its network 'blue', 192.168.9.0/24, to 'external'",
    ),
    "fixed address of an instance that pins none": (
        topology_file(
            floating_ips=f"{{2.2.2.10: {{instance: a, fixed_ip: {MARK}192.168.1.8}}}}",
        ),
        "pin the address that it should have there",
    ),
    "priority twice on a host": (
        topology_file(
            instances="{a: {host: one, network: blue}, b: {host: one, network: blue}}",
            floating_ips="{2.2.2.10: {instance: a, rule_priority: 40000}, "
            f"2.2.2.11: {{instance: b, rule_priority: {MARK}40000}}}}",
        ),
        "40000 is already the rule priority of 2.2.2.10",
    ),
}


def _forwardings(*forwardings: str) -> str:
    """A file whose second floating address forwards ports; what the first does is given."""
    first = "2.2.2.10: {instance: b}"
    return topology_file(
        floating_ips=f"{{{first}, 2.2.2.11: {{port_forwardings: [{', '.join(forwardings)}]}}}}"
    )


def _forwarding(external_port: str = "80", more: str = "", protocol: str = "tcp") -> str:
    return f"{{protocol: {protocol}, instance: a, external_port: {external_port}{more}}}"


BAD_FORWARDINGS: Cases = {
    "protocol without ports": (
        _forwardings(_forwarding(protocol=f"{MARK}icmp")),
        "'icmp' is not forwarded, only tcp and udp are",
    ),
    "not a port": (_forwardings(_forwarding(f"{MARK}http")), "'http' is not a port"),
    "true is no port": (_forwardings(_forwarding(f"{MARK}true")), "'true' is not a port"),
    "no such port": (_forwardings(_forwarding(f"{MARK}65536")), "from 1 to 65535"),
    "ports backwards": (_forwardings(_forwarding(f"{MARK}90-80")), "write 80-90"),
    "unknown instance of a forwarding": (
        _forwardings(f"{{protocol: tcp, external_port: 80, instance: {MARK}aa}}"),
        "no instance 'aa'; did you mean 'a'?",
    ),
    "bound and forwarded": (
        topology_file(
            floating_ips=f"{{2.2.2.10: {{instance: b, {MARK}port_forwardings: [{_forwarding()}]}}}}"
        ),
        "all ports lead to 'b' already",
    ),
    "central and forwarded": (
        topology_file(
            floating_ips=f"{{2.2.2.10: {{{MARK}central: true, port_forwardings: "
            f"[{_forwarding()}]}}}}"
        ),
        "forwarded ports are central already",
    ),
    "port forwarded twice": (
        _forwardings(_forwarding(), _forwarding("80", protocol="udp"), _forwarding(f"{MARK}80")),
        "tcp 80 is already forwarded (line 15)",
    ),
    "ports that overlap": (
        _forwardings(_forwarding("82"), _forwarding(f"{MARK}80-90"), _forwarding(f"{MARK}90")),
        "tcp 82 is already forwarded",
        "tcp 90 is already forwarded",
    ),
    "fewer ports than are forwarded": (
        _forwardings(_forwarding("80-89", f", internal_port: {MARK}90-98")),
        "90-98 are 9 ports, and 80-89 are 10; name as many, or only the first",
    ),
    "beyond the last port": (
        _forwardings(_forwarding("80-89", f", internal_port: {MARK}65530")),
        "the last of 10 ports from 65530 on would be 65539",
    ),
    "fixed address of another than the forwarding's": (
        _forwardings(_forwarding(more=f", fixed_ip: {MARK}192.168.1.77")),
        "'a' does not have 192.168.1.77",
    ),
    "answers by its own address": (
        topology_file(
            floating_ips="{2.2.2.10: {instance: a}, 2.2.2.11: {port_forwardings: "
            f"[{{protocol: tcp, external_port: 80, instance: {MARK}a}}]}}}}"
        ),
        "'a' would answer as 2.2.2.10, which is its own; set central: true on 2.2.2.10",
    ),
    "no router leads to a forwarding": (
        topology_file(
            routers=_router("external_network: external", "{network: yellow}"),
            floating_ips="{2.2.2.11: {port_forwardings: "
            f"[{{protocol: tcp, external_port: 80, instance: {MARK}a}}]}}}}",
        ),
        "no router leads from its network 'blue' to 'external'",
    ),
    "forwarded behind two routers": (
        topology_file(
            routers="{r1: {interfaces: [{network: blue}], external_network: external}, "
            "r2: {interfaces: [{network: yellow}], external_network: external}}",
            floating_ips=f"{{2.2.2.11: {{{MARK}port_forwardings: ["
            f"{_forwarding()}, {{protocol: tcp, external_port: 81, instance: b}}]}}}}",
        ),
        "no one router leads to all of these instances from 'external'",
    ),
}


def _hosts(one: str, two: str = "") -> str:
    return f"""
      one: {{address: 10.0.0.1, snat: true{one}}}
      two: {{address: 10.0.0.2{two}}}"""


ID = "28e4ec01-f0a1-4c0e-9c2b-4f8a5d7e6b10"

BAD_NUMBERS: Cases = {
    "duplicate MAC": (
        topology_file(
            instances=_instances(", mac: 'fa:16:3e:00:00:01'", f", mac: {MARK}'FA:16:3e:00:00:01'")
        ),
        "fa:16:3e:00:00:01 is already the MAC of instance 'a' (line 13)",
    ),
    "MAC of a router's port": (
        topology_file(
            routers=_router(
                "external_network: external", "{network: blue, mac: 'fa:16:3e:00:00:01'}"
            ),
            instances=_instances(f", mac: {MARK}'fa:16:3e:00:00:01'"),
        ),
        "the MAC of the port of 'r1' on 'blue'",
    ),
    "duplicate DVR MAC": (
        topology_file(
            hosts=_hosts(", dvr_mac: 'fa:16:3f:00:00:01'", f", dvr_mac: {MARK}'fa:16:3f:00:00:01'")
        ),
        "already the DVR MAC of host 'one'",
    ),
    "DVR MAC of a port": (
        topology_file(
            hosts=_hosts(", dvr_mac: 'fa:16:3f:00:00:01'"),
            instances=_instances(f", mac: {MARK}'fa:16:3f:00:00:01'"),
        ),
        "already the DVR MAC of host 'one'",
    ),
    "same MAC at both ends": (
        topology_file(
            routers=_router(
                "external_network: external, fip_link: "
                f"{{rfp_mac: '02:00:00:00:00:01', fpr_mac: {MARK}'02:00:00:00:00:01'}}"
            )
        ),
        "the MAC of the link's other end",
    ),
    "duplicate id": (
        topology_file(
            networks=_networks(blue=f"id: {ID}, "),
            routers=_router(f"external_network: external, id: {MARK}{ID}"),
        ),
        f"{ID} is already the id of network 'blue'",
    ),
    "ids of one device name": (
        topology_file(
            instances=_instances(f", id: {ID}", f", id: {MARK}{ID[:11]}00-4c0e-9c2b-4f8a5d7e6b10")
        ),
        "device tap28e4ec01-f0 would also be that of instance 'a'",
    ),
    "duplicate VNI": (
        topology_file(networks=_networks(blue="vni: 0x19, ", yellow=f"vni: {MARK}25, ")),
        "25 is already the VNI of 'blue'",
    ),
    "duplicate local VLAN": (
        topology_file(hosts=_hosts(f", local_vlans: {{blue: 1, yellow: {MARK}1}}")),
        "1 is already the VLAN tag of 'blue'",
    ),
    "duplicate tunnel port": (
        topology_file(
            hosts=_hosts(f", tunnel_ports: {{two: 2, three: {MARK}2}}")
            + "\n      three: {address: 10.0.0.3}"
        ),
        "2 is already the port of 'two'",
    ),
    "tunnel to itself": (
        topology_file(hosts=_hosts(f", tunnel_ports: {{{MARK}one: 2}}")),
        "'one' has no tunnel to itself",
    ),
    "duplicate datapath id": (
        topology_file(
            hosts=_hosts(", datapath_ids: {br-tun: 0xa}", f", datapath_ids: {{br-int: {MARK}10}}")
        ),
        "10 is already the datapath id of br-tun of host 'one'",
    ),
    "datapath id of a bridge that has no flows": (
        topology_file(hosts=_hosts(f", datapath_ids: {{{MARK}br-ex: 1}}")),
        "is no bridge that has flows; there are br-int and br-tun",
    ),
    "datapath id out of range": (
        topology_file(hosts=_hosts(f", datapath_ids: {{br-tun: {MARK}0}}")),
        "out of range",
    ),
    "duplicate link-local pair": (
        topology_file(
            routers=_router(
                "external_network: external, fip_link: {cidr: 169.254.70.0/31}", "{network: blue}"
            )
            + "\n      r2: {interfaces: [{network: yellow}], "
            f"fip_link: {{cidr: {MARK}169.254.70.0/31}}}}"
        ),
        "169.254.70.0/31 is already the link-local pair of router 'r1'",
    ),
    "several at once": (
        topology_file(
            hosts=_hosts(f", tunnel_ports: {{{MARK}one: 2}}"),
            networks=_networks(blue="vni: 5, ", yellow=f"vni: {MARK}5, "),
            instances=_instances(f", ip: {MARK}10.0.0.7")
            + f"\n      c: {{host: {MARK}onne, network: blue}}",
        ),
        "tunnel to itself",
        "the VNI of 'blue'",
        "in no subnet of 'blue'",
        "no host 'onne'",
    ),
}

TWO_SUBNETS = """
      blue: {subnets: [{cidr: 192.168.1.0/24}, {cidr: 192.168.3.0/24}]}
      yellow: {subnets: [{cidr: 192.168.2.0/24}]}
      external: {external: true, subnets: [{cidr: 2.2.2.0/24}]}"""


def _routes(
    *routes: str, external: str = "external_network: external, ", floating_ips: str = ""
) -> str:
    interfaces = "interfaces: [{network: blue}, {network: yellow}]"
    return topology_file(
        routers=f"\n      r1: {{{interfaces}, {external}routes: [{', '.join(routes)}]}}",
        floating_ips=floating_ips,
    )


def _pairs(*pairs: str, b: str = "") -> str:
    return topology_file(instances=_instances(f", allowed_address_pairs: [{', '.join(pairs)}]", b))


BAD_SHAPES: Cases = {
    "two forms of an instance": (
        topology_file(
            instances=f"{{a: {{host: one, {MARK}ip: 192.168.1.7, ports: [{{network: blue}}]}}}}"
        ),
        "the instance has 'ports'; write this in one of them",
    ),
    "no host of an instance that we make": (
        topology_file(instances=f"{{{MARK}a: {{network: blue}}}}", floating_ips=""),
        "'a' has no 'host'; add it",
    ),
    "unknown guest": (
        topology_file(instances=f"{{a: {{host: one, network: blue, guest: {MARK}kvm}}}}"),
        "'kvm' is no kind of guest; there are namespace and qemu",
    ),
    "guest that is plugged": (
        topology_file(instances=f"{{a: {{host: one, network: blue, guest: {MARK}plugged}}}}"),
        "write plugged: true instead",
    ),
    "guest of a plugged instance": (
        topology_file(
            instances=f"{{a: {{host: one, network: blue, {MARK}guest: qemu, plugged: true}}}}"
        ),
        "the instance is plugged: others make it; remove one of the two",
    ),
    "no form of an instance": (
        topology_file(instances=f"{{{MARK}a: {{host: one, ports: []}}}}", floating_ips=""),
        "'a' has no 'network'; add it",
    ),
    "port without a network": (
        topology_file(instances=f"{{a: {{host: one, ports: [{MARK}{{ip: 192.168.1.7}}]}}}}"),
        "entry 1 of ports has no 'network'",
    ),
    "misspelt key of a port": (
        topology_file(
            instances=f"{{a: {{host: one, ports: [{{network: blue, {MARK}ipp: 1.2.3.4}}]}}}}"
        ),
        "unknown key 'ipp'; did you mean 'ip'?",
    ),
    "ip and ips": (
        topology_file(instances=_instances(f", {MARK}ip: 192.168.1.7, ips: [192.168.1.8]")),
        "there is 'ips' already",
    ),
    "unknown network of a second port": (
        topology_file(
            instances=f"{{a: {{host: one, ports: [{{network: blue}}, {{network: {MARK}blu}}]}}}}"
        ),
        "no network 'blu'; did you mean 'blue'?",
    ),
    "second address outside": (
        topology_file(instances=_instances(f", ips: [192.168.1.7, {MARK}192.168.2.7]")),
        "192.168.2.7 is in no subnet of 'blue'",
    ),
    "second address that another has": (
        topology_file(
            instances=_instances(", ips: [192.168.1.7, 192.168.1.8]", f", ip: {MARK}192.168.1.8")
        ),
        "192.168.1.8 is already the address of instance 'a'",
    ),
    "subnet that the network does not have": (
        topology_file(
            networks=TWO_SUBNETS,
            routers=_router(
                "external_network: external", f"{{network: blue, subnet: {MARK}192.168.4.0/24}}"
            ),
        ),
        "192.168.4.0/24 is no subnet of 'blue'; write one of 192.168.1.0/24, 192.168.3.0/24",
    ),
    "subnet joined twice": (
        topology_file(
            networks=TWO_SUBNETS,
            routers=_router(
                "external_network: external",
                f"{{network: blue}}, {{network: {MARK}blue, subnet: 192.168.1.0/24}}",
            ),
        ),
        "joins 'blue' twice, on 192.168.1.0/24; name another subnet, or remove one",
    ),
    "router's port outside of its subnet": (
        topology_file(
            networks=TWO_SUBNETS,
            routers=_router(
                "external_network: external",
                f"{{network: blue, subnet: 192.168.3.0/24, ip: {MARK}192.168.1.9}}",
            ),
        ),
        "192.168.1.9 is not in 192.168.3.0/24, which the router's port is to join",
    ),
    "next hop elsewhere": (
        _routes(f"{{destination: 172.16.0.0/16, nexthop: {MARK}2.2.3.9}}"),
        "2.2.3.9 is in no subnet that the router joins; "
        "take an address of 192.168.1.0/24, 192.168.2.0/24, 2.2.2.0/24",
    ),
    "next hop outside of a router that does not lead there": (
        _routes(f"{{destination: 172.16.0.0/16, nexthop: {MARK}2.2.2.9}}", external=""),
        "2.2.2.9 is on 'external', and the router has no external_network; "
        "add external_network: external, or take an address of 192.168.1.0/24, 192.168.2.0/24",
    ),
    "next hop is the router's outer side": (
        _routes(
            f"{{destination: 172.16.0.0/16, nexthop: {MARK}2.2.2.9}}",
            external="external_network: external, gateway_port: {ip: 2.2.2.9}, ",
        ),
        "2.2.2.9 is the router itself",
    ),
    "next hop is a floating address": (
        _routes(
            f"{{destination: 172.16.0.0/16, nexthop: {MARK}2.2.2.9}}", floating_ips="{2.2.2.9: }"
        ),
        "2.2.2.9 is a floating address",
    ),
    "next hop is the outer broadcast address": (
        _routes(f"{{destination: 172.16.0.0/16, nexthop: {MARK}2.2.2.255}}"),
        "2.2.2.255 is no machine's address in 2.2.2.0/24",
    ),
    "route to where the router leads anyway": (
        _routes(f"{{destination: {MARK}2.2.2.128/25, nexthop: 2.2.2.9}}"),
        "2.2.2.128/25 is in 2.2.2.0/24 of 'external', which the router joins",
    ),
    "next hop is the router": (
        _routes(f"{{destination: 172.16.0.0/16, nexthop: {MARK}192.168.1.1}}"),
        "192.168.1.1 is the router itself",
    ),
    "next hop is the broadcast address": (
        _routes(f"{{destination: 172.16.0.0/16, nexthop: {MARK}192.168.1.255}}"),
        "192.168.1.255 is no machine's address",
    ),
    "route to where the router is": (
        _routes(f"{{destination: {MARK}192.168.2.128/25, nexthop: 192.168.1.9}}"),
        "192.168.2.128/25 is in 192.168.2.0/24 of 'yellow', which the router joins",
    ),
    "default route beside an external network": (
        _routes(f"{{destination: {MARK}0.0.0.0/0, nexthop: 192.168.1.9}}"),
        "takes all that is for 'external'",
    ),
    "two routes to one place": (
        _routes(
            "{destination: 172.16.0.0/16, nexthop: 192.168.1.9}",
            f"{{destination: {MARK}172.16.0.0/16, nexthop: 192.168.1.8}}",
        ),
        "a route to 172.16.0.0/16 already (line 11)",
    ),
    "route without a next hop": (
        _routes(f"{MARK}{{destination: 172.16.0.0/16}}"),
        "entry 1 of routes has no 'nexthop'",
    ),
    "virtual IP is the gateway": (
        _pairs(f"{{ip: {MARK}192.168.1.1}}"),
        "192.168.1.1 is the gateway of 192.168.1.0/24",
    ),
    "virtual IP is its own": (
        topology_file(
            instances=_instances(
                f", ip: 192.168.1.7, allowed_address_pairs: [{{ip: {MARK}192.168.1.7}}]"
            ),
            floating_ips="",
        ),
        "192.168.1.7 is its own address already",
    ),
    "virtual IP is the DHCP port's": (
        topology_file(
            networks=_networks(blue="dhcp_port: {ip: 192.168.1.7}, "),
            instances=_instances(f", allowed_address_pairs: [{{ip: {MARK}192.168.1.7}}]"),
        ),
        "192.168.1.7 is the address of the DHCP port of 'blue'",
    ),
    "virtual MAC is another's": (
        _pairs(
            f"{{ip: 192.168.1.9, mac: {MARK}'fa:16:3e:00:00:01'}}", b=", mac: 'fa:16:3e:00:00:01'"
        ),
        "fa:16:3e:00:00:01 is the MAC of instance 'b'",
    ),
    "virtual MAC is a host's": (
        topology_file(
            hosts=_hosts(", dvr_mac: 'fa:16:3f:00:00:01'"),
            instances=_instances(
                f", allowed_address_pairs: [{{ip: 192.168.1.9, mac: {MARK}'fa:16:3f:00:00:01'}}]"
            ),
        ),
        "fa:16:3f:00:00:01 is the DVR MAC of host 'one'",
    ),
    "virtual IP is the broadcast address": (
        _pairs(f"{{ip: {MARK}192.168.1.255}}"),
        "192.168.1.255 is no machine's address in 192.168.1.0/24",
    ),
    "virtual IP is a floating address": (
        topology_file(
            instances="{a: {host: one, network: blue}, b: {host: two, network: external, "
            f"allowed_address_pairs: [{{ip: {MARK}2.2.2.10}}]}}}}"
        ),
        "2.2.2.10 is a floating address",
    ),
    "pair that is no address": (
        _pairs(f"{{ip: {MARK}192.168.1.300}}"),
        "'192.168.1.300' is not an IPv4 address",
    ),
}

NO_MACHINE: dict[str, str] = {
    "0.0.0.0": "is an address of no machine",
    "0.1.2.3": "is an address of no machine",
    "127.0.0.1": "is a loopback address",
    "224.0.0.18": "is a multicast address",
    "239.1.1.1": "is a multicast address",
    "240.0.0.1": "is a reserved address",
    "255.255.255.255": "is the broadcast address of every network",
}
NAMING_A_MACHINE: dict[str, str] = {
    "host": topology_file().replace("10.0.0.2", f"{MARK}IP"),
    "ip": topology_file(instances=_instances(f", ip: {MARK}IP")),
    "ips": topology_file(instances=_instances(f", ips: [192.168.1.7, {MARK}IP]")),
    "virtual IP": _pairs(f"{{ip: {MARK}IP}}"),
    "virtual IP with a length": _pairs(f"{{ip: {MARK}IP/32}}"),
    "fixed address": topology_file(
        floating_ips=f"{{2.2.2.10: {{instance: a, fixed_ip: {MARK}IP}}}}"
    ),
    "floating address": topology_file(floating_ips=f"{{{MARK}IP: {{instance: a}}}}"),
    "gateway": _subnet(f"gateway_ip: {MARK}IP"),
    "name server": _subnet(f"dns: [9.9.9.9, {MARK}IP]"),
    "option": _option(f"ntp-server: {MARK}IP"),
    "option by number": _option(f"'6': {MARK}[9.9.9.9, IP]"),
    "range": _subnet(f"dhcp_ranges: [{{start: {MARK}IP, end: 192.168.1.9}}]"),
    "host route": _subnet(f"host_routes: [{{destination: 10.9.0.0/16, nexthop: {MARK}IP}}]"),
    "route": _routes(f"{{destination: 172.16.0.0/16, nexthop: {MARK}IP}}"),
    "DHCP port": topology_file(networks=_networks(blue=f"dhcp_port: {{ips: [{MARK}IP]}}, ")),
    "agent gateway": topology_file(
        networks=_networks(external=f"external: true, agent_gateways: {{one: {{ip: {MARK}IP}}}}, ")
    ),
    "router's port": topology_file(
        routers=_router("external_network: external", f"{{network: blue, ip: {MARK}IP}}")
    ),
    "SNAT port": topology_file(
        routers=_router(
            "external_network: external", f"{{network: blue, snat_port: {{ip: {MARK}IP}}}}"
        )
    ),
    "gateway port": topology_file(
        routers=_router(f"external_network: external, gateway_port: {{ip: {MARK}IP}}")
    ),
}
"""Every key of the file that names a machine's address."""


def _expect(*lines: str) -> str:
    return topology_file(expect=f"[{', '.join(lines)}]")


BAD_EXPECTATIONS: Cases = {
    "no sender": (_expect(f"{MARK}{{to: b}}"), "entry 1 of expect has no 'from'; add it"),
    "no receiver": (_expect(f"{MARK}{{from: b}}"), "entry 1 of expect has no 'to'; add it"),
    "misspelt key of an expectation": (
        _expect(f"{{from: a, to: b, {MARK}reaches: true}}"),
        "unknown key 'reaches'; did you mean 'reach'?",
    ),
    "expectations by name": (
        topology_file(expect=f"{MARK}{{a: b}}"),
        "is not a list; write [...]",
    ),
    "unknown sender": (
        _expect(f"{{from: {MARK}c, to: b}}"),
        "no instance and no host 'c'; there is a, b, one, two, outside",
    ),
    "unknown receiver": (
        _expect(f"{{from: a, to: {MARK}tow}}"),
        "no instance and no host 'tow'; did you mean 'two'?",
    ),
    "an end of no kind": (_expect(f"{{from: a, to: {MARK}'b c'}}"), "names no end of a packet's"),
    "a number as an end": (_expect(f"{{from: a, to: {MARK}7}}"), "write it in quotes"),
    "no such NIC": (_expect(f"{{from: a:eth0, to: {MARK}b:eth1}}"), "'b' has no NIC eth1"),
    "no world": (
        _expect(f"{{from: a, to: {MARK}outside}}"),
        "no external network has a gateway_host",
    ),
    "sender by an address of none": (
        _expect(f"{{from: {MARK}192.168.1.77, to: b}}"),
        "the file pins 192.168.1.77 for no instance",
    ),
    "sender by an address of two": (
        topology_file(
            networks="{blue: {subnets: [{cidr: 192.168.1.0/24}]}, "
            "green: {subnets: [{cidr: 192.168.1.0/24}]}}",
            instances="{a: {host: one, network: blue, ip: 192.168.1.9}, "
            "b: {host: one, network: green, ip: 192.168.1.9}}",
            routers="{}",
            floating_ips="{}",
            expect=f"[{{from: {MARK}192.168.1.9, to: b}}]",
        ),
        "192.168.1.9 is an address of 'a', 'b'; write one of the names",
    ),
    "address of no network": (
        _expect(f"{{from: a, to: {MARK}8.8.8.8}}"),
        "no network of the file has 8.8.8.8, and no host; write an address of one, or outside",
    ),
    "receiver that no machine is": (
        _expect(f"{{from: a, to: {MARK}224.0.0.1}}"),
        "is a multicast address, which no machine can have",
    ),
    "to itself": (_expect(f"{{from: a, {MARK}to: a}}"), "'a' is both ends"),
    "port without protocol": (
        _expect(f"{{from: a, to: b, port: {MARK}80}}"),
        "'80' is no port of tcp or udp; write it as 80/tcp",
    ),
    "port of another protocol": (
        _expect(f"{{from: a, to: b, port: {MARK}80/sctp}}"),
        "'80/sctp' is no port of tcp or udp",
    ),
    "no port": (_expect(f"{{from: a, to: b, port: {MARK}0/tcp}}"), "from 1 to 65535"),
    "seen but not there": (
        _expect(f"{{from: a, to: b, reach: false, {MARK}seen_as: 2.2.2.10}}"),
        "a packet that does not arrive is not seen",
    ),
    "reach is no word": (_expect(f"{{from: a, to: b, reach: {MARK}maybe}}"), "true or false"),
    "expected twice": (
        _expect("{from: a, to: b}", f"{MARK}{{from: a, to: b, reach: false}}"),
        "'a' to 'b' is expected already (line ",
    ),
}

NO_MACHINES_ADDRESS: Cases = {
    **{
        f"{key} {ip}": (text.replace("IP", ip), phrase)
        for key, text in NAMING_A_MACHINE.items()
        for ip, phrase in NO_MACHINE.items()
    },
    **{
        f"{key} {cidr}": (text, "whose addresses no machine can have")
        for cidr in ("0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/4", "239.255.0.0/16", "240.0.0.0/5")
        for key, text in {
            "route to": _routes(f"{{destination: {MARK}{cidr}, nexthop: 192.168.1.9}}"),
            "host route to": _subnet(
                f"host_routes: [{{destination: {MARK}{cidr}, nexthop: 192.168.1.9}}]"
            ),
            "pair": _pairs(f"{{ip: {MARK}{cidr}}}"),
        }.items()
    },
    "option that has no name": (_option(f"'224': {MARK}0.0.0.0"), "is an address of no machine"),
    "host route by the broadcast address": (
        _subnet(f"host_routes: [{{destination: 10.9.0.0/16, nexthop: {MARK}192.168.1.255}}]"),
        "192.168.1.255 is no machine's address",
    ),
}

BAD_TOPOLOGIES: Cases = {
    f"{kind}: {name}": case
    for kind, cases in {
        "YAML": BAD_YAML,
        "schema": BAD_SCHEMA,
        "one round": ONE_ROUND,
        "references": BAD_REFERENCES,
        "roles": BAD_ROLES,
        "underlay": BAD_UNDERLAYS,
        "addresses": BAD_ADDRESSES,
        "DHCP": BAD_DHCP,
        "floating addresses": BAD_FLOATING_IPS,
        "forwardings": BAD_FORWARDINGS,
        "numbers": BAD_NUMBERS,
        "shapes": BAD_SHAPES,
        "expectations": BAD_EXPECTATIONS,
        "no machine's address": NO_MACHINES_ADDRESS,
    }.items()
    for name, case in cases.items()
}
