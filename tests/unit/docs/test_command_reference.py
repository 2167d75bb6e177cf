"""The reference of all commands: RST without faults, every option, and nothing of this machine."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click
import pytest
from docutils.core import publish_string

from dvr_ryu import cli
from dvr_ryu.cli.reference import reference


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, f"{path} {name}")


def test_it_is_rst_without_faults() -> None:
    """docutils raises at the first warning."""
    settings = {"halt_level": 2, "report_level": 2}
    assert publish_string(reference(cli.cli), writer="null", settings_overrides=settings) == b""


@pytest.mark.parametrize(("path", "command"), [*commands(cli.cli, "dvr")], ids=str)
def test_each_command_has_its_options(path: str, command: click.Command) -> None:
    (section,) = re.findall(
        rf"^{path}\n-+\n(.*?)(?=\n\S+[^\n]*\n-+\n|\Z)", reference(cli.cli), re.M | re.S
    )
    options = [p for p in command.params if isinstance(p, click.Option) and not p.hidden]
    for option in options:
        assert option.opts[0] in section
        assert option.help and option.help.split()[0] in section
    assert "--help" not in section.split("``", 2)[2]


def test_it_names_no_path_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["/somewhere/else/bin/dvr"])
    text = reference(click.Group("dvr", help="Type: sudo /somewhere/else/bin/dvr lab up"))
    assert "sudo dvr lab up" in text and "/somewhere" not in text


def test_lines_that_click_leaves_alone_are_literal() -> None:
    text = reference(
        click.Group("dvr", help="First.\n\n\b\nTwo\n    lines\n\nA *star* and `code`.")
    )
    assert "::\n\n    Two\n        lines\n" in text
    assert r"A \*star\* and ``code``." in text
