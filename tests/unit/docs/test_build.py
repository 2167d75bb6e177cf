"""Sphinx builds docs/ without a warning, and every link that names a file leads to it."""

from __future__ import annotations

import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from docutils.core import publish_doctree

ROOT = Path(__file__).parents[3]
READ_ALONE = [
    *("README.rst", "CONTRIBUTING.rst", "HACKING.rst", "CHANGELOG.rst"),
    *(
        "flows/README.rst",
        "flows/experiments/README.rst",
        "dvr_ryu/pipeline/compile/README.rst",
        "bench/README.rst",
    ),
    *(f"docs/{page.name}" for page in sorted(ROOT.glob("docs/*.rst"))),
]


def build(source: Path, target: Path) -> subprocess.CompletedProcess[str]:
    # A process of its own: Sphinx keeps what it learns about roles and languages in modules.
    arguments = ["--quiet", "--fail-on-warning", "--doctree-dir", str(target / ".doctrees")]
    return subprocess.run(
        [sys.executable, "-m", "sphinx", *arguments, str(source), str(target / "html")],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("docs")
    done = build(ROOT / "docs", target)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
    return target / "html"


class Links(HTMLParser):
    """The targets of a page's links."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found.add(dict(attrs).get("href") or "")


def test_no_link_between_pages_is_broken(html: Path) -> None:
    pages = sorted(html.glob("*.html"))
    assert {"index.html", "tour.html", "pipelines.html", "topology.html"} <= {
        page.name for page in pages
    }
    broken = [
        (page.name, link)
        for page in pages
        for link in Links(page).found
        if not (url := urlsplit(link)).scheme
        and url.path
        and not (page.parent / unquote(url.path)).exists()
    ]
    assert broken == []


def test_front_page_is_the_readme_with_links_to_the_pages(html: Path) -> None:
    links = Links(html / "index.html").found
    assert {"tour.html", "pipelines.html", "contributing.html", "performance.html"} <= links
    assert not [link for link in links if link.endswith(".rst")]


def test_link_to_no_file_fails_the_build(tmp_path: Path) -> None:
    source = tmp_path / "docs"
    source.mkdir()
    extension = str(ROOT / "docs" / "_ext")
    conf = f"import sys; sys.path.insert(0, {extension!r}); extensions = ['plain_rst']\n"
    (source / "conf.py").write_text(conf)
    (source / "index.rst").write_text("A\n=\n\n`here <index.rst>`_ and `there <none.rst>`_\n")
    done = build(source, tmp_path)
    assert done.returncode == 1
    assert "index.rst:4: WARNING: no such file: none.rst" in done.stderr
    assert done.stderr.count("no such file") == 1


@pytest.mark.parametrize("document", READ_ALONE)
def test_document_is_plain_rst(document: str, capfd: pytest.CaptureFixture[str]) -> None:
    """A repository's page shows it without Sphinx."""
    file = ROOT / document
    text = file.read_text(encoding="utf-8")
    if document == "docs/index.rst":  # Only Sphinx has a toctree.
        text = text.partition(".. toctree::")[0]
    publish_doctree(text, source_path=str(file), settings_overrides={"report_level": 2})
    assert capfd.readouterr().err == ""
