"""Answers the page's questions that take long: the picture, and a packet's way. Pure but for dot.

It knows a network as texts only, and runs in a process of its own: see `worker`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any

from attrs import evolve

from dvr_ryu.errors import DvrError
from dvr_ryu.graph.drawing import draw
from dvr_ryu.graph.hosts import hosts_picture
from dvr_ryu.graph.picture import Picture
from dvr_ryu.graph.way import hosts_of, way
from dvr_ryu.pipeline.compile.pipelines import Pipelines
from dvr_ryu.pipeline.language.syntax import parse_pipeline
from dvr_ryu.topology.loading import parse_topology
from dvr_ryu.trace import hops
from dvr_ryu.trace.endpoints import names
from dvr_ryu.trace.hops import Probe, Trace
from dvr_ryu.trace.network import Network
from dvr_ryu.trace.story.lines import Line, story

Document = dict[str, Any]

MOST_HOSTS = 6
"""The picture of a larger topology has only those hosts in full that are asked for or on the way.
"""
PROTOCOLS = (hops.ICMP, hops.TCP, hops.UDP, hops.ARP)


class Questions:
    """The answers about one network."""

    def __init__(self, topology: str, file: str, flows: Mapping[str, str]) -> None:
        """The text of the topology, the name of its file, and flow file → text. All are right."""
        self._topology = parse_topology(topology, file)
        pipelines = (
            parse_pipeline(text, name, PurePath(name).stem) for name, text in flows.items()
        )
        self._network = Network(self._topology, Pipelines(tuple(pipelines)))
        self._answers: dict[str, Callable[[Mapping[str, str]], Document]] = {
            "names": self.names,
            "picture": self.picture,
            "trace": self.trace,
        }

    def answer(self, question: str, query: Mapping[str, str]) -> Document:
        """The answer to a question; {"error": text} if the query is wrong."""
        try:
            return self._answers[question](query)
        except DvrError as error:
            return {"error": str(error)}

    def names(self, _: Mapping[str, str]) -> Document:
        """The hosts, and all that can be an end of a packet's way."""
        hosts = [*self._topology.hosts]
        return {"hosts": hosts, "ends": [*names(self._topology)], "whole": len(hosts) <= MOST_HOSTS}

    def picture(self, query: Mapping[str, str]) -> Document:
        """The picture of all hosts, or of the `host` that the query names."""
        host = query.get("host", "")
        if host and host not in self._topology.hosts:
            raise DvrError(f"the topology has no host '{host}'")
        return {"svg": self._drawn(hosts_picture(self._topology, self._shown([host])))}

    def _shown(self, wanted: list[str]) -> list[str]:
        """The hosts that are drawn in full."""
        hosts = [*self._topology.hosts]
        if [*filter(None, wanted)]:
            return [host for host in hosts if host in wanted]
        return hosts if len(hosts) <= MOST_HOSTS else hosts[:1]

    def trace(self, query: Mapping[str, str]) -> Document:
        """The way from one end to another: its story, and the picture in which it is lit."""
        found = self._network.trace(
            query.get("from", ""), query.get("to", ""), _probe(query), reply="reply" in query
        )
        shown = self._shown([]) if len(self._topology.hosts) <= MOST_HOSTS else [*hosts_of(found)]
        ids = way(found, shown)
        picture = evolve(hosts_picture(self._topology, shown), way=ids)
        return {
            "delivered": _arrives(found),
            "outcome": found.verdict.outcome.value,
            "lines": [_line(line) for line in story(self._network, found)],
            "way": ids,
            "svg": self._drawn(picture),
        }

    def _drawn(self, picture: Picture) -> str:
        return draw(picture, "svg")


def _probe(query: Mapping[str, str]) -> Probe:
    protocol = query.get("protocol", hops.ICMP)
    if protocol not in PROTOCOLS:
        raise DvrError(f"there is no protocol '{protocol}' here: take {', '.join(PROTOCOLS)}")
    if protocol in (hops.ICMP, hops.ARP):
        return Probe(protocol)
    port = query.get("port", "")
    if not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 1 << 16):
        raise DvrError(f"'{port}' is no port: take 1 to 65535")
    return Probe(protocol, int(port))


def _arrives(found: Trace) -> bool:
    return found.verdict.delivered and (found.reply is None or found.reply.verdict.delivered)


def _line(line: Line) -> Document:
    location = line.location
    return {
        "level": line.level.value,
        "text": line.text,
        "label": line.label,
        "file": f"{PurePath(location.file).name}:{location.line}" if location else "",
        "depth": line.depth,
    }
