"""The stories of traces, as a person reads them: each is a file in `stories/`.

After a change that is meant, DVR_WRITE=1 writes them anew.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from dvr_ryu.cli import cli
from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.shipped import examples_dir
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.trace.hops import Probe
from dvr_ryu.trace.network import Network
from dvr_ryu.trace.story.lines import story
from dvr_ryu.trace.story.text import render

STORIES = Path(__file__).parent / "stories"
ROOT = Path(__file__).parents[3]
COMMANDS = {
    "switched-on-one-host": "north-south a a2",
    "dhcp-server": "human-defined-dvr vm-64 192.168.10.58",
    "switched-across-hosts": "human-defined-dvr blue-68 vm-64",
    "routed-on-one-host": "human-defined-dvr cirros vm-233",
    "routed-across-hosts": "human-defined-dvr cirros vm-68 --reply",
    "snat": "human-defined-dvr vm-68 outside --tcp 80",
    "floating-out": "human-defined-dvr cirros outside",
    "floating-in": "human-defined-dvr outside cirros",
    "floating-central": "north-south outside c",
    "floating-to-floating": "human-defined-dvr vm-64 2.2.2.100",
    "floating-hairpin": "north-south a2 2.2.2.101 --reply",
    "forwarded-port": "north-south outside 2.2.2.120 --tcp 80",
    "forwarded-port-refused": "north-south outside 2.2.2.120 --tcp 81",
    "between-hosts": "human-defined-dvr server-68 server-64",
    "arp": "human-defined-dvr cirros vm-64 --arp",
    "arp-unanswered": "human-defined-dvr cirros 192.168.10.99 --arp",
    "too-long": "human-defined-dvr cirros vm-68 --size 1600",
    "isolated": "human-defined-dvr cirros lonely-68",
    "nobody-answers": "human-defined-dvr cirros 10.10.10.77",
    "nobody-listens": "human-defined-dvr cirros 192.168.10.1 --tcp 80",
    "second-nic": "shapes both:eth1 lab-2",
}


@cache
def network(example: str) -> Network:
    topology = load_topology(examples_dir() / f"{example}.yaml")
    return Network(topology, load_pipelines(ROOT / "flows"))


def printed(command: str) -> str:
    """What `dvr trace` prints into a file."""
    example, *rest = command.split()
    asked = cli.commands["trace"].make_context("trace", ["FILE", *rest]).params
    protocol = next((each for each in ("tcp", "udp", "arp") if asked[each]), "icmp")
    probe = Probe(protocol, asked["tcp"] or asked["udp"] or 0, asked["size"])
    its = network(example)
    trace = its.trace(asked["source"], asked["target"], probe, reply=asked["reply"])
    text = io.StringIO()
    Console(file=text, width=1 << 16).print(render(story(its, trace), ROOT))
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())


@pytest.mark.parametrize("name", COMMANDS)
def test_a_story(name: str) -> None:
    file = STORIES / f"{name}.txt"
    text = f"$ dvr trace examples/{COMMANDS[name].replace(' ', '.yaml ', 1)}\n"
    text += printed(COMMANDS[name])
    if os.environ.get("DVR_WRITE"):
        file.write_text(text)
    assert text == file.read_text()


def test_the_command_prints_the_story(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("DVR_FLOWS", str(ROOT / "flows"))
    for name, code in (("nobody-answers", 2), ("between-hosts", 0)):
        first, *lines = (STORIES / f"{name}.txt").read_text().splitlines(keepends=True)
        arguments = first.split()[2:]
        result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
        assert (result.exit_code, result.output) == (code, "".join(lines))


def test_each_file_is_tried() -> None:
    assert {file.stem for file in STORIES.iterdir()} == {*COMMANDS}


def test_no_line_of_a_story_leads_to_another_file_line() -> None:
    """The lines of flows/ that stories name exist, and are flows."""
    for file in STORIES.iterdir():
        for path, number in re.findall(r"(flows/\S+\.flows):(\d+)", file.read_text()):
            lines = (ROOT / path).read_text().splitlines()
            assert "actions=" in _joined(lines, int(number)) or "miss:" in lines[int(number) - 1]


def _joined(lines: list[str], number: int) -> str:
    text = lines[number - 1]
    while text.endswith("\\"):
        number += 1
        text += lines[number - 1]
    return text


CHAPTER = (ROOT / "docs" / "seeing.rst").read_text()


def shown_in_chapter(command: str) -> list[str]:
    """The lines that docs/seeing.rst shows after a command; `...` stands for others."""
    block = CHAPTER.partition(f"    $ {command}\n")[2]
    lines = re.match(r"(?:(?: {4}.*)?\n)*", block)
    assert lines
    return [line[4:] for line in lines[0].splitlines() if line.strip() not in ("", "...")]


def assert_in_order(shown: list[str], story: str, least: int) -> None:
    lines = iter(story.splitlines())
    assert len(shown) >= least
    assert [line for line in shown if line not in lines] == []


def test_the_chapter_shows_lines_of_a_real_story() -> None:
    shown = shown_in_chapter("dvr trace examples/human-defined-dvr.yaml cirros vm-68")
    assert_in_order(shown, (STORIES / "routed-across-hosts.txt").read_text(), 10)


def test_the_chapters_example_drops_where_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its commands are run in another folder, the last one as dvr."""
    command = "dvr trace examples/human-defined-dvr.yaml cirros vm-68 --flows mine"
    before = CHAPTER.partition(f"    $ {command}\n")[0].splitlines()[-2:]
    for name in ("flows", "examples"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for line in before:
        subprocess.run(line.removeprefix("    $ "), shell=True, check=True, cwd=tmp_path)
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli, command.split()[1:], catch_exceptions=False)
    assert result.exit_code == 2
    assert_in_order(shown_in_chapter(command), result.output, 4)
