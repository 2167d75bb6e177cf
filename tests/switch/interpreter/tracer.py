"""Asks ofproto/trace of a test's Open vSwitch what it would do with a packet, and reads the answer.

One unixctl connection serves thousands of traces: a process for each would take most of the time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from attrs import frozen
from ovs.unixctl.client import UnixctlClient

from dvr_ryu.lab.wait import wait_until
from dvr_ryu.pipeline.language.cookie import COOKIE
from dvr_ryu.pipeline.language.flow import Flow
from dvr_ryu.pipeline.language.numbers import read_ipv4, read_mac
from dvr_ryu.pipeline.language.syntax import parse_flow
from dvr_ryu.pipeline.run.packet import Packet
from dvr_ryu.pipeline.run.ports import LOCAL, BridgePort
from tests.switch.interpreter.datapath_actions import DatapathRun
from tests.switch.support.ovs import Ovs, flow_file

_UNDERLAY = "br-phys"
_MAC_LINE = re.compile(r"^ *(\w+) +(\d+) +([0-9a-f:]{17})", re.MULTILINE)
_CONTROL = "ovs-vswitchd.*.ctl"
_PORT_LINE = re.compile(r"^    (\S+) \d+/(\d+): .*?(?:remote_ip=([0-9.]+))?\)?$", re.MULTILINE)


class CannotTrace(Exception):
    """ofproto/trace cannot tell what becomes of a packet."""


@frozen
class Traced:
    """What Open vSwitch would do: the ports and packets, and its own words."""

    outputs: tuple[tuple[str, Packet], ...]
    final: str
    """The packet after its last action."""
    text: str


class Tracer:
    """Bridges of one Open vSwitch, for traces."""

    def __init__(self, ovs: Ovs) -> None:
        self.ovs = ovs
        wait_until(lambda: any(ovs.folder.glob(_CONTROL)), 20, "Open vSwitch's control socket")
        (target,) = ovs.folder.glob(_CONTROL)
        error, self._client = UnixctlClient.create(str(target))
        assert not error, error
        self._make_underlay()
        self.call("time/stop")
        self._ports: dict[str, dict[tuple[int, int | None], str]] = {}
        self._ofports: dict[str, dict[str, str]] = {}

    def _make_underlay(self) -> None:
        """An underlay of 10.0.0.0/8, so that tunnels find their way."""
        arguments = ["--", "set", "bridge", _UNDERLAY, "datapath_type=dummy"]
        arguments += ["--", "add-port", _UNDERLAY, "wire"]
        arguments += ["--", "set", "interface", "wire", "type=dummy"]
        self.ovs.vsctl("add-br", _UNDERLAY, *arguments)
        self.call("netdev-dummy/ip4addr", _UNDERLAY, "10.255.255.254/8")
        self.call("ovs/route/add", "10.0.0.0/8", _UNDERLAY)

    def add_flows(self, bridge: str, flows: Iterable[str]) -> None:
        """Add flows to a bridge. Raises AssertionError if it refuses one."""
        self.ovs.run(
            "ovs-ofctl", "-O", "OpenFlow14", "add-flows", bridge, "-", input=flow_file(flows)
        )

    def forget(self, bridge: str, tables: Iterable[int]) -> None:
        """Remove what NORMAL learned, and all flows of these tables."""
        self.call("fdb/flush", bridge)
        for table in tables:
            self.ovs.run("ovs-ofctl", "-O", "OpenFlow14", "del-flows", bridge, f"table={table}")

    def call(self, command: str, *arguments: str) -> str:
        """Run a command of ovs-appctl."""
        error, failure, answer = self._client.transact(command, list(arguments))
        assert not error, error
        if failure:
            raise AssertionError(f"{command} {arguments}: {failure}")
        return str(answer)

    def make(
        self,
        bridge: str,
        ports: Iterable[BridgePort],
        flows: Iterable[str],
        tunnels: dict[str, str] | None = None,
        tunnel_type: str = "vxlan",
    ) -> None:
        """Make a bridge with dummy ports in place of devices and patches. `tunnels`: port → the
        address of its other end.
        """
        tunnels = tunnels or {}
        # In one transaction, Open vSwitch would change the bridge that is there.
        self.ovs.vsctl("--if-exists", "del-br", bridge)
        arguments = ["add-br", bridge]
        arguments += ["--", "set", "bridge", bridge, "fail_mode=secure", "datapath_type=dummy"]
        arguments += ["protocols=OpenFlow10,OpenFlow13,OpenFlow14"]
        for port in ports:
            if port.number == LOCAL:
                continue
            arguments += ["--", "add-port", bridge, port.name]
            arguments += [f"tag={port.tag}"] if port.tag is not None else []
            protected = str(port.protected).lower()
            arguments += ["--", "set", "port", port.name, f"protected={protected}"]
            arguments += ["--", "set", "interface", port.name, f"ofport_request={port.number}"]
            if port.name in tunnels:
                arguments += [
                    f"type={tunnel_type}",
                    "options:key=flow",
                    f"options:remote_ip={tunnels[port.name]}",
                ]
            else:
                arguments += ["type=dummy"]
        self.ovs.vsctl(*arguments)
        for address in tunnels.values():
            self.call("tnl/neigh/set", _UNDERLAY, address, "02:00:00:00:00:01")
        self.add_flows(bridge, flows)
        self._ofports[bridge] = {
            port.name: "LOCAL" if port.number == LOCAL else str(port.number) for port in ports
        }
        self._ports[bridge] = self._datapath_ports(bridge)

    def _datapath_ports(self, bridge: str) -> dict[tuple[int, int | None], str]:
        """Datapath port, and the other end of a tunnel → name."""
        shown = self.call("dpif/show").partition(f"  {bridge}:\n")[2]
        return {
            (int(number), read_ipv4(end) if end else None): name
            for name, number, end in re.findall(_PORT_LINE, shown)
        }

    def learned_macs(self, bridge: str) -> set[tuple[int, int, str]]:
        """VLAN, MAC and port of all that NORMAL learned."""
        shown = self.call("fdb/show", bridge)
        numbers = {number: name for name, number in self._ofports[bridge].items()}
        return {
            (int(vlan), read_mac(mac), numbers[port])
            for port, vlan, mac in re.findall(_MAC_LINE, shown)
        }

    def learned_flows(self, bridge: str) -> set[Flow]:
        """The flows that learn actions made: those without our own cookie."""
        dumped = self.ovs.flows(bridge, "-O", "OpenFlow14", "--no-names")
        flows = (parse_flow(line.replace("reset_counts ", "")) for line in dumped)
        return {flow for flow in flows if flow.cookie != COOKIE}

    def _traced(self, bridge: str, packet: Packet, in_port: int) -> str:
        try:
            return self.call("ofproto/trace", bridge, flow_text(packet, in_port), "-generate")
        except AssertionError as error:
            if "Bad openflow flow syntax" in str(error):
                raise CannotTrace(str(error)) from None
            raise

    def trace(self, bridge: str, packet: Packet, in_port: int) -> Traced:
        """What the bridge does with a packet: it learns, but sends nothing."""
        text = self._traced(bridge, packet, in_port)
        actions = re.findall(r"^Datapath actions: (.*)$", text, re.MULTILINE)
        again = re.findall(r"^recirc\((\w+)\)", text, re.MULTILINE)
        if re.findall(r"recirc\((\w+)\)", actions[0]) != again[:1]:
            raise CannotTrace("the trace ends where the packet is parsed again")
        run = DatapathRun(packet, self._ports[bridge], dict(zip(again, actions[1:], strict=True)))
        run.run(actions[0])
        found = re.search(r"^Final flow: (.*)$", text, re.MULTILINE)
        final = found[1] if found else ""
        return Traced(tuple(run.outputs), final, text)


def flow_text(packet: Packet, in_port: int) -> str:
    """The packet as ofproto/trace reads it."""
    fields = {n: v for n, v in packet.fields.items() if n not in ("in_port", "icmp_id")}
    return f"in_port={in_port},{Packet(fields)}".rstrip(",")
