"""Lets documents stay plain RST, so that a repository's page shows them as Sphinx does.

A link that names an RST file, as `tour.rst`, leads to the page that shows the file. A link to
another file, as `../flows/br-tun.flows`, leads to a copy of it. A link to a missing file is a
warning. Images of an included file are found, too. Lists of contents go, because the theme shows
one beside each page. No more is changed.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

logger = logging.getLogger(__name__)

INCLUDES = re.compile(r"\A(?:\.\. .*\n|\n)*\.\. include:: (\S+)\n", re.MULTILINE)


def find_pages(app: Sphinx, env: BuildEnvironment, _: list[str]) -> None:
    """Note which page shows which file: a document shows itself, or the file that it includes."""
    pages: dict[Path, str] = {}
    for name in sorted(env.found_docs):
        document = Path(env.doc2path(name))
        pages[document] = name
        if included := INCLUDES.search(document.read_text(encoding="utf-8")):
            pages[(document.parent / included[1]).resolve()] = name
    app.pages_of_files = pages


def link_files(app: Sphinx, doctree: nodes.document) -> None:
    """Replace each link that names a file of the repository."""
    pages: dict[Path, str] = app.pages_of_files
    for link in list(doctree.findall(nodes.reference)):
        url = urlsplit(link.get("refuri", ""))
        if url.scheme or url.netloc or not url.path:
            continue
        file = (_source(link).parent / url.path).resolve()
        if file in pages:
            target: nodes.Element = addnodes.pending_xref(
                "", reftype="doc", refdomain="std", reftarget=f"/{pages[file]}", refexplicit=True
            )
        elif file.is_file():
            # What begins with a slash is below the folder of the documents.
            below = os.path.relpath(file, app.srcdir)
            target = addnodes.download_reference("", "", reftarget=f"/{below}")
        else:
            logger.warning("no such file: %s", url.path, location=link)
            continue
        target += nodes.inline("", "", *link.children, classes=["doc"])
        link.replace_self(target)


def find_images(app: Sphinx, doctree: nodes.document) -> None:
    """Let Sphinx find the images of included files where these are."""
    for image in doctree.findall(nodes.image):
        if not urlsplit(image["uri"]).scheme:
            file = (_source(image).parent / image["uri"]).resolve()
            image["uri"] = f"/{os.path.relpath(file, app.srcdir)}"


def drop_contents(_: Sphinx, doctree: nodes.document) -> None:
    """Remove what `.. contents::` makes."""
    for topic in list(doctree.findall(nodes.topic)):
        if "contents" in topic["classes"]:
            topic.parent.remove(topic)


def _source(node: nodes.Element) -> Path:
    """The file in which a node stands; it may be an included one."""
    at: nodes.Element | None = node
    while at is not None and not at.source:
        at = at.parent
    assert at is not None and at.source
    return Path(at.source)


def setup(app: Sphinx) -> dict[str, Any]:
    """Sphinx calls this."""
    app.connect("env-before-read-docs", find_pages)
    # Before Sphinx collects what is to be copied.
    app.connect("doctree-read", link_files, priority=100)
    app.connect("doctree-read", find_images, priority=100)
    app.connect("doctree-read", drop_contents)
    return {"parallel_read_safe": True}
