"""The command `dvr prove`: which packets arrive, computed from files. It asks no switch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dvr_ryu import errors
from dvr_ryu.cli import output
from dvr_ryu.cli.options import flows_option, topology_argument
from dvr_ryu.shipped import flows_dir

if TYPE_CHECKING:
    from dvr_ryu.prove.edits import State


@click.command()
@topology_argument
@flows_option
@output.json_option
def prove(topology: Path, folder: Path | None, as_json: bool) -> None:
    """Compute whether every packet arrives that should, and none that should not.

    \b
    The topology alone says what should: networks, routers, floating addresses,
    SNAT, isolation, and its `expect:` lines. The flows and each host's routes,
    rules and NAT say what does. One packet stands for all that are alike.
    Found are also packets that arrive twice or go in a circle, gateways' ARP
    that crosses a tunnel, and packets that only pass if they are small.

    Each fault comes with a counterexample and its way. Exit code 2 if there is one.
    """
    from dvr_ryu.pipeline.load import load_pipelines
    from dvr_ryu.prove.proof import Proof
    from dvr_ryu.topology.loading import load_topology
    from dvr_ryu.trace.network import Network

    model, pipelines = load_topology(topology), load_pipelines(folder or flows_dir())
    report, network = Proof(pipelines).prove(model), Network(model, pipelines)
    if as_json:
        from dvr_ryu.prove.document import of_report

        output.show_json(of_report(network, report, expectation_lines(topology)))
    else:
        from dvr_ryu.prove.text import rendered_report, summary

        if not report.holds:
            output.show(rendered_report(network, report, Path.cwd()))
        if report.wrong_lines:
            lines = expectation_lines(topology)
            problems = [errors.Problem(lines[at], each.text) for at, each in report.wrong_lines]
            output.to_stderr(errors.written_out(problems))
        output.note_plugged(model)
        click.echo(summary(report), err=True)
    raise SystemExit(errors.DONE if report.holds else errors.DIFFERENT)


def prove_edit(before: State, after: State, consequence: str = "") -> None:
    """Print what an edit would cut or open; if it would do so, print the consequence, too, and end
    with exit code 2.
    """
    from dvr_ryu.prove.edits import differences
    from dvr_ryu.prove.text import rendered, summary_of_edit

    found = [*differences(before, after)]
    if found:
        output.show(rendered(after.network, found, Path.cwd()))
    click.echo(summary_of_edit(found), err=True)
    if found:
        if consequence:
            click.echo(consequence, err=True)
        raise SystemExit(errors.DIFFERENT)


def expectation_lines(topology: Path) -> dict[int, errors.Location]:
    """The location of each line of `expect:` in a file, by its index."""
    from dvr_ryu.topology.spec.text_file import read_text
    from dvr_ryu.topology.spec.yaml_nodes import Document

    document = Document(read_text(topology), str(topology))
    lines = document.data.get("expect") or ()
    return {index: document.value(("expect", index)) for index, _ in enumerate(lines)}
