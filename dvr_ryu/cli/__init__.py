"""The `dvr` command. Each subcommand declares its arguments and calls one function; no logic.

Results go to stdout, everything else to stderr. Exit codes are those of `errors`. A subcommand
imports the code that it calls only when it runs, so that `dvr lab exec` and completion are quick.
"""

from __future__ import annotations

import gc
import sys

import click

from dvr_ryu import errors
from dvr_ryu.cli.companion import companion
from dvr_ryu.cli.completion import completion
from dvr_ryu.cli.files import check, docs, flows, hosts
from dvr_ryu.cli.graph import graph
from dvr_ryu.cli.lab import lab
from dvr_ryu.cli.output import end_with
from dvr_ryu.cli.pki import pki
from dvr_ryu.cli.prove import prove
from dvr_ryu.cli.show import show
from dvr_ryu.cli.status import status
from dvr_ryu.cli.trace import trace
from dvr_ryu.command import dvr

click.UsageError.exit_code = errors.USAGE


def main() -> None:
    """Run the command line. A problem that the user can correct ends it without a traceback."""
    gc.disable()  # most commands end soon; those that stay collect garbage themselves
    try:
        code = end_with(cli)
    finally:
        gc.freeze()  # else Python would traverse all objects at the end
    if code:
        sys.exit(code)


_HELP = f"""A distributed virtual router on plain Open vSwitch hosts, from one topology file.

    \b
    To see it work on this machine, in hosts made of namespaces:
        sudo {dvr()} lab up examples/human-defined-dvr.yaml
        sudo {dvr()} lab test
        sudo {dvr()} lab exec cirros -- ping -c1 10.10.10.4
        sudo {dvr()} lab down

    \b
    On real hosts:
        ryu-manager dvr_ryu.app              the controller, at the address in the topology
        sudo {dvr()} companion run TOPOLOGY --host NAME
                                             on each host

    \b
    Exit codes:
        0 done, 1 the input or the machine is wrong, 2 differences or failed checks, 64 wrong usage
    """


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, help=_HELP)
@click.version_option(package_name="dvr_ryu")
def cli() -> None:
    """The group of all subcommands."""


for command in (
    check, flows, graph, hosts, docs, completion, companion, lab, pki, prove, show, status, trace,
):  # fmt: skip
    cli.add_command(command)
