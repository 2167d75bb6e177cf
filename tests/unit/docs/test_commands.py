"""The commands that documents show exist: words and options of dvr, targets of make, tests."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from dvr_ryu.cli import cli

ROOT = Path(__file__).parents[3]
DOCUMENTS = [
    *("README.rst", "CONTRIBUTING.rst", "HACKING.rst", "bench/README.rst"),
    *("flows/README.rst", "flows/experiments/README.rst", "dvr_ryu/pipeline/compile/README.rst"),
    *(f"docs/{page.name}" for page in sorted(ROOT.glob("docs/*.rst"))),
]
PROGRAM = r"(?:^\s*|\$ |# |[;|(] ?)(?:sudo )?(?:\S*bin/)?"
"""What stands before the name of a program: a prompt, another command, sudo, a folder."""


def literals(document: str) -> Iterator[str]:
    """What a document shows as typed: inline literals, and the lines of its blocks."""
    text = (ROOT / document).read_text(encoding="utf-8")
    for inline in re.findall(r"``(.+?)``", text, re.DOTALL):
        yield " ".join(inline.split())
    yield from (line for line in text.splitlines() if line.startswith("    "))


def dvr_calls(document: str) -> Iterator[str]:
    for literal in literals(document):
        for call in re.findall(PROGRAM + r"dvr ([a-z].*)", literal):
            yield re.split(r"  #| [;&|>] |;", call)[0].rstrip()


def wrong(call: str) -> str:
    """What is wrong with a call of dvr; empty if nothing is. Words after the command are its
    arguments; those in [] may be left out.
    """
    try:
        arguments = shlex.split(call.replace("[", " ").replace("]", " "))
    except ValueError:  # a sentence with an apostrophe, cut off
        arguments = call.split()
    command: click.Command = cli
    while isinstance(command, click.Group):
        word = arguments.pop(0).rstrip(".,:") if arguments else ""
        if word in {"", "--help", "...", "COMMAND"} or not word.isalpha():
            return ""
        if word not in command.commands:
            return f"no word {word!r} of dvr {command.name}"
        command = command.commands[word]
    known = {option for each in command.params for option in each.opts} | {"--help"}
    before = arguments[: arguments.index("--")] if "--" in arguments else arguments
    unknown = {word.split("=")[0] for word in before if word.startswith("--")} - known
    return f"dvr {command.name} has no {', '.join(sorted(unknown))}" if unknown else ""


@pytest.mark.parametrize("document", DOCUMENTS)
def test_words_and_options_of_dvr_exist(document: str) -> None:
    assert [(call, problem) for call in dvr_calls(document) if (problem := wrong(call))] == []


def test_slips_are_found() -> None:
    assert wrong("lab upp FILE") == "no word 'upp' of dvr lab"
    assert wrong("lab up FILE --flow DIR") == "dvr up has no --flow"
    assert wrong("lab exec a -- ping --flow") == ""
    assert [*dvr_calls("README.rst")].count("lab down") >= 2


def test_every_command_is_in_the_list() -> None:
    listed = [*dvr_calls("docs/commands.rst")]

    def arguments(command: click.Command, name: str) -> Iterator[str]:
        if isinstance(command, click.Group):
            for each in command.commands.values():
                yield from arguments(each, f"{name} {each.name}".strip())
        else:
            yield name

    missing = [
        name
        for name in arguments(cli, "")
        if not any(f"{c} ".startswith(f"{name} ") for c in listed)
    ]
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_targets_of_make_exist(document: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    named = [
        target
        for literal in literals(document)
        for call in re.findall(r"^(?:\$ |# )?(?:sudo )?make ((?:[a-z]+ ?)+)$", literal.strip())
        for target in call.split()
    ]
    assert set(named) <= targets


@pytest.mark.parametrize("document", DOCUMENTS)
def test_files_exist(document: str) -> None:
    """Paths of the repository: of tests, of examples, of the package."""
    folders = "tests|examples|flows|dvr_ryu|docs|bench|tools"
    named = {
        path.rstrip(".,:;")
        for literal in literals(document)
        for path in re.findall(rf"(?:^|[\s=])((?:{folders})/[\w./-]*)", literal)
    }
    made = {"docs/_build/html"}
    assert [path for path in sorted(named - made) if not (ROOT / path).exists()] == []
