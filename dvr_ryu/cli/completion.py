"""The command that prints how a shell completes `dvr`; the shell then asks `dvr` itself."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")


def script(whole: click.Command, shell: str) -> str:
    """The script by which one of SHELLS completes `dvr`, which is the command `whole`."""
    complete = get_completion_class(shell)
    assert complete is not None
    return complete(whole, {}, "dvr", "_DVR_COMPLETE").source() + "\n"


@click.command()
@click.argument("shell", type=click.Choice(SHELLS), default=SHELLS[0])
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion of dvr for a shell, bash if not given: eval "$(dvr completion)"."""
    click.echo(script(context.find_root().command, shell), nl=False)
