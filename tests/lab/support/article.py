"""Brings up the lab of an example, mostly the article's, with its controller; runs commands, pings
and captures in it.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen
from scapy.layers.vxlan import VXLAN
from scapy.packet import Packet
from scapy.utils import rdpcap

from dvr_ryu.lab import lifecycle
from dvr_ryu.lab.hosts.bare import Lab
from dvr_ryu.lab.hosts.host import LabHost, environment
from dvr_ryu.lab.proof import proof
from dvr_ryu.lab.services import services
from dvr_ryu.lab.state import StateFolder
from dvr_ryu.shipped import examples_dir
from dvr_ryu.topology.loading import load_topology
from tests.lab.support.pinging import unbroken

CIRROS = ("server-233", "vm-cirros")
PEER = ("server-68", "vm-vm-68")


@frozen
class Article:
    """The lab of an example, up, with a copy of its topology that a test may edit."""

    folder: StateFolder
    file: Path
    lab: Lab

    def run(self, endpoint: tuple[str, str | None], command: str, check: bool = True) -> str:
        """Run a command in a host, or in one of its namespaces; return its output."""
        host, namespace = endpoint
        return self.lab[host].run(command.split(), namespace=namespace, check=check).stdout

    def controller(self) -> services.LabService:
        return services.services_of(load_topology(self.file), self.file, self.lab, self.folder)[0]


@contextmanager
def article_lab(scratch: Path) -> Iterator[Article]:
    """The article's lab, up and proven, for as long as the block lasts; its files are in
    `scratch`.
    """
    with example_lab("human-defined-dvr.yaml", scratch) as lab:
        yield lab


@contextmanager
def example_lab(example: str, scratch: Path) -> Iterator[Article]:
    """The lab of any example, up and proven, for as long as the block lasts."""
    file = Path(shutil.copy(examples_dir() / example, scratch / "topology.yaml"))
    folder = StateFolder(scratch / "dvr_lab")
    try:
        lifecycle.up(file, lambda _: None, folder)
        assert proof.exit_code(proof.prove(lambda _: None, folder)) == 0
        yield Article(folder, file, Lab(lifecycle.running(folder).lab_hosts))
    finally:
        lifecycle.down(folder)


@contextmanager
def pinging(article: Article, endpoint: tuple[str, str | None], address: str) -> Iterator[None]:
    """Ping while the block runs, 100 times a second; no ping may be lost."""
    host, namespace = endpoint
    with unbroken(article.lab[host], namespace, address):
        yield


@contextmanager
def captured(
    host: LabHost, device: str, namespace: str | None, file: Path
) -> Iterator[list[Packet]]:
    """Capture a device's packets while the block runs; the list holds them afterwards."""
    packets: list[Packet] = []
    # tcpdump stays root: a change of user would undo setpriv, and it would outlive nsenter.
    command = ["tcpdump", "--immediate-mode", "-Un", "-Z", "root", "-i", device, "-w", "-"]
    with (
        file.open("wb") as output,
        subprocess.Popen(
            host.enter(command, namespace),
            stdout=output,
            stderr=subprocess.PIPE,
            env=environment(),
            text=True,
        ) as tcpdump,
    ):
        assert tcpdump.stderr
        assert any("listening on" in line for line in tcpdump.stderr)
        try:
            yield packets
        finally:
            tcpdump.terminate()
    packets += rdpcap(str(file))


def tunnelled(packets: list[Packet]) -> list[tuple[int, Packet]]:
    """The VNI and the inner frame of each VXLAN packet."""
    return [(packet[VXLAN].vni, packet[VXLAN].payload) for packet in packets if VXLAN in packet]


def log_lines(service: services.LabService, text: str) -> list[str]:
    """The lines of its log that contain the text, without their times."""
    lines = service.log.read_text().splitlines()
    return [line.partition(" ")[2] for line in lines if text in line]
