"""Open vSwitch in a lab host, and the bridge br-phys where the kernel has no datapath for it.

This is what the administrator of a real host would have done. The companion makes br-int, br-tun.
"""

from __future__ import annotations

from dvr_ryu.lab.hosts import cabling
from dvr_ryu.lab.hosts.host import LabHost
from dvr_ryu.lab.wait import wait_until
from dvr_ryu.topology.model import Underlay

PHYSICAL_BRIDGE = "br-phys"

_SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
_DATABASE = "/etc/openvswitch/conf.db"
_RUN = "/run/openvswitch"
_LOGS = "/var/log/openvswitch"
_DAEMON = ["--pidfile", "--no-chdir", "--log-file", "-vconsole:off", "-vsyslog:off"]


def start(host: LabHost) -> None:
    """Start ovsdb-server and ovs-vswitchd in `host`; both answer when this returns.

    They are services: a daemon that is killed comes back, as systemd sees to it on a real host.
    ovs-ctl is not used: it fails where the kernel has no openvswitch module, and takes longer.
    """
    host.run(["ovsdb-tool", "create", _DATABASE, _SCHEMA])
    _serve(host, "ovsdb-server", _DATABASE, f"--remote=punix:{_RUN}/db.sock")
    wait_until(host.path(f"{_RUN}/db.sock").exists, 20, f"{host.name}: ovsdb-server's socket")
    _serve(host, "ovs-vswitchd", f"unix:{_RUN}/db.sock")
    # Not --no-wait: it returns when ovs-vswitchd has read it.
    host.run(
        ["ovs-vsctl", "--retry", "set", "Open_vSwitch", "."]
        + [f"external_ids:{key}={host.name}" for key in ("system-id", "hostname")]
    )


def _serve(host: LabHost, daemon: str, *arguments: str) -> None:
    log = host.path(f"{_LOGS}/{daemon}.log")
    host.start_service(daemon, [daemon, *arguments, *_DAEMON], log, {})


def connect(host: LabHost, address: str, underlay: Underlay) -> None:
    """Give `host` its underlay address where its tunnels can use it.

    On netdev tunnels are sent only through a bridge that has the address: br-phys, with eth0 in it.
    """
    # Costs 0.2 s, which dvr lab exec should not wait for.
    from dvr_ryu.companion.providers.netlink.datapath import datapath_type

    if datapath_type() == "netdev":
        _connect_by_bridge(host, address, underlay)
    else:
        cabling.connect(host, address, underlay)


def _connect_by_bridge(host: LabHost, address: str, underlay: Underlay) -> None:
    bridge = PHYSICAL_BRIDGE
    cabling.leave_no_checksum(host)
    # The kernel sees what arrives on eth0, too. The address's MAC is not eth0's, so it takes no
    # packet there, and it must not answer ARP either.
    host.run(["sysctl", "-q", f"net.ipv4.conf.{cabling.NIC}.arp_ignore=8"])
    host.run(["ip", "link", "set", cabling.NIC, "addrgenmode", "none", "up"])
    host.run(
        [
            *("ovs-vsctl", "add-br", bridge),
            *("--", "set", "Bridge", bridge, "datapath_type=netdev", "fail_mode=standalone"),
            f'other_config:hwaddr="{cabling.mac_of(address, cabling.BRIDGE_MAC)}"',
            *("--", "set", "Interface", bridge, f"mtu_request={underlay.mtu}"),
            *("--", "add-port", bridge, cabling.NIC),
        ]
    )
    # When ovs-vswitchd comes back, it calls the controller before this bridge carries its packets:
    # the ARP request is lost. The kernel would ask again only when the call has been given up.
    host.run(["sysctl", "-q", f"net.ipv4.neigh.{bridge}.retrans_time_ms=100"])
    lines = f"link set {bridge} up\n{cabling.address_line(address, underlay, bridge)}"
    host.run(["ip", "-batch", "-"], input=lines)
