"""The commands of `dvr companion`."""

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
    METRICS,
    host_name_option,
    host_option,
    metrics_option,
    tls_options,
    topology_argument,
    view,
)

if TYPE_CHECKING:
    from dvr_ryu.companion.change import HostChange
    from dvr_ryu.companion.desired.tls import TlsOptions
    from dvr_ryu.web.address import PageAddress


@click.group()
def companion() -> None:
    """Make this machine a host of the topology: bridges, namespaces, NAT, DHCP. Needs root."""


@companion.command("check")
@click.argument("topology", type=FILE, required=False)
@host_option("The host of the topology that this machine should become.")
@tls_options
@output.json_option
def companion_check(
    topology: Path | None, host: str | None, as_json: bool, options: TlsOptions
) -> None:
    """Check this machine, and print what it has, what it lacks and what to do. Changes nothing.

    With a topology and a host, also check whether the machine can be that host. Exit code 1 if any
    check fails.
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
@host_option(required=True)
@click.option(
    "--as",
    "output_format",
    type=click.Choice(["lines", "script"]),
    help="lines, the default: one for each resource. script: for sh, with the effect of apply.",
)
@tls_options
@output.json_option
def companion_plan(
    topology: Path, host: str, output_format: str | None, as_json: bool, options: TlsOptions
) -> None:
    """Print the changes that apply would make, but make none. Exit code 2 if there are any."""
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
@host_option(required=True)
@tls_options
def companion_apply(topology: Path, host: str, options: TlsOptions) -> None:
    """Change this host, once, to what the topology says. A second time it reports no change.

    First it prints problems of the network, Open vSwitch and certificates that `check` would find;
    they do not stop it. Exit code 2 if such a check fails: all was made, but packets cannot pass.
    """
    from dvr_ryu.companion import agent, check
    from dvr_ryu.companion.check.finding import Verdict, line
    from dvr_ryu.companion.providers.kernel import rights
    from dvr_ryu.companion.providers.ovsdb.database import Database

    rights.require()
    host_view, database = view(topology, host), Database()
    found = list(check.unnoticed(host_view, database, options))
    for each in found:
        _to_stderr(line(each))
    change = agent.apply(host_view, report=_to_stderr, options=options, database=database)
    _print_change(host, change, change.lines())
    if any(each.verdict is Verdict.FAIL for each in found):
        _to_stderr(
            f"{host}: all is made, but packets cannot pass until the failed checks are corrected"
        )
        sys.exit(errors.DIFFERENT)


@companion.command("run")
@topology_argument
@host_option(required=True)
@tls_options
@metrics_option
def companion_run(
    topology: Path, host: str, options: TlsOptions, metrics: PageAddress | None
) -> None:
    """Keep this host as the topology says until this command ends; it watches the file.

    Its end removes nothing: the host keeps forwarding packets. If it is restarted with a file that
    is wrong, or that no longer has this host, it continues with the topology that it applied last.
    """
    from dvr_ryu.companion.run import run
    from dvr_ryu.companion.upkeep.memory import is_remembered
    from dvr_ryu.source.file import FileSource
    from dvr_ryu.web.companion import served_metrics

    source = FileSource(topology.absolute())
    try:
        view(topology, host)
    except (errors.DvrError, click.BadParameter):
        if not is_remembered(source, host):
            raise
    with served_metrics(metrics, METRICS) as observer:
        run(source, host, options, observer)


@companion.command("down")
@host_name_option
def companion_down(host: str | None) -> None:
    """Remove all that a companion made on this machine, and nothing else. Needs no topology."""
    from dvr_ryu.companion import agent
    from dvr_ryu.companion.upkeep.identity import host_here

    host = host or host_here()
    if host is None:
        _to_stderr("no companion has made anything here")
        return
    change = agent.down(host)
    _print_change(host, change, change.lines())


def _to_stderr(text: str) -> None:
    click.echo(text, err=True)


def _print_change(host: str, change: HostChange, lines: Iterable[str]) -> None:
    """Print the lines of a change on stdout, and the number of resources of each kind on stderr."""
    click.echo("".join(f"{line}\n" for line in lines), nl=False)
    click.echo(f"{host}: {change.summary()}", err=True)
