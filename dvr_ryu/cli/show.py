"""The commands of `dvr show`: they read this host, or the lab that is up here."""

from __future__ import annotations

import click

from dvr_ryu.cli import output


@click.group()
def show() -> None:
    """Print the state of this host, or of the lab that is up here."""


@show.command("leases")
@output.json_option
def show_leases(as_json: bool) -> None:
    """Print the DHCP leases, each with its address and its end.

    Leases of machines that the topology does not declare are marked as dynamic. In a lab this needs
    root and prints the leases of all hosts; elsewhere it prints those of this host's servers.
    """
    from dvr_ryu.lab import leases

    found = leases.shown()
    if as_json:
        from dvr_ryu.cli import documents

        output.show_json(documents.of_leases(found))
    elif found:
        output.show(leases.render(found))
    else:
        click.echo("no leases: the DHCP servers of dvr_ryu have given none here", err=True)
