"""The commands of `dvr pki`."""

from __future__ import annotations

from pathlib import Path

import click

from dvr_ryu.cli.options import FILE
from dvr_ryu.pki.files import FOLDER


@click.group()
def pki() -> None:
    """Keys and certificates for TLS between switches and controller, made by ovs-pki."""


@pki.command("init")
@click.argument("folder", type=FILE, metavar="[DIR]", default=FOLDER)
def pki_init(folder: Path) -> None:
    """Make two authorities in DIR, and the controller's key and certificate.

    The default of DIR is /etc/dvr_ryu/pki. Files that exist stay as they are.
    """
    from dvr_ryu.pki import making

    made = making.init(folder)
    for each in made:
        click.echo(f"made {each}")
    if not made:
        click.echo(f"{folder} is complete, nothing was changed", err=True)
    click.echo(
        f"The controller takes its files from {folder}; the private keys stay there.", err=True
    )
    where = "" if folder == FOLDER else f" --dir {folder}"
    click.echo(f"Next, for each host: dvr pki host NAME{where}", err=True)


@pki.command("host")
@click.argument("name")
@click.option(
    "--dir",
    "folder",
    type=FILE,
    default=FOLDER,
    show_default=True,
    metavar="DIR",
    help="The folder of dvr pki init.",
)
def pki_host(name: str, folder: Path) -> None:
    """Make the key and the certificate of host NAME; print the commands that copy them there."""
    from dvr_ryu.pki import making
    from dvr_ryu.pki.files import folder_of_host

    files = folder_of_host(folder, name)
    if making.make_host(folder, name) is None:
        click.echo(f"{files} exists already; for a new key, remove it first", err=True)
    else:
        click.echo(f"made {files}")
    click.echo(f"Copy it to {name}, where the companion looks for it:", err=True)
    click.echo(f"  ssh root@{name} mkdir -p -m 700 {FOLDER}", err=True)
    click.echo(f"  scp -p {files}/* root@{name}:{FOLDER}/", err=True)
