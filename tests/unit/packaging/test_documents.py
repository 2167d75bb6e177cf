"""The package's generated documents: manual pages and completions."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from dvr_ryu.cli import cli
from dvr_ryu.cli.completion import SHELLS
from tools.deb import documents

PAGES = documents.manual_pages()


def test_the_manual_has_every_command_and_option() -> None:
    page = PAGES["dvr.1"].replace("\\-", "-")
    for name, command in cli.commands.items():
        assert f".SH dvr {name}\n" in page
        for inner in getattr(command, "commands", {}):
            assert f".SH dvr {name} {inner}\n" in page
    assert "DVR_PKI" in page and "dvr-topology(5)" in page


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_page_begins_as_man_pages_do(name: str) -> None:
    title, section = name.split(".")
    assert f'.TH "{title}" "{section}"' in PAGES[name]
    assert re.search(rf"^\.SH NAME\n{title} \\- \w+", PAGES[name].replace("dvr\\-t", "dvr-t"), re.M)


@pytest.mark.skipif(shutil.which("lexgrog") is None, reason="lexgrog of man-db is missing")
@pytest.mark.parametrize("name", sorted(PAGES))
def test_man_finds_what_a_page_is_about(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(PAGES[name])
    found = subprocess.run(["lexgrog", tmp_path / name], capture_output=True, text=True)
    assert found.returncode == 0, found.stdout
    assert f'"{name.split(".")[0]} - ' in found.stdout


def test_completions_ask_dvr() -> None:
    scripts = documents.completions()
    assert {*documents.COMPLETIONS} == {*SHELLS}
    for shell, path in documents.COMPLETIONS.items():
        assert f"_DVR_COMPLETE={shell}_complete" in scripts[path]
