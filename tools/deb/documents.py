"""Write the package's generated documents: manual pages, completions, and the libraries' licenses.

All are made of what is there anyway: the commands, the reference of the topology file, and the
wheels' own metadata. Pure but for `license_of`, which reads a library's files.
"""

from __future__ import annotations

import email
import re
from collections.abc import Iterator
from email.message import Message
from pathlib import Path

from click.shell_completion import get_completion_class
from docutils.core import publish_string

from dvr_ryu.cli import cli
from dvr_ryu.cli.reference import reference as commands
from dvr_ryu.topology.spec.reference import reference as topology

COMPLETIONS = {
    "bash": "usr/share/bash-completion/completions/dvr",
    "zsh": "usr/share/zsh/vendor-completions/_dvr",
    "fish": "usr/share/fish/vendor_completions.d/dvr.fish",
}
"""Shell → where Debian's one looks for completions."""
COMMON_LICENSES = {
    "Apache-2.0": "Apache License\n\\s*Version 2.0",
    "MPL-2.0": "Mozilla Public License,? (Version|v\\.) 2.0|mozilla.org/MPL/2.0",
    "GPL-2": "GNU GENERAL PUBLIC LICENSE\n\\s*Version 2",
}
"""File of /usr/share/common-licenses → what tells that a text is that license."""
SEE_ALSO = """
See also
--------

``dvr-topology(5)``, ``ovs-vsctl(8)``, ``ovs-ofctl(8)``, ``/usr/share/doc/dvr-ryu/README.Debian``
"""


def manual_pages() -> dict[str, str]:
    """The manual pages, by the names of their files."""
    return {
        "dvr.1": manual_page("dvr", 1, "distributed virtual router", commands(cli) + SEE_ALSO),
        "dvr-topology.5": manual_page("dvr-topology", 5, "the topology file of dvr", topology()),
    }


def manual_page(name: str, section: int, what: str, text: str) -> str:
    """A document of RST as a manual page. Its comment and its title give way to the page's own."""
    body = re.sub(r"\A\.\. .*?\n\n.*?\n=+\n", "", text, flags=re.S)
    title, subtitle = f"{name}\n{'#' * len(name)}\n", f"{what}\n{'~' * len(what)}\n"
    head = f"{title}\n{subtitle}\n:Manual section: {section}\n"
    settings = {"halt_level": 2, "report_level": 2, "output_encoding": "unicode"}
    page = str(publish_string(f"{head}{body}", writer="manpage", settings_overrides=settings))
    return page.replace(".SH Name\n", ".SH NAME\n", 1)  # man -k knows it in capitals only


def completion(shell: str) -> str:
    """The completion of dvr for a shell."""
    complete = get_completion_class(shell)
    assert complete is not None
    return complete(cli, {}, "dvr", "_DVR_COMPLETE").source() + "\n"


def licenses(site: Path) -> Iterator[str]:
    """Yield the lines about each library below a folder of site-packages."""
    for info in sorted(site.glob("*.dist-info"), key=lambda each: each.name.lower()):
        metadata = email.message_from_string((info / "METADATA").read_text(encoding="utf-8"))
        if metadata["Name"].replace("-", "_") == "dvr_ryu":
            continue
        title = f"{metadata['Name']} {metadata['Version']}"
        yield from ("", "", title, "=" * len(title), "", *described(metadata), "")
        for text in texts(info):
            yield from license_of(text)


def described(metadata: Message) -> Iterator[str]:
    """Yield where a library comes from, and the name of its license."""
    urls = [*metadata.get_all("Home-page", []), *metadata.get_all("Project-URL", [])]
    yield f"Source: {urls[0].rpartition(' ')[2] if urls else 'https://pypi.org'}"
    for field in ("Author", "Author-email"):
        yield from (f"{field}: {' '.join(each.split())}" for each in metadata.get_all(field, []))
    classified = [
        c.rpartition(":: ")[2] for c in metadata.get_all("Classifier", []) if "License ::" in c
    ]
    named = metadata["License-Expression"] or " or ".join(classified) or metadata["License"]
    yield f"License: {named}"


def texts(info: Path) -> list[Path]:
    """The files of a library's .dist-info that have its license."""
    names = ("licen", "copying", "notice", "authors")
    found = [each for each in info.rglob("*") if each.name.lower().startswith(names)]
    return sorted(each for each in found if each.is_file())


def license_of(file: Path) -> Iterator[str]:
    """Yield a license's text, or its copyright and where Debian has its text."""
    text = file.read_text(encoding="utf-8", errors="replace")
    for name, sign in COMMON_LICENSES.items():
        if re.search(sign, text):
            yield from re.findall(
                r"^ *Copyright (?!\[|notice|and|owner|license).*\d{4}.*$", text, re.M
            )
            yield f"On Debian systems the text is in /usr/share/common-licenses/{name}."
            return
    yield from text.strip("\n").splitlines()
    yield ""
