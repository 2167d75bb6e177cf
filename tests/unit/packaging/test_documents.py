"""The package's generated documents: manual pages, completions, licenses."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from dvr_ryu.cli import cli
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


@pytest.mark.parametrize("shell", documents.COMPLETIONS)
def test_completions_ask_dvr(shell: str) -> None:
    assert f"_DVR_COMPLETE={shell}_complete" in documents.completion(shell)


def library(site: Path, name: str, metadata: str, files: dict[str, str]) -> None:
    info = site / f"{name}-1.0.dist-info"
    (info / "licenses").mkdir(parents=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\n{metadata}\n"
    )
    for file, text in files.items():
        (info / "licenses" / file).write_text(text)


def test_each_library_has_its_license(tmp_path: Path) -> None:
    library(tmp_path, "dvr_ryu", "", {"LICENSE": "ours"})
    library(tmp_path, "own", "License-Expression: MIT", {"LICENSE": "Copyright 2020 X\n\nDo it."})
    apache = "Apache License\n  Version 2.0, January 2004\n\n" + "long\n" * 9 + "Copyright 2019 Y\n"
    library(tmp_path, "common", "Classifier: License :: OSI :: Apache", {"LICENSE": apache})
    library(tmp_path, "none", "License: ISC\nHome-page: https://example.org", {})
    text = "\n".join(documents.licenses(tmp_path))
    assert "ours" not in text
    assert "own 1.0\n=======" in text and "License: MIT\n\nCopyright 2020 X\n\nDo it." in text
    assert "License: Apache\n" in text and "common-licenses/Apache-2.0" in text
    assert "Copyright 2019 Y" in text and "long" not in text
    assert "Source: https://example.org\nLicense: ISC" in text
