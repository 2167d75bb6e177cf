"""What several words of `dvr` take, a topology, a host, pipelines, and what they make of it."""

from __future__ import annotations

import os
from os.path import isfile
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem, split_arg_string

from dvr_ryu import errors

if TYPE_CHECKING:
    from dvr_ryu.topology.view import HostView

FILE = click.Path(path_type=Path, readable=False)


def complete_host(_: click.Context, __: click.Parameter, typed: str) -> list[CompletionItem]:
    """The hosts of the file that is named on the line; click parses no line that breaks off."""
    from dvr_ryu.topology.loading import load_topology

    try:
        file = next(word for word in split_arg_string(os.environ["COMP_WORDS"]) if isfile(word))
        hosts = load_topology(file).hosts
    except (KeyError, StopIteration, errors.DvrError):
        return []
    return [CompletionItem(name) for name in hosts if name.startswith(typed)]


topology_argument = click.argument("topology", type=FILE)
host_option = click.option(
    "--host",
    required=True,
    metavar="NAME",
    shell_complete=complete_host,
    help="A host of the topology.",
)
host_name_option = click.option(
    "--host", required=True, metavar="NAME", help="What this machine was made."
)
flows_option = click.option(
    "--flows",
    "folder",
    type=FILE,
    envvar="DVR_FLOWS",
    metavar="DIR",
    help="Pipelines to use instead of the shipped flows/; else those that DVR_FLOWS names.",
)


def view(topology: Path, host: str) -> HostView:
    """The view of a host; BadParameter if the topology has no such host."""
    (found,) = views(topology, host)
    return found


def views(topology: Path, host: str | None) -> list[HostView]:
    """The view of a host, or of all if none is named."""
    from dvr_ryu.topology.loading import load_topology
    from dvr_ryu.topology.view import HostView

    model = load_topology(topology)
    if host and host not in model.hosts:
        known = ", ".join(model.hosts)
        raise click.BadParameter(
            f"the topology has no host '{host}'; it has {known}", param_hint="--host"
        )
    return [HostView(model, each) for each in ([host] if host else model.hosts)]
