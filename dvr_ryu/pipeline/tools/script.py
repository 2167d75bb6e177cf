"""The flows of hosts as a shell script of `ovs-ofctl add-flow` lines, with the sentences of tables
and flows, for people without a controller. Pure: it runs nothing.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from dvr_ryu.pipeline.compile.pipelines import Pipelines
from dvr_ryu.topology.view import HostView

_HEAD = """\
#!/bin/sh
# Flows for {hosts}, printed by: dvr flows --as script
# They are added to those that a bridge has. To begin with an empty one:
#   ovs-ofctl -O OpenFlow14 del-flows br-tun
set -e"""
_CHOOSE = """
# Run it on the host itself, or say which one is meant:  sh THIS_FILE {first}
case "${{1:-$(uname -n)}}" in"""
_OTHERWISE = """
*)
echo "usage: sh $0 {hosts}" >&2
exit 64
;;
esac"""


def script(
    pipelines: Pipelines, views: Sequence[HostView], bridges: Sequence[str]
) -> Iterator[str]:
    """The lines of a script that adds these bridges' flows. For several hosts, the script takes the
    host's name as its argument.
    """
    names = [view.host.name for view in views]
    yield _HEAD.format(hosts=", ".join(names))
    if len(views) == 1:
        yield from _host(pipelines, views[0], bridges)
        return
    yield _CHOOSE.format(first=names[0])
    for view in views:
        yield f"\n{view.host.name})"
        yield from _host(pipelines, view, bridges)
        yield ";;"
    yield _OTHERWISE.format(hosts="|".join(names))


def _host(pipelines: Pipelines, view: HostView, bridges: Sequence[str]) -> Iterator[str]:
    for bridge in bridges:
        ports = view.planned_ofports(bridge)
        listed = ", ".join(f"{name} is port {number}" for name, number in ports.items())
        yield f"\n# {bridge} of {view.host.name}: {listed}"
        yield from _bridge(pipelines, view, bridge)


def _bridge(pipelines: Pipelines, view: HostView, bridge: str) -> Iterator[str]:
    tables = {table.number: table for table in pipelines.by_bridge[bridge].tables}
    table, sentence = None, ""
    for flow in pipelines.planned(bridge, view).flows():
        if flow.table != table:
            table, sentence = flow.table, ""
            yield f"\n# Table {table}, {tables[table].name}: {tables[table].sentence}"
        if flow.sentence != sentence:
            sentence = flow.sentence
            yield f"# {sentence}" if sentence else "# Else:"
        yield f"ovs-ofctl -O OpenFlow14 add-flow {bridge} {shlex.quote(flow.installed())}"
