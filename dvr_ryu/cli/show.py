"""The words of `dvr show`: what runs on this host, or in the lab that is up here."""

from __future__ import annotations

import click

from dvr_ryu.cli import output


@click.group()
def show() -> None:
    """Print what runs on this host, or in the lab that is up here."""


@show.command("leases")
@output.json_option
def show_leases(as_json: bool) -> None:
    """Print who has which address by DHCP, and until when.

    A lease of a machine that the topology does not name is called dynamic. In a lab, where this
    needs root, it prints the leases of all hosts; elsewhere those that this host has given.
    """
    from dvr_ryu.lab import leases

    found = leases.shown()
    if as_json:
        from dvr_ryu.cli import documents

        output.show_json(documents.of_leases(found))
    elif found:
        output.show(leases.render(found))
    else:
        click.echo("no leases: no DHCP server of dvr_ryu's has given one here", err=True)
