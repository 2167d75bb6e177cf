"""The command `dvr graph`: pictures of hosts, pipelines and ways. It only reads files. No root."""

from __future__ import annotations

from pathlib import Path

import click

from dvr_ryu.cli.options import (
    flows_option,
    host_option,
    require_pipelines,
    topology_argument,
    views,
)
from dvr_ryu.shipped import flows_dir
from dvr_ryu.topology.bridges import bridge_names


@click.command()
@topology_argument
@host_option("Draw only this host in full. The default is every host, or those on the way.")
@click.option(
    "--pipeline",
    "bridge",
    metavar="BRIDGE",
    help=f"Draw the tables of a bridge instead: {bridge_names('or')}.",
)
@click.option(
    "--trace",
    "ends",
    nargs=2,
    metavar="FROM TO",
    help="Number what a ping passes on its way, as `dvr trace` computes it.",
)
@click.option(
    "--as",
    "output_format",
    type=click.Choice(["svg", "dot", "mermaid", "text"]),
    default="text",
    show_default=True,
    help="svg: needs Graphviz. dot: for Graphviz. mermaid: for Markdown. text: for a terminal.",
)
@flows_option
def graph(
    topology: Path,
    host: str | None,
    bridge: str | None,
    ends: tuple[str, str] | None,
    output_format: str,
    folder: Path | None,
) -> None:
    """Print a picture: hosts with their bridges, ports and namespaces, or a bridge's tables.

    \b
    The whole lab as a picture that a browser shows, in light and dark:
        dvr graph TOPOLOGY --as svg > lab.svg
    What a ping passes, numbered:
        dvr graph TOPOLOGY --trace cirros vm-68 --as svg > way.svg
    """
    from dvr_ryu.graph import asked
    from dvr_ryu.graph.drawing import draw
    from dvr_ryu.pipeline.load import load_pipelines

    model = views(topology, host)[0].topology
    if not bridge and not ends:
        picture = asked.of_hosts(model, host)
    else:
        pipelines = load_pipelines(folder or flows_dir())
        require_pipelines(pipelines, [bridge] if bridge else [])
        picture = asked.of_ways(model, pipelines, host, bridge, ends)
    click.echo(draw(picture, output_format), nl=False)
