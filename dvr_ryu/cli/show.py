"""The words of `dvr show`: what runs on this host, or in the lab that is up here."""

from __future__ import annotations

import click


@click.group()
def show() -> None:
    """Print what runs on this host, or in the lab that is up here."""


@show.command("leases")
def show_leases() -> None:
    """Print who has which address by DHCP, and until when.

    A lease of a machine that the topology does not name is called dynamic. In a lab, where this
    needs root, it prints the leases of all hosts; elsewhere those that this host has given.
    """
    from rich.console import Console

    from dvr_ryu.lab import leases

    found = leases.shown()
    if found:
        Console().print(leases.render(found))
    else:
        click.echo("no leases: no DHCP server of dvr_ryu's has given one here", err=True)
