"""The commands of `dvr show`: they read this host, or the lab that is up here."""

from __future__ import annotations

from pathlib import Path

import click

from dvr_ryu.cli import output
from dvr_ryu.cli.options import FILE, completing
from dvr_ryu.errors import DvrError


@click.group()
def show() -> None:
    """Print the state of this host, or of the lab that is up here."""


@show.command("port")
@click.argument("name", shell_complete=completing(lambda topology: topology.instances))
@click.argument("topology", type=FILE, required=False)
@output.json_option
def show_port(name: str, topology: Path | None, as_json: bool) -> None:
    """Print the id, MAC, tap, addresses and tag of instance NAME, or of its NIC NAME:eth1.

    If the instance is `plugged`, print also libvirt's <interface>, and the commands that plug in a
    virtual machine of qemu, a network namespace or a container. They fit this machine's datapath.

    Without TOPOLOGY it is the one that the companion of this host applied last, or the lab's.
    """
    from dvr_ryu.companion import guest_commands
    from dvr_ryu.companion.providers.ovs_appctl.vswitchd import available_datapath
    from dvr_ryu.companion.resources.openvswitch.datapath import datapath
    from dvr_ryu.lab.applied import applied_topology
    from dvr_ryu.topology.loading import load_topology

    offloads = datapath(available_datapath()).offloads
    declared = load_topology(topology) if topology else applied_topology()
    try:
        found = guest_commands.guest_port(declared, name, offloads)
    except guest_commands.UnknownPort as unknown:
        raise DvrError(str(unknown)) from None
    if as_json:
        from dvr_ryu.cli import documents

        output.show_json(documents.of_port(found))
    else:
        for line in guest_commands.text(found):
            click.echo(line)


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
