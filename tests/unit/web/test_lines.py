"""The lines of a pipeline for the page: their source as it is in the file, and their counts."""

from __future__ import annotations

import pytest

from dvr_ryu.pipeline.compile.line_counts import LineCount
from dvr_ryu.pipeline.language.syntax import parse_pipeline
from dvr_ryu.shipped import flows_dir
from dvr_ryu.web.lines import tables

TEXT = """\
table 0 FIRST "What comes in."
  # Those of {tunnel.host}.
  each tunnel:
    priority=1, in_port={tunnel.port} \\
      actions=learn(table=SECOND,cookie=0x7,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[]),\\
        goto_table:SECOND
  miss: drop

table 1 SECOND "What is known."
  miss: drop
"""


def test_each_line_has_its_source_sentence_and_count() -> None:
    pipeline = parse_pipeline(TEXT, "flows/br-tun.flows", "br-tun")
    learning, miss, unknown = (flow for _, flow in pipeline.flows())
    counts = [
        LineCount(learning, 0, 5, 500),
        LineCount(miss, 0, 2, 200),
        LineCount(unknown, 1, 1, 100),
        LineCount(learning, 1, 4, 400),
    ]
    first, second = tables(pipeline, counts)
    assert (first["number"], first["name"], first["sentence"]) == (0, "FIRST", "What comes in.")
    line, dropping = first["lines"]
    assert (line["file"], line["line"], line["each"]) == ("br-tun.flows", 4, "tunnel")
    assert line["source"].splitlines() == [
        "priority=1, in_port={tunnel.port} \\",
        "  actions=learn(table=SECOND,cookie=0x7,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[]),\\",
        "    goto_table:SECOND",
    ]
    assert (line["packets"], line["bytes"], line["drops"]) == (5, 500, False)
    assert (dropping["packets"], dropping["drops"]) == (2, True)
    known = second["lines"]
    assert [(each["learned"], each["packets"]) for each in known] == [(False, 1), (True, 4)]


@pytest.mark.parametrize("bridge", ["br-int", "br-tun"])
def test_a_bridge_that_was_never_dumped_has_zeroes(bridge: str) -> None:
    file = flows_dir() / f"{bridge}.flows"
    pipeline = parse_pipeline(file.read_text(), str(file), bridge)
    lines = [line for table in tables(pipeline, ()) for line in table["lines"]]
    assert len(lines) == sum(1 for _ in pipeline.flows())
    assert {line["packets"] for line in lines} == {0}
    assert all(line["source"] for line in lines)
