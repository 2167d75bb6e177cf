"""The command `dvr trace`: the way of a packet, computed from files; with --live, compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dvr_ryu import errors
from dvr_ryu.cli import output
from dvr_ryu.cli.options import completing, flows_option, topology_argument
from dvr_ryu.shipped import flows_dir

if TYPE_CHECKING:
    from dvr_ryu.topology.topology import Topology
    from dvr_ryu.trace.hops import Probe, Trace
    from dvr_ryu.trace.live.asking import Ask
    from dvr_ryu.trace.network import Network


def _ends(topology: Topology) -> Iterable[str]:
    from dvr_ryu.trace.endpoints import names

    return names(topology)


_PORTS = click.IntRange(1, 65535)
_SIZES = click.IntRange(28, 65535)


def probe_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add --tcp, --udp, --arp and --size to a command, which gets their Probe as `probe`."""

    @click.option("--tcp", type=_PORTS, metavar="PORT", help="Connect to a TCP port.")
    @click.option("--udp", type=_PORTS, metavar="PORT", help="Send a datagram to a UDP port.")
    @click.option("--arp", is_flag=True, help="Ask for the MAC of TO by ARP.")
    @click.option(
        "--size",
        type=_SIZES,
        metavar="BYTES",
        help="The bytes of the IP packet, which must not be fragmented.",
    )
    @wraps(command)
    def with_options(
        *args: Any, tcp: int | None, udp: int | None, arp: bool, size: int | None, **more: Any
    ) -> None:
        if arp and more.get("reply"):
            raise click.UsageError("the answer to an ARP request is always told: leave out --reply")
        command(*args, probe=_probe(tcp, udp, arp, size), **more)

    return with_options


def _probe(tcp: int | None, udp: int | None, arp: bool, size: int | None) -> Probe:
    from dvr_ryu.trace import hops

    if sum((tcp is not None, udp is not None, arp)) > 1:
        raise click.UsageError("--tcp, --udp and --arp exclude each other")
    if arp and size is not None:
        raise click.UsageError("an ARP request has one size: leave out --size")
    if tcp is not None:
        return hops.Probe(hops.TCP, tcp, size)
    if udp is not None:
        return hops.Probe(hops.UDP, udp, size)
    return hops.Probe(hops.ARP if arp else hops.ICMP, 0, size)


reply_option = click.option("--reply", is_flag=True, help="Follow the answer, too.")
live_option = click.option(
    "--live",
    is_flag=True,
    help="Ask the running lab, or this host, at each step; name the steps where it departs.",
)


@click.command()
@topology_argument
@click.argument("source", metavar="FROM", shell_complete=completing(_ends))
@click.argument("target", metavar="TO", shell_complete=completing(_ends))
@flows_option
@probe_options
@reply_option
@live_option
@output.json_option
def trace(
    topology: Path,
    source: str,
    target: str,
    folder: Path | None,
    probe: Probe,
    reply: bool,
    live: bool,
    as_json: bool,
) -> None:
    """Tell the way of a packet from FROM to TO: each table, route and NAT, on every host.

    FROM and TO are instances (or one of their NICs: both:eth1), hosts, addresses, or `outside`, the
    gateway of an external network. The packet is a ping. It is computed from the files.

    --live also asks each bridge for its own trace, and each kernel for its own decision: all hosts
    of a running lab of this topology, or the host that it is typed on. It needs root.

    Exit code 2 if the packet does not arrive, or if reality departs from what is computed.
    """
    from dvr_ryu.pipeline.load import load_pipelines
    from dvr_ryu.topology.loading import load_topology
    from dvr_ryu.trace.network import Network

    model = load_topology(topology)
    network = Network(model, load_pipelines(folder or flows_dir()))
    output.note_plugged(model, *(end.partition(":")[0] for end in (source, target)))
    ask = None
    if live:
        from dvr_ryu.lab import tracing
        from dvr_ryu.trace.live import this_host

        ask = tracing.asker_of(topology) or this_host.asker(model)
    show_trace(network, network.trace(source, target, probe, reply=reply), as_json, ask)


def show_trace(network: Network, found: Trace, as_json: bool, ask: Ask | None = None) -> None:
    """Print a trace, with what the hosts say if they are asked, and end with its exit code."""
    from dvr_ryu.trace.live.comparing import Comparison, compare

    traces = [found, *([found.reply] if found.reply else [])]
    compared: list[Comparison] = [compare(network, each, ask) for each in traces] if ask else []
    if as_json:
        from dvr_ryu.trace.story.document import of_trace

        output.show_json(of_trace(network.topology, found, compared))
    else:
        from dvr_ryu.trace.story.lines import story
        from dvr_ryu.trace.story.live import of_comparisons
        from dvr_ryu.trace.story.text import render

        lines = [*story(network, found, *(each.remarks for each in compared))]
        lines += of_comparisons(compared)
        output.show(render(lines, Path.cwd()))
    arrived = all(each.verdict.delivered for each in traces)
    departs = any(each.departures for each in compared)
    raise SystemExit(errors.DONE if arrived and not departs else errors.DIFFERENT)
