"""Write the reference of the commands, as RST: each with its usage, its help and its options.

It is made of the commands themselves, so it has exactly their options. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import click

from dvr_ryu.command import dvr

HEADER = """\
.. Printed by `dvr docs --commands`.

The commands of dvr
===================
"""
_UNFILLED = "\b\n"
"""click's mark of a paragraph whose lines stay as they are."""


def reference(group: click.Group) -> str:
    """The whole document, of a group and all commands below it."""
    # A command remembers its help option from the first context: it must be one with its settings.
    context = click.Context(group, info_name="dvr", **group.context_settings)
    return "\n".join([HEADER, *_entry(context, group)])


def _entry(context: click.Context, command: click.Command) -> Iterator[str]:
    path = context.command_path
    usage = " ".join([path, *command.collect_usage_pieces(context)])
    yield from (path, "-" * len(path), "", f"``{usage}``", "")
    for paragraph in _paragraphs(command.help or ""):
        yield from _text(paragraph)
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if isinstance(parameter, click.Option) and record and "--help" not in parameter.opts:
            yield from (f"``{record[0]}``", f"    {_escaped(record[1])}", "")
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.commands[name]
            yield from _entry(click.Context(inner, context, name), inner)


def _paragraphs(help_text: str) -> list[str]:
    """The paragraphs of a help text, without the path of dvr on this machine."""
    text = help_text.replace(dvr(), "dvr").strip("\n")
    return re.split(r"\n\s*\n", text)


def _text(paragraph: str) -> Iterator[str]:
    """A paragraph: filled, or literal after its first line if click leaves its lines alone."""
    if _UNFILLED in paragraph:
        lines = paragraph.partition(_UNFILLED)[2].split("\n")
        yield from ("::", "", *(f"    {line}" for line in lines), "")
    else:
        yield from (_escaped(" ".join(paragraph.split())), "")


def _escaped(text: str) -> str:
    """A help text as RST: what it has between single backticks is literal."""
    return re.sub(r"`([^`]+)`", r"``\1``", re.sub(r"([\\*|]|_\b)", r"\\\1", text))
