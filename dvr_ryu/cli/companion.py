"""The words of `dvr companion`."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dvr_ryu import errors
from dvr_ryu.cli import output
from dvr_ryu.cli.options import (
    FILE,
    complete_host,
    host_name_option,
    host_option,
    tls_options,
    topology_argument,
    view,
)

if TYPE_CHECKING:
    from dvr_ryu.companion.change import HostChange
    from dvr_ryu.companion.desired.tls import TlsOptions


@click.group()
def companion() -> None:
    """Make this machine a host of the topology: bridges, namespaces, NAT, DHCP. Needs root."""


@companion.command("check")
@click.argument("topology", type=FILE, required=False)
@click.option(
    "--host",
    metavar="NAME",
    shell_complete=complete_host,
    help="The host of the topology that this machine is to be.",
)
@tls_options
@output.json_option
def companion_check(
    topology: Path | None, host: str | None, as_json: bool, options: TlsOptions
) -> None:
    """Print what this machine has and lacks, and what to do about it; nothing is changed.

    With a topology and a host, also whether it can be that host. Exit code 1 if anything fails.
    """
    from dvr_ryu.companion.check import findings
    from dvr_ryu.companion.check.finding import exit_code, render, summary

    if bool(topology) != bool(host):
        raise click.UsageError("TOPOLOGY and --host go together.")
    found = list(findings(view(topology, host) if topology and host else None, options))
    if as_json:
        from dvr_ryu.cli import documents

        output.show_json(documents.of_findings(found))
    else:
        output.show(render(found))
        click.echo(f"\n{summary(found)}", err=True)
    sys.exit(exit_code(found))


@companion.command("plan")
@topology_argument
@host_option
@click.option(
    "--as",
    "output_format",
    type=click.Choice(["lines", "script"]),
    help="lines: one for each resource, the default. script: for sh, it does what apply would do.",
)
@tls_options
@output.json_option
def companion_plan(
    topology: Path, host: str, output_format: str | None, as_json: bool, options: TlsOptions
) -> None:
    """Print what apply would change, and change nothing. Exit code 2 if there is anything."""
    from dvr_ryu.companion import agent
    from dvr_ryu.companion.script import script

    if as_json and output_format:
        raise click.UsageError("--json and --as exclude each other.")
    change = agent.plan(view(topology, host), _to_stderr, options)
    if as_json:
        from dvr_ryu.cli import documents

        output.show_json(documents.of_change(host, change))
    else:
        _print_change(
            host, change, script(change, host) if output_format == "script" else change.lines()
        )
    if change:
        sys.exit(errors.DIFFERENT)


@companion.command("apply")
@topology_argument
@host_option
@tls_options
def companion_apply(topology: Path, host: str, options: TlsOptions) -> None:
    """Make the host what the topology says, once; a second time changes nothing and says so.

    What `check` finds wrong with the network, Open vSwitch or certificates is told first, and does
    not stop it. Exit code 2 if anything of that fails: all was made, but packets cannot pass yet.
    """
    from dvr_ryu.companion import agent, check
    from dvr_ryu.companion.check.finding import Verdict, line
    from dvr_ryu.companion.providers.kernel import rights

    rights.require()
    host_view = view(topology, host)
    found = list(check.unnoticed(host_view, options))
    for each in found:
        _to_stderr(line(each))
    change = agent.apply(host_view, tell=_to_stderr, options=options)
    _print_change(host, change, change.lines())
    if any(each.verdict is Verdict.FAIL for each in found):
        _to_stderr(f"{host}: all is made, but packets cannot pass before what FAILs is mended")
        sys.exit(errors.DIFFERENT)


@companion.command("run")
@topology_argument
@host_option
@tls_options
def companion_run(topology: Path, host: str, options: TlsOptions) -> None:
    """Keep the host what the topology says, until it is told to end; the file is watched.

    Ending it removes nothing: packets go on. Started again with a file that is wrong, or that has
    no such host any more, it begins with what was applied last.
    """
    from dvr_ryu.companion.memory import is_remembered
    from dvr_ryu.companion.run import run

    try:
        view(topology, host)
    except (errors.DvrError, click.BadParameter):
        if not is_remembered(topology, host):
            raise
    run(str(topology), host, options)


@companion.command("down")
@host_name_option
def companion_down(host: str) -> None:
    """Remove all that a companion made on this machine, and nothing else. Needs no topology."""
    from dvr_ryu.companion import agent

    change = agent.down(host)
    _print_change(host, change, change.lines())


def _to_stderr(text: str) -> None:
    click.echo(text, err=True)


def _print_change(host: str, change: HostChange, lines: Iterable[str]) -> None:
    """Print the lines of a change; stderr gets the number of resources of each kind."""
    click.echo("".join(f"{line}\n" for line in lines), nl=False)
    click.echo(f"{host}: {change.summary()}", err=True)
