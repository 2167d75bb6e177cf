"""The command `dvr status`."""

from __future__ import annotations

import sys

import click

from dvr_ryu.cli import output


@click.command("status")
@click.option(
    "--url",
    metavar="URL",
    help="The page of a controller, such as http://10.0.44.1:8080/. The default is that of the lab "
    "that is up, else the one on this machine.",
)
@output.json_option
def status(url: str | None, as_json: bool) -> None:
    """Print whether controller, hosts and bridges are in sync, since when, and the last errors.

    In a lab this needs root. On a host it prints the state of its companion. Exit code 2 if
    anything is not in sync.
    """
    from dvr_ryu.lab import status as state
    from dvr_ryu.lab import status_text

    found = state.read(url)
    if as_json:
        output.show_json(found)
    else:
        output.show(status_text.render(found))
    sys.exit(state.exit_code(found))
