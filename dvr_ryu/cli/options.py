"""Arguments that several commands of `dvr` share: a topology, a host, pipelines, TLS files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import wraps
from os.path import isfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem, split_arg_string

from dvr_ryu import errors
from dvr_ryu.pki.files import FOLDER

if TYPE_CHECKING:
    from dvr_ryu.pipeline.compile.pipelines import Pipelines
    from dvr_ryu.topology.topology import Topology
    from dvr_ryu.topology.view import HostView
    from dvr_ryu.web.address import PageAddress

Command = TypeVar("Command", bound=Callable[..., Any])
Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]

METRICS = "--metrics"

FILE = click.Path(path_type=Path, readable=False)


def completing(names_of: Callable[[Topology], Iterable[str]]) -> Complete:
    """Complete names of the topology on the command line. click cannot parse an incomplete line."""

    def complete(_: click.Context, __: click.Parameter, typed: str) -> list[CompletionItem]:
        from dvr_ryu.topology.loading import load_topology

        words = split_arg_string(os.environ.get("COMP_WORDS", ""))
        try:
            names = [*names_of(load_topology(next(word for word in words if isfile(word))))]
        except (StopIteration, errors.DvrError):
            return []
        return [CompletionItem(name) for name in names if name.startswith(typed)]

    return complete


topology_argument = click.argument("topology", type=FILE)


def host_option(
    help: str = "A host of the topology.", *, required: bool = False
) -> Callable[[Command], Command]:
    """The option --host, which completes the hosts of the topology on the command line."""
    complete = completing(lambda topology: topology.hosts)
    return click.option(
        "--host", required=required, metavar="NAME", shell_complete=complete, help=help
    )


host_name_option = click.option(
    "--host",
    metavar="NAME",
    help="The host that this machine is. The default is the one that a companion made of it.",
)
flows_option = click.option(
    "--flows",
    "folder",
    type=FILE,
    envvar="DVR_FLOWS",
    metavar="DIR",
    help="The pipelines to use. The default is $DVR_FLOWS, or the shipped flows/.",
)

_pki_option = click.option(
    "--pki",
    type=FILE,
    default=FOLDER,
    envvar="DVR_PKI",
    metavar="DIR",
    help="This host's files of dvr pki host, for a controller at ssl:. The default is $DVR_PKI, or "
    f"{FOLDER}.",
)
_tls_option = click.option(
    "--tls",
    is_flag=True,
    envvar="DVR_TLS",
    help="Connect to the controller by TLS although the file says tcp:. $DVR_TLS=1 does the same.",
)


def _read_metrics(_: click.Context, __: click.Parameter, text: str) -> PageAddress | None:
    from dvr_ryu.web.address import METRICS_DEFAULT, page_address

    try:
        return page_address(text or METRICS_DEFAULT, METRICS, METRICS_DEFAULT)
    except errors.DvrError as error:
        raise click.UsageError(str(error)) from None


metrics_option = click.option(
    METRICS,
    envvar="DVR_METRICS",
    metavar="ADDRESS:PORT",
    callback=_read_metrics,
    help="Where Prometheus finds this companion's metrics, at /metrics; off for nowhere. The "
    "default is $DVR_METRICS, or 127.0.0.1:9653.",
)


def tls_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add --pki and --tls to a command, which gets them as its `options`."""

    @_pki_option
    @_tls_option
    @wraps(command)
    def with_options(*args: Any, pki: Path, tls: bool, **more: Any) -> None:
        from dvr_ryu.companion.desired.tls import TlsOptions

        command(*args, options=TlsOptions(pki.absolute(), tls), **more)

    return with_options


def require_pipelines(pipelines: Pipelines, bridges: Iterable[str]) -> None:
    """Raise BadParameter for the first bridge that has no pipeline."""
    for bridge in bridges:
        if bridge not in pipelines.by_bridge:
            known = ", ".join(pipelines.by_bridge)
            raise click.BadParameter(
                f"no pipeline for '{bridge}'; there are {known}", param_hint="the bridge"
            )


def view(topology: Path, host: str) -> HostView:
    """The view of a host; BadParameter if the topology has no such host."""
    (found,) = views(topology, host)
    return found


def views(topology: Path, host: str | None) -> list[HostView]:
    """The view of a host, or the views of all hosts if `host` is None."""
    from dvr_ryu.topology.loading import load_topology
    from dvr_ryu.topology.view import HostView

    model = load_topology(topology)
    if host and host not in model.hosts:
        known = ", ".join(model.hosts)
        raise click.BadParameter(
            f"the topology has no host '{host}'; it has {known}", param_hint="--host"
        )
    return [HostView(model, each) for each in ([host] if host else model.hosts)]
