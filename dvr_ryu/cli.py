"""The words of the `dvr` command. Each says what it is given and calls what does it; no logic of
its own.

Results go to stdout, everything else to stderr. Exit codes are those of `errors`.
"""

from __future__ import annotations

import os
import sys
from os.path import isfile
from pathlib import Path
from typing import TYPE_CHECKING

import click
from attrs import evolve
from click.shell_completion import BashComplete, CompletionItem, split_arg_string

from dvr_ryu import errors
from dvr_ryu.shipped import flows_dir

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dvr_ryu.pipeline.syntax import Pipeline
    from dvr_ryu.topology.view import HostView

click.UsageError.exit_code = errors.USAGE

_FILE = click.Path(path_type=Path)


def _complete_host(_: click.Context, __: click.Parameter, typed: str) -> list[CompletionItem]:
    """The hosts of the file that is named on the line; click parses no line that breaks off."""
    from dvr_ryu.topology.loading import load_topology

    try:
        file = next(word for word in split_arg_string(os.environ["COMP_WORDS"]) if isfile(word))
        hosts = load_topology(file).hosts
    except (KeyError, StopIteration, errors.DvrError):
        return []
    return [CompletionItem(name) for name in hosts if name.startswith(typed)]


def _complete_lab_name(_: click.Context, __: click.Parameter, typed: str) -> list[CompletionItem]:
    from dvr_ryu.lab import lifecycle

    try:
        names = lifecycle.names()
    except errors.DvrError:
        return []
    return [CompletionItem(name) for name in names if name.startswith(typed)]


_topology = click.argument("topology", type=_FILE)
_lab_topology = click.argument("topology", type=_FILE, required=False)
_host = click.option(
    "--host",
    required=True,
    metavar="NAME",
    shell_complete=_complete_host,
    help="A host of the topology.",
)
_host_name = click.option(
    "--host", required=True, metavar="NAME", help="What this machine was made."
)
_flows = click.option(
    "--flows",
    "folder",
    type=_FILE,
    envvar="DVR_FLOWS",
    metavar="DIR",
    help="Pipelines to use instead of the shipped flows/; else those that DVR_FLOWS names.",
)


def main() -> None:
    """Run the command line; a problem that the reader can mend ends it without a traceback."""
    try:
        cli()
    except errors.DvrError as error:
        click.echo(str(error), err=True)
        sys.exit(error.exit_code)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="dvr_ryu")
def cli() -> None:
    """A distributed virtual router on plain Open vSwitch hosts, from one topology file.

    \b
    To see it work on this machine, in hosts made of namespaces:
        sudo dvr lab up examples/human-defined-dvr.yaml
        sudo dvr lab test
        sudo dvr lab exec cirros -- ping -c1 10.10.10.4
        sudo dvr lab down

    \b
    On real hosts:
        ryu-manager dvr_ryu.app                       the controller, on one of them
        sudo dvr companion run TOPOLOGY --host NAME   on each of them

    \b
    Exit codes:
        0 done, 1 the input or the machine is wrong, 2 differences or failed checks, 64 wrong words
    """


@cli.command()
@_topology
@_flows
@click.option("--strict", is_flag=True, help="Take warnings for errors.")
def check(topology: Path, folder: Path | None, strict: bool) -> None:
    """Check a topology and the pipelines; print nothing if both are right.

    Every problem is printed with its file, line and column, and nothing is changed anywhere. A
    warning is a flow that no packet reaches, a table that none comes to, or one without a miss: it
    is printed, and the exit code is 0, or 1 with --strict.
    """
    from dvr_ryu.pipeline.program import load_program
    from dvr_ryu.topology.loading import load_topology

    model = load_topology(topology)
    program = load_program(folder or flows_dir())
    program.require_fit(model)
    if strict and program.warnings:
        raise errors.FileError(evolve(each, warning=False) for each in program.warnings)
    for warning in program.warnings:
        click.echo(str(warning), err=True)


@cli.command()
@click.argument("topology", type=_FILE, required=False)
@click.option(
    "--host",
    metavar="NAME",
    shell_complete=_complete_host,
    help="A host of the topology; a script may do without, and then serves all hosts.",
)
@click.option("--bridge", help="br-tun or br-int; if not given, br-tun, or both in a script.")
@click.option(
    "--as",
    "form",
    type=click.Choice(["lines", "script"]),
    help="lines: for ovs-ofctl add-flows, the default. script: for sh, with sentences.",
)
@click.option(
    "--from-dump",
    "dump",
    type=_FILE,
    metavar="FILE",
    help="Instead, clean and sort what `ovs-ofctl dump-flows` printed; - is stdin.",
)
@_flows
def flows(
    topology: Path | None,
    host: str | None,
    bridge: str | None,
    form: str | None,
    dump: Path | None,
    folder: Path | None,
) -> None:
    """Print the flows that a bridge of a host should have. Asks no switch and needs no root.

    \b
    The lines are ovs-ofctl's, sorted. To fill a bridge of your own with them:
        dvr flows TOPOLOGY --host NAME | ovs-ofctl add-flows BRIDGE -
    A script for all hosts, in which each runs its own part:
        dvr flows TOPOLOGY --as script > flows.sh; sh flows.sh HOST
    What a bridge has, without counters and under the names of its tables:
        ovs-ofctl dump-flows br-tun | dvr flows --from-dump -
    """
    from dvr_ryu.pipeline.program import load_program
    from dvr_ryu.pipeline.script import script

    if dump and (topology or host or form):
        raise click.UsageError("--from-dump stands alone: no TOPOLOGY, no --host, no --as")
    if not dump and not topology:
        raise click.UsageError("Missing argument 'TOPOLOGY'.")
    if not dump and not host and form != "script":
        raise click.UsageError("Missing option '--host'; only --as script may do without.")
    program = load_program(folder or flows_dir())
    usual = list(program.pipelines) if form == "script" else ["br-tun"]
    bridges = [bridge] if bridge else usual
    if unknown := [each for each in bridges if each not in program.pipelines]:
        known = ", ".join(program.pipelines)
        raise click.BadParameter(
            f"no pipeline for '{unknown[0]}'; there are {known}", param_hint="--bridge"
        )
    if not topology:
        lines = _cleaned(dump, program.pipelines[bridges[0]])
    elif form == "script":
        lines = script(program, _views(topology, host), bridges)
    else:
        lines = program.lines(bridges[0], *_views(topology, host))
    for line in lines:
        click.echo(line)


@cli.command()
@_topology
def hosts(topology: Path) -> None:
    """Print each host's DVR MAC: the article's `select * from dvr_host_macs`."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from dvr_ryu.topology.loading import load_topology

    table = Table("host", "mac_address", box=box.ASCII2)
    for host in load_topology(topology).hosts.values():
        table.add_row(host.name, host.dvr_mac)
    Console().print(table)


@cli.command()
@_flows
def docs(folder: Path | None) -> None:
    """Print the documentation of the pipelines, as RST: relations, fields, tables and flows."""
    from dvr_ryu.pipeline.docs import document
    from dvr_ryu.pipeline.program import load_program

    pipelines = load_program(folder or flows_dir()).pipelines.values()
    texts = {each.file: Path(each.file).read_text(encoding="utf-8") for each in pipelines}
    click.echo(document(pipelines, texts), nl=False)


@cli.command()
def completion() -> None:
    """Print the bash completion of dvr: eval "$(dvr completion)"."""
    click.echo(BashComplete(cli, {}, "dvr", "_DVR_COMPLETE").source())


@cli.group()
def companion() -> None:
    """Make this machine a host of the topology: bridges, namespaces, NAT, DHCP. Needs root."""


@companion.command("plan")
@_topology
@_host
def companion_plan(topology: Path, host: str) -> None:
    """Print what apply would change, and change nothing. Exit code 2 if there is anything."""
    from dvr_ryu.companion import agent

    change = agent.plan(_view(topology, host))
    for line in change.lines():
        click.echo(line)
    click.echo(f"{host}: {change.summary()}", err=True)
    if change:
        sys.exit(errors.DIFFERENT)


@companion.command("apply")
@_topology
@_host
def companion_apply(topology: Path, host: str) -> None:
    """Make the host what the topology says, once; a second time changes nothing and says so."""
    from dvr_ryu.companion import agent

    change = agent.apply(_view(topology, host))
    for line in change.lines():
        click.echo(line)
    click.echo(f"{host}: {change.summary()}", err=True)


@companion.command("run")
@_topology
@_host
def companion_run(topology: Path, host: str) -> None:
    """Keep the host what the topology says, until it is told to end; the file is watched.

    Ending it removes nothing: packets go on.
    """
    from dvr_ryu.companion.run import run

    _view(topology, host)
    run(str(topology), host)


@companion.command("down")
@_host_name
def companion_down(host: str) -> None:
    """Remove all that a companion made on this machine, and nothing else. Needs no topology."""
    from dvr_ryu.companion import agent

    change = agent.down(host)
    for line in change.lines():
        click.echo(line)
    click.echo(f"{host}: {change.summary()}", err=True)


@cli.group()
def lab() -> None:
    """Hosts made of namespaces on this machine, with real switches and packets. Needs root."""


@lab.command("up")
@_topology
@_flows
def lab_up(topology: Path, folder: Path | None) -> None:
    """Make every host of the topology, and run the controller and the companions in them."""
    from dvr_ryu.lab import lifecycle
    from dvr_ryu.lab.progress import steps

    with steps() as progress:
        lifecycle.up(topology, progress, pipelines=folder)


@lab.command("flows")
@click.argument("folder", type=_FILE, required=False, metavar="[DIR]")
def lab_flows(folder: Path | None) -> None:
    """Change the running lab to the flows in DIR; without DIR, print the folder that it runs.

    Returns when every bridge has them, each by one bundle. A bad folder changes nothing.
    """
    from dvr_ryu.lab import lifecycle

    if folder is None:
        click.echo(lifecycle.pipelines_of())
        return
    for line in lifecycle.change_pipelines(folder) or [f"the lab runs {folder} already"]:
        click.echo(line)


@lab.command("down")
@_lab_topology
def lab_down(topology: Path | None) -> None:
    """Remove the lab with all that runs in it, or whatever is left of one."""
    from dvr_ryu.lab import lifecycle

    removed = lifecycle.down(topology=topology)
    for each in removed or ["nothing to remove: no lab is up"]:
        click.echo(f"removed {each}" if removed else each)


@lab.command("show")
@_lab_topology
def lab_show(topology: Path | None) -> None:
    """Print the lab's hosts, instances and logs."""
    from rich.console import Console

    from dvr_ryu.lab import lifecycle, report

    lifecycle.require_lab_of(topology)
    Console().print(report.render(report.show()))


@lab.command("test")
@_lab_topology
def lab_test(topology: Path | None) -> None:
    """Prove the running lab with packets: DHCP, layers 2 and 3, floating IPs, SNAT, isolation.

    Exit code 2 if any check fails.
    """
    from rich.console import Console

    from dvr_ryu.lab import lifecycle, proof
    from dvr_ryu.lab.progress import steps

    lifecycle.require_lab_of(topology)
    with steps() as progress:
        results = proof.prove(progress)
    Console().print(proof.render(results))
    click.echo(f"\n{proof.summary(results)}. The lab stays up; you may type:", err=True)
    for words in proof.next_words(results, sys.argv[0]):
        click.echo(f"  {words}", err=True)
    sys.exit(proof.exit_code(results))


@lab.command("exec", context_settings={"ignore_unknown_options": True})
@click.argument("name", shell_complete=_complete_lab_name)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def lab_exec(name: str, command: tuple[str, ...]) -> None:
    """Run a command in a host or an instance; the exit code is the command's.

    \b
        dvr lab exec cirros -- ping -c1 10.10.10.4
        dvr lab exec server-233 -- ovs-ofctl dump-flows br-tun
    """
    from dvr_ryu.lab import lifecycle

    lifecycle.execute(name, command)


def _cleaned(dump: Path | None, pipeline: Pipeline) -> Iterator[str]:
    from dvr_ryu.pipeline.dump import clean
    from dvr_ryu.pipeline.source import read_text

    if dump is None or str(dump) == "-":
        return clean(sys.stdin.read(), "stdin", pipeline.tables)
    return clean(read_text(dump), str(dump), pipeline.tables)


def _view(topology: Path, host: str) -> HostView:
    (view,) = _views(topology, host)
    return view


def _views(topology: Path, host: str | None) -> list[HostView]:
    """The view of a host, or of all if none is named."""
    from dvr_ryu.topology.loading import load_topology
    from dvr_ryu.topology.view import HostView

    model = load_topology(topology)
    if host and host not in model.hosts:
        known = ", ".join(model.hosts)
        raise click.BadParameter(
            f"the topology has no host '{host}'; it has {known}", param_hint="--host"
        )
    return [HostView(model, each) for each in ([host] if host else model.hosts)]
