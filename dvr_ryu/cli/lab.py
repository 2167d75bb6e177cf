"""The commands of `dvr lab`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from dvr_ryu import errors
from dvr_ryu.cli import output
from dvr_ryu.cli.options import FILE, flows_option, topology_argument
from dvr_ryu.cli.prove import prove_edit
from dvr_ryu.cli.trace import live_option, probe_options, reply_option, show_trace

if TYPE_CHECKING:
    from dvr_ryu.trace.hops import Probe


def _complete_lab_name(_: click.Context, __: click.Parameter, typed: str) -> list[CompletionItem]:
    from dvr_ryu.lab import entering

    try:
        names = entering.names()
    except errors.DvrError:
        return []
    return [CompletionItem(name) for name in names if name.startswith(typed)]


_lab_topology = click.argument("topology", type=FILE, required=False)


@click.group()
def lab() -> None:
    """Hosts made of namespaces on this machine, with real switches and packets. Needs root."""


@lab.command("up")
@topology_argument
@flows_option
@click.option(
    "--tls",
    "over_tls",
    is_flag=True,
    help="Connect switches and controller by TLS, with keys that are made for this lab.",
)
def lab_up(topology: Path, folder: Path | None, over_tls: bool) -> None:
    """Make every host of the topology, and run the controller and the companions."""
    from dvr_ryu.lab import lifecycle
    from dvr_ryu.lab.progress import steps

    with steps() as progress:
        lifecycle.up(topology, progress, pipelines=folder, over_tls=over_tls)
        progress(f"the page is at {lifecycle.running().page}")


@lab.command("flows")
@click.argument("folder", type=FILE, required=False, metavar="[DIR]")
@click.option(
    "--prove", "proving", is_flag=True, help="First compute which packets they would cut or open."
)
def lab_flows(folder: Path | None, proving: bool) -> None:
    """Give the running lab the flows in DIR; without DIR, print the folder of its flows.

    Returns when every bridge has them; each gets them in one bundle. A bad folder changes nothing.
    With --prove, flows that would cut a packet, open a way or lead one elsewhere change nothing,
    either: it tells which, and the exit code is 2.
    """
    from dvr_ryu.lab import lifecycle

    if folder is None:
        click.echo(lifecycle.pipelines_of())
        return
    if proving:
        from dvr_ryu.lab import proving as lab_proving

        prove_edit(
            *lab_proving.states(folder),
            f"nothing was sent; if it is meant so: dvr lab flows {folder}, without --prove",
        )
    for line in lifecycle.change_pipelines(folder) or [
        f"the lab already has the flows of {folder}"
    ]:
        click.echo(line)


@lab.command("down")
@_lab_topology
def lab_down(topology: Path | None) -> None:
    """Remove the lab with all that runs in it, or the remains of one."""
    from dvr_ryu.lab import lifecycle

    removed = lifecycle.down(topology=topology)
    for each in removed or ["nothing to remove: no lab is up"]:
        click.echo(f"removed {each}" if removed else each)


@lab.command("show")
@_lab_topology
@output.json_option
def lab_show(topology: Path | None, as_json: bool) -> None:
    """Print the lab's hosts, instances and logs."""
    from dvr_ryu.lab import lifecycle, report

    lifecycle.require_lab_of(topology)
    shown = report.show()
    if as_json:
        from dvr_ryu.cli import documents

        output.show_json(documents.of_lab(shown))
    else:
        output.show(report.render(shown))


@lab.command("test")
@_lab_topology
@output.json_option
def lab_test(topology: Path | None, as_json: bool) -> None:
    """Test the running lab with packets: DHCP, layers 2 and 3, floating IPs, SNAT, isolation.

    Exit code 2 if any check fails.
    """
    from dvr_ryu.lab import lifecycle
    from dvr_ryu.lab.progress import steps
    from dvr_ryu.lab.proof import proof

    lifecycle.require_lab_of(topology)
    with steps() as progress:
        results = proof.prove(progress)
    if as_json:
        from dvr_ryu.cli import documents

        output.show_json(documents.of_results(results))
        sys.exit(proof.exit_code(results))
    output.show(proof.render(results))
    click.echo(f"\n{proof.summary(results)}. The lab stays up. You can now type:", err=True)
    for command in proof.next_commands(results):
        click.echo(f"  {command}", err=True)
    sys.exit(proof.exit_code(results))


@lab.command("trace")
@click.argument("source", metavar="FROM", shell_complete=_complete_lab_name)
@click.argument("target", metavar="TO", shell_complete=_complete_lab_name)
@probe_options
@reply_option
@live_option
@output.json_option
def lab_trace(
    source: str, target: str, probe: Probe, reply: bool, live: bool, as_json: bool
) -> None:
    """Tell the way of a packet from FROM to TO, by the topology and the flows of the running lab.

    It is `dvr trace` without the files; see there for FROM, TO and --live. Exit code 2 if the
    packet does not arrive, or if the lab departs from what is computed.
    """
    from dvr_ryu.lab import tracing

    network = tracing.network()
    ask = tracing.asker() if live else None
    show_trace(network, network.trace(source, target, probe, reply=reply), as_json, ask)


@lab.command("image")
def lab_image() -> None:
    """Make the image that virtual machines boot, of Debian's newest kernel and busybox.

    `dvr lab up` makes it by itself if it is missing, and it is kept. Machines that run keep the
    image that they booted.
    """
    from dvr_ryu.companion.resources.virtual_machine import IMAGE
    from dvr_ryu.lab import preflight
    from dvr_ryu.lab.guests import image
    from dvr_ryu.lab.progress import steps

    preflight.require_root()
    with steps() as progress:
        image.make(progress, anew=True)
    click.echo(IMAGE)


@lab.command("console")
@click.argument("name", shell_complete=_complete_lab_name)
def lab_console(name: str) -> None:
    """Be at the serial console of a virtual machine: a shell of root, without a login.

    Ctrl-] leaves it; the machine goes on.
    """
    from dvr_ryu.lab import entering

    sys.exit(entering.console(name))


@lab.command("exec", context_settings={"ignore_unknown_options": True})
@click.argument("name", shell_complete=_complete_lab_name)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def lab_exec(name: str, command: tuple[str, ...]) -> None:
    """Run a command in a host or an instance; the exit code is the command's.

    \b
        dvr lab exec cirros -- ping -c1 10.10.10.4
        dvr lab exec server-233 -- ovs-ofctl dump-flows br-tun
    """
    from dvr_ryu.lab import entering

    entering.execute(name, command)
