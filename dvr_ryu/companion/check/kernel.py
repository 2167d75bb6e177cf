"""Check the kernel's abilities by trial, in a network namespace that is removed afterwards."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from dvr_ryu.companion.check.finding import Finding, fails, passes, warns
from dvr_ryu.companion.providers.commands import path_of
from dvr_ryu.companion.providers.kernel import rights, taps
from dvr_ryu.companion.providers.netlink import conntrack
from dvr_ryu.companion.providers.netlink.namespaces import nowhere
from dvr_ryu.companion.resources.openvswitch.datapath import datapath
from dvr_ryu.topology.view import HostView

BRIDGE_FILTER = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")


@frozen
class Trial:
    """A command that succeeds if the kernel has an ability; `module` provides that."""

    what: str
    command: tuple[str, ...]
    text: str
    module: str


def _ip(what: str, arguments: str, module: str) -> Trial:
    return Trial(what, ("ip", *arguments.split()), "", module)


TRIALS = (
    _ip("wires (veth)", "link add try0 type veth peer name try1", "veth"),
    _ip("policy rules", "rule add iif lo priority 9 table 9", "CONFIG_IP_MULTIPLE_TABLES"),
    Trial(
        "NAT and conntrack",
        ("iptables-restore",),
        "*mangle\n-A POSTROUTING -m conntrack --ctstate INVALID -j DROP\nCOMMIT\n"
        "*raw\n-A PREROUTING -j CT --notrack\nCOMMIT\n"
        "*nat\n-A PREROUTING -d 192.0.2.1/32 -j DNAT --to-destination 192.0.2.2\n"
        "-A POSTROUTING -m conntrack ! --ctstate DNAT -j ACCEPT\n"
        "-A POSTROUTING -j SNAT --to-source 192.0.2.1 --random-fully\nCOMMIT\n",
        "nf_nat, nf_conntrack, xt_conntrack, xt_CT",
    ),
)
TUNNELS = {
    "vxlan": _ip("vxlan tunnels", "link add try2 type vxlan external dstport 4789", "vxlan"),
    "geneve": _ip("geneve tunnels", "link add try2 type geneve external", "geneve"),
    "gre": _ip("gre tunnels", "link add try2 type gretap external", "ip_gre"),
}
"""The trials of Open vSwitch's needs where the kernel has its datapath."""


def findings(view: HostView | None, datapath_type: str) -> Iterator[Finding]:
    """Yield the kernel's abilities and lacks; without the rights to try, nothing."""
    if not rights.missing():
        trials = list(TRIALS)
        if view and datapath(datapath_type).kernels_tunnels:
            trials.append(TUNNELS[view.topology.underlay.tunnel_type])
        with nowhere():
            found = [_try(each) for each in trials if path_of(each.command[0])]
            found.append(_tell_connections())
        if datapath(datapath_type).needs_taps:
            found.append(_make_taps())
        yield from found
    if BRIDGE_FILTER.exists() and BRIDGE_FILTER.read_text().strip() == "1":
        advice = "below a Linux bridge's underlay: sysctl -w net.bridge.bridge-nf-call-iptables=0"
        yield warns("br_netfilter", "iptables sees what Linux bridges forward", advice)


def _tell_connections() -> Finding:
    what = "connections (conntrack)"
    try:
        conntrack.require()
    except OSError as error:
        return fails(what, str(error.strerror), "this kernel needs nf_conntrack_netlink")
    return passes(what, "the kernel can tell them")


def _make_taps() -> Finding:
    """Whether the userspace datapath can make the devices of its bridges and ports."""
    what = "taps (tun)"
    try:
        taps.require()
    except OSError as error:
        return fails(what, f"{taps.TUN}: {error.strerror}", taps.ADVICE)
    return passes(what, "the kernel can")


def _try(trial: Trial) -> Finding:
    program, *arguments = trial.command
    command = [str(path_of(program)), *arguments]
    done = subprocess.run(command, input=trial.text, capture_output=True, text=True)
    if done.returncode == 0:
        return passes(trial.what, "the kernel can")
    seen = (done.stderr or done.stdout).strip().splitlines()[:1]
    return fails(trial.what, "".join(seen), f"this kernel needs {trial.module}")
