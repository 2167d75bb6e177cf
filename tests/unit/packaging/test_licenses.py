"""The licenses of the libraries that the package has."""

from __future__ import annotations

from pathlib import Path

from tools.deb.licenses import licenses


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
    text = "\n".join(licenses(tmp_path))
    assert "ours" not in text
    assert "own 1.0\n=======" in text and "License: MIT\n\nCopyright 2020 X\n\nDo it." in text
    assert "License: Apache\n" in text and "common-licenses/Apache-2.0" in text
    assert "Copyright 2019 Y" in text and "long" not in text
    assert "Source: https://example.org\nLicense: ISC" in text
