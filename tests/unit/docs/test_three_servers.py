"""The commands of docs/three-servers.rst are sound, and are what the test of servers types."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.view import HostView
from tests.servers.chapter import DOCUMENT, ROOT, Chapter
from tests.servers.document import Command, commands, topology
from tests.servers.test_three_servers import INSTANCES, WATCHED

TEXT = DOCUMENT.read_text(encoding="utf-8")
COMMANDS = list(commands(TEXT))


def test_the_test_types_each_line_that_has_a_prompt() -> None:
    typed = {command.line for command in COMMANDS}
    prompts = {
        number
        for number, line in enumerate(TEXT.splitlines(), 1)
        if re.match(r"\s*(desk|server-\S+?)[$#] ", line)
    }
    assert typed == prompts and len(typed) > 40
    assert {command.where for command in COMMANDS} == {"desk", "server-*", *INSTANCES}


def test_what_the_test_watches_is_in_the_document() -> None:
    titles = [*dict.fromkeys(command.title for command in COMMANDS)]
    assert [title for title in titles if title in WATCHED] == [*WATCHED]
    reboots = [each.where for each in COMMANDS if each.text == "systemctl reboot"]
    assert reboots == [*INSTANCES]
    assert any(each.text == "dvr status" for each in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: f"line {command.line}")
def test_bash_can_read_each_command(command: Command) -> None:
    done = subprocess.run(["bash", "-n", "-c", command.text], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_topology_is_right_and_has_the_tests_instances(tmp_path: Path) -> None:
    Chapter(tmp_path, {})
    made = load_topology(tmp_path / "topology.yaml")
    cards = {card.host: (card.name, str(card.ip)) for card in made.instances.values()}
    assert cards == INSTANCES
    assert f"del-port {made.instances['vm'].device}\n" in TEXT
    assert HostView(made, "server-3").host.address in TEXT.replace(topology(TEXT), "")


def test_units_are_the_packages() -> None:
    units = {
        name for each in COMMANDS for name in re.findall(r"dvr-[a-z]+(?:@|(?=$))", each.text)
    } - {"dvr-ryu"}
    assert units == {"dvr-controller", "dvr-companion@"}
    for unit in units:
        assert (ROOT / "packaging" / "systemd" / f"{unit}.service").is_file()


def test_an_output_is_compared_but_for_spaces_and_dots() -> None:
    command = Command("", "server-1", "true", "a  1 ... PASS\nb", 1)
    assert command.printed("a 1 and more\nmore PASS b\n")
    assert not command.printed("a 2 PASS b")
    assert not command.printed("a 1 PASS b c")
    assert Command("", "server-1", "true", "...", 1).printed("")


def test_a_document_is_read() -> None:
    block = "    server-1# cat >f <<'END'\n    [a]\n    END\n    out\n    desk$ b\n\n"
    text = f"Title\n=====\n\n::\n\n{block}no block\n"
    first, second = commands(text)
    assert first == Command("Title", "server-1", "cat >f <<'END'\n[a]\nEND", "out", 6)
    assert second == Command("Title", "desk", "b", "...", 10)
