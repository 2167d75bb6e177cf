"""The commands of `dvr` that only read files: check, flows, hosts, docs. No root."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from attrs import evolve

from dvr_ryu import errors
from dvr_ryu.cli import output
from dvr_ryu.cli.options import (
    FILE,
    flows_option,
    host_option,
    require_pipelines,
    topology_argument,
    views,
)
from dvr_ryu.cli.prove import prove_edit
from dvr_ryu.shipped import flows_dir
from dvr_ryu.topology.bridges import Plug, bridge_names, bridge_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dvr_ryu.pipeline.language.pipeline import Pipeline
    from dvr_ryu.prove.edits import State


@click.command()
@topology_argument
@flows_option
@click.option("--strict", is_flag=True, help="Treat warnings as errors.")
@click.option(
    "--prove", "proving", is_flag=True, help="Also tell which packets the edit would cut or open."
)
@click.option(
    "--before",
    type=FILE,
    metavar="TOPOLOGY",
    help="With --prove: the topology before the edit. The default is the one that a companion has "
    "applied on this host, else the same one.",
)
@click.option(
    "--before-flows",
    type=FILE,
    metavar="DIR",
    help="With --prove: the pipelines before the edit. The default is the shipped flows/.",
)
@output.json_option
def check(
    topology: Path,
    folder: Path | None,
    strict: bool,
    proving: bool,
    before: Path | None,
    before_flows: Path | None,
    as_json: bool,
) -> None:
    """Check a topology and the pipelines; print nothing if both are right. Changes nothing.

    It prints each problem with its file, line and column. A warning is about a flow or a table that
    no packet reaches, or a table without a miss flow: it is printed, and the exit code is 0, or 1
    with --strict.

    With --prove, it computes the ways of packets before the edit and after it. Exit code 2 if a
    packet would be cut, opened or led elsewhere. Nothing is sent to any switch.
    """
    if (before or before_flows) and not proving:
        raise click.UsageError("--before and --before-flows are for --prove: add it")
    if as_json and proving:
        raise click.UsageError("--prove has no --json; dvr prove has")
    if not as_json:
        if warnings := _checked(topology, folder, strict):
            output.to_stderr(errors.written_out(warnings))
        if proving:
            prove_edit(*_states(topology, folder, before, before_flows))
        return
    from dvr_ryu.cli import documents

    found: errors.DvrError | Sequence[errors.Problem]
    try:
        found = _checked(topology, folder, strict)
    except errors.DvrError as error:
        found = error
    output.show_json(documents.of_check(found))
    if isinstance(found, errors.DvrError):
        sys.exit(found.exit_code)


def _checked(topology: Path, folder: Path | None, strict: bool) -> Sequence[errors.Problem]:
    """The warnings about the topology and the pipelines; DvrError if one is wrong."""
    from dvr_ryu.pipeline.load import load_pipelines
    from dvr_ryu.topology.loading import load_topology

    model = load_topology(topology)
    pipelines = load_pipelines(folder or flows_dir())
    pipelines.require_fit(model)
    if strict and pipelines.warnings:
        raise errors.FileError(evolve(each, warning=False) for each in pipelines.warnings)
    return pipelines.warnings


def _states(
    topology: Path, folder: Path | None, before: Path | None, before_flows: Path | None
) -> tuple[State, State]:
    """The states before and after an edit."""
    from dvr_ryu.companion.upkeep.memory import FILE as APPLIED
    from dvr_ryu.pipeline.load import load_pipelines
    from dvr_ryu.prove.edits import State
    from dvr_ryu.topology.loading import load_topology

    applied = Path(APPLIED)
    old = before or (applied if applied.exists() else topology)
    return (
        State(load_topology(old), load_pipelines(before_flows or flows_dir())),
        State(load_topology(topology), load_pipelines(folder or flows_dir())),
    )


@click.command()
@click.argument("topology", type=FILE, required=False)
@host_option("A host of the topology. Without it, a script is for all hosts.")
@click.option(
    "--bridge",
    help=f"{bridge_names('or')}. The default is {bridge_of(Plug.TUNNELS)}, or all in a script.",
)
@click.option(
    "--as",
    "output_format",
    type=click.Choice(["lines", "script"]),
    help="lines, the default: for ovs-ofctl add-flows. script: for sh, with comments.",
)
@click.option(
    "--from-dump",
    "dump",
    type=FILE,
    metavar="FILE",
    help="Instead, clean and sort the output of `ovs-ofctl dump-flows`; - is stdin.",
)
@flows_option
def flows(
    topology: Path | None,
    host: str | None,
    bridge: str | None,
    output_format: str | None,
    dump: Path | None,
    folder: Path | None,
) -> None:
    """Print the flows that a bridge of a host should have. Needs no switch and no root.

    \b
    The lines are ovs-ofctl's, sorted. To fill a bridge of your own with them:
        dvr flows TOPOLOGY --host NAME | ovs-ofctl add-flows BRIDGE -
    A script for all hosts; each host runs its own part:
        dvr flows TOPOLOGY --as script > flows.sh; sh flows.sh HOST
    The flows that a bridge has, without counters, under the names of its tables:
        ovs-ofctl dump-flows br-tun | dvr flows --from-dump -
    """
    from dvr_ryu.pipeline.load import load_pipelines
    from dvr_ryu.pipeline.tools.script import script

    if dump and (topology or host or output_format):
        raise click.UsageError("--from-dump stands alone: no TOPOLOGY, no --host, no --as")
    if not dump and not topology:
        raise click.UsageError("Missing argument 'TOPOLOGY'.")
    if not dump and not host and output_format != "script":
        raise click.UsageError("Missing option '--host'; only --as script may do without.")
    pipelines = load_pipelines(folder or flows_dir())
    every = output_format == "script"
    usual = list(pipelines.by_bridge) if every else [bridge_of(Plug.TUNNELS)]
    bridges = [bridge] if bridge else usual
    require_pipelines(pipelines, bridges)
    if not topology:
        lines = _cleaned(dump, pipelines.by_bridge[bridges[0]])
    elif output_format == "script":
        lines = script(pipelines, views(topology, host), bridges)
    else:
        (view,) = views(topology, host)
        lines = pipelines.lines(bridges[0], view)
    for line in lines:
        click.echo(line)


@click.command()
@topology_argument
@output.json_option
def hosts(topology: Path, as_json: bool) -> None:
    """Print each host's DVR MAC: the article's `select * from dvr_host_macs`."""
    from rich import box
    from rich.table import Table

    from dvr_ryu.topology.loading import load_topology

    model = load_topology(topology)
    if as_json:
        from dvr_ryu.cli import documents

        output.show_json(documents.of_hosts(model))
        return
    table = Table("host", "mac_address", box=box.ASCII2)
    for host in model.hosts.values():
        table.add_row(host.name, host.dvr_mac)
    output.show(table)


@click.command()
@flows_option
@click.option(
    "--topology",
    "of_topology",
    is_flag=True,
    help="Print the reference of the topology file's keys instead.",
)
@click.option("--metrics", "of_metrics", is_flag=True, help="Print the list of metrics instead.")
@click.option(
    "--commands", "of_commands", is_flag=True, help="Print the reference of all commands instead."
)
@click.pass_context
def docs(
    context: click.Context,
    folder: Path | None,
    of_topology: bool,
    of_metrics: bool,
    of_commands: bool,
) -> None:
    """Print the documentation of the pipelines, as RST: relations, fields, tables and flows."""
    if of_commands:
        from dvr_ryu.cli.reference import reference as reference_of

        whole = context.find_root().command
        assert isinstance(whole, click.Group)
        click.echo(reference_of(whole), nl=False)
        return
    if of_topology:
        from dvr_ryu.topology.spec import reference

        click.echo(reference.reference(), nl=False)
        return
    if of_metrics:
        from dvr_ryu.metrics import reference as metrics

        click.echo(metrics.reference(), nl=False)
        return
    from dvr_ryu.pipeline.load import load_pipelines
    from dvr_ryu.pipeline.tools.docs import document

    pipelines = load_pipelines(folder or flows_dir()).by_bridge.values()
    texts = {each.file: Path(each.file).read_text(encoding="utf-8") for each in pipelines}
    click.echo(document(pipelines, texts), nl=False)


def _cleaned(dump: Path | None, pipeline: Pipeline) -> Iterator[str]:
    from dvr_ryu.pipeline.tools.dump import clean
    from dvr_ryu.topology.spec.text_file import read_text, text_of

    if dump is None or str(dump) == "-":
        return clean(text_of(sys.stdin.buffer.read(), "stdin"), "stdin", pipeline.tables)
    return clean(read_text(dump), str(dump), pipeline.tables)
