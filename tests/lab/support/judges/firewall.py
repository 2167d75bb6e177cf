"""Runs in a lab host: gives the kernel rulesets and packets, and compares it with `check`.

It reads cases as JSON, {"tool": ..., "text": ..., "packets": [...]}, and prints for each packet
whether the kernel delivered it, and what the walk through the rules says.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from scapy.layers.inet import GRE, IP, TCP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from dvr_ryu.companion.check.firewall import reading
from dvr_ryu.companion.check.firewall.findings import WAYS, Flow
from dvr_ryu.companion.check.firewall.rules import NO_PORT
from dvr_ryu.companion.check.firewall.walk import first_drop
from dvr_ryu.companion.providers.netlink.namespaces import inside

OWN, DEVICE, PEER = "10.0.0.1", "v0", "peer"
ALL_PROTOCOLS, MARKER = 3, b"\x88\xb5" + b"the packet before it has passed" * 2
SETUP = f"""
ip netns add {PEER}
ip link add {DEVICE} type veth peer name v1 netns {PEER}
ip link set {DEVICE} up
ip -n {PEER} link set v1 up
ip address add {OWN}/24 dev {DEVICE}
"""


def raw_socket(device: str) -> socket.socket:
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_PROTOCOLS))
    sock.bind((device, ALL_PROTOCOLS))
    sock.settimeout(10)
    return sock


class Judge:
    """The kernel: a cable to this host, and the packets that it delivers from there."""

    def __init__(self) -> None:
        for line in SETUP.strip().splitlines():
            subprocess.run(line.split(), check=True)
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # so packets stay in order
        self._watched = raw_socket(DEVICE)
        with inside(PEER):
            self._cable = raw_socket("v1")
        self._mac = Path(f"/sys/class/net/{DEVICE}/address").read_text().strip()
        self._source_port = 20000

    def delivers(self, protocol: str, port: int, source: str) -> bool:
        """Whether a packet passes, the first of a new connection."""
        self._source_port += 1
        frame = Ether(dst=self._mac) / IP(src=source, dst=OWN)
        if protocol == "udp":
            frame = frame / UDP(sport=self._source_port, dport=port)
        elif protocol == "tcp":
            frame = frame / TCP(sport=self._source_port, dport=port, flags="S")
        else:
            frame = frame / GRE(proto=0x6558)
        before = _delivered()
        self._cable.send(bytes(frame / Raw(b"x")))
        self._cable.send(bytes.fromhex(self._mac.replace(":", "")) + b"\2" * 6 + MARKER)
        while not self._watched.recv(2000).endswith(MARKER):
            pass
        return _delivered() > before


def _delivered() -> int:
    names, numbers, *_ = Path("/proc/self/net/snmp").read_text().splitlines()
    counts = dict(zip(names.split(), numbers.split(), strict=True))
    return int(counts["InDelivers"]) + int(counts["InUnknownProtos"])


def judged(judge: Judge, case: dict[str, Any]) -> dict[str, Any]:
    """The judgements about one case; or the program's refusal of its text."""
    tool = {"nft": ["nft", "-f", "-"], "iptables": ["iptables-restore"]}[case["tool"]]
    done = subprocess.run(tool, input=case["text"], capture_output=True, text=True)
    if done.returncode:
        return {"refused": done.stderr}
    try:
        found = []
        chains = reading.read()
        for protocol, port, source in case["packets"]:
            flow = Flow("", "INPUT", source, OWN, protocol, port or NO_PORT, DEVICE)
            drop = first_drop(chains, WAYS["INPUT"], flow.packet())
            expected = "passes" if drop is None else "is lost" if drop.certain else "may be lost"
            found.append([judge.delivers(protocol, port, source), expected])
        return {"found": found}
    finally:
        subprocess.run(["nft", "flush", "ruleset"], check=True)


if __name__ == "__main__":
    the_judge = Judge()
    print(json.dumps([judged(the_judge, case) for case in json.load(sys.stdin)]))
