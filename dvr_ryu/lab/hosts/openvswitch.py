"""Starts Open vSwitch in a lab host; makes br-phys where the kernel lacks a datapath for it.

On a real host an administrator does this. The companion makes br-int and br-tun.
"""

from __future__ import annotations

from dvr_ryu.errors import HostError
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

    They are services, so init restarts a killed daemon, like systemd on a real host. This does not
    use ovs-ctl, which is slower and fails if the kernel has no openvswitch module.
    """
    host.run(["ovsdb-tool", "create", _DATABASE, _SCHEMA])
    _serve(host, "ovsdb-server", _DATABASE, f"--remote=punix:{_RUN}/db.sock")
    wait_until(host.path(f"{_RUN}/db.sock").exists, 20, f"{host.name}: ovsdb-server's socket")
    _serve(host, "ovs-vswitchd", f"unix:{_RUN}/db.sock")
    # Without --no-wait, so that it returns only when ovs-vswitchd has read the settings.
    host.run(
        ["ovs-vsctl", "--retry", "set", "Open_vSwitch", "."]
        + [f"external_ids:{key}={host.name}" for key in ("system-id", "hostname")]
    )


def _serve(host: LabHost, daemon: str, *arguments: str) -> None:
    log = host.path(f"{_LOGS}/{daemon}.log")
    host.start_service(daemon, [daemon, *arguments, *_DAEMON], log, {})


def connect(host: LabHost, address: str, underlay: Underlay) -> None:
    """Give `host` its underlay address on a device that its tunnels can use.

    On netdev, Open vSwitch sends tunnel packets only through a bridge that has the address. So the
    bridge br-phys gets the address, and eth0 is its port.
    """
    # Costs 0.2 s, which dvr lab exec should not wait for.
    from dvr_ryu.companion.providers.ovs_appctl.vswitchd import ASKS_DATAPATH, NO_DATAPATHS

    if NO_DATAPATHS in host.run(ASKS_DATAPATH, check=False).stderr:
        _connect_by_bridge(host, address, underlay)
    else:
        cabling.connect(host, address, underlay)


def set_mtu(host: LabHost, mtu: int) -> None:
    """Give the device with the host's underlay address another MTU, and its card."""
    cabling.set_mtu(host, mtu)
    interface = ["--if-exists", "set", "Interface", PHYSICAL_BRIDGE, f"mtu_request={mtu}"]
    host.run(["ovs-vsctl", *interface])


def _connect_by_bridge(host: LabHost, address: str, underlay: Underlay) -> None:
    bridge = PHYSICAL_BRIDGE
    cabling.leave_no_checksum(host)
    # The kernel, too, sees the packets that arrive on eth0. It drops them, because they are for
    # the MAC of br-phys. arp_ignore keeps it from answering ARP there.
    host.run(["sysctl", "-q", f"net.ipv4.conf.{cabling.NIC}.arp_ignore=8"])
    host.run(["ip", "link", "set", cabling.NIC, "addrgenmode", "none", "up"])
    made = host.run(
        [
            *("ovs-vsctl", "add-br", bridge),
            *("--", "set", "Bridge", bridge, "datapath_type=netdev", "fail_mode=standalone"),
            f'other_config:hwaddr="{cabling.mac_of(address, cabling.BRIDGE_MAC)}"',
            *("--", "set", "Interface", bridge, f"mtu_request={underlay.mtu}"),
            *("--", "add-port", bridge, cabling.NIC),
        ]
    )
    if made.stderr:  # Open vSwitch's reason; ovs-vsctl calls that a success
        raise HostError(f"{host.name}: {made.stderr}".rstrip())
    # A restarted ovs-vswitchd connects to the controller before this bridge forwards packets, so
    # the ARP request is lost. By default the kernel would repeat it only after the connection
    # attempt has timed out.
    host.run(["sysctl", "-q", f"net.ipv4.neigh.{bridge}.retrans_time_ms=100"])
    lines = f"link set {bridge} up\n{cabling.address_line(address, underlay, bridge)}"
    host.run(["ip", "-batch", "-"], input=lines)
