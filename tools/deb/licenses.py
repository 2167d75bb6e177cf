"""Write the licenses of the libraries that the package has, from the metadata of their wheels.

It only reads files below the folder of site-packages.
"""

from __future__ import annotations

import email
import re
from collections.abc import Iterator
from email.message import Message
from pathlib import Path

COMMON_LICENSES = {
    "Apache-2.0": "Apache License\n\\s*Version 2.0",
    "MPL-2.0": "Mozilla Public License,? (Version|v\\.) 2.0|mozilla.org/MPL/2.0",
    "GPL-2": "GNU GENERAL PUBLIC LICENSE\n\\s*Version 2",
}
"""File of /usr/share/common-licenses → what tells that a text is that license."""


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
