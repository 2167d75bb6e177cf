"""The tree of /opt/dvr_ryu: one folder for several Pythons, which Python takes as its own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tools.deb import bundle

ROOT = Path(__file__).parents[3]


def installed(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def names(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


def test_pythons_share_modules_and_have_their_own_extensions(tmp_path: Path) -> None:
    site = tmp_path / "site"
    for python in ("311", "313"):
        files = {"a/__init__.py": "x = 1\n", f"a/_a.cpython-{python}.so": python}
        bundle.merge(installed(tmp_path / python, files), site)
    assert names(site) == {"a/__init__.py", "a/_a.cpython-311.so", "a/_a.cpython-313.so"}
    with pytest.raises(SystemExit, match="differs between Pythons"):
        bundle.merge(installed(tmp_path / "other", {"a/__init__.py": "x = 2\n"}), site)


def test_tests_scripts_and_pips_notes_stay_out(tmp_path: Path) -> None:
    files = {
        "bin/a": "",
        "tests/test_a.py": "",
        "a/tests/test_b.py": "",
        "a/inner/tests.py": "",
        "a-1.dist-info/RECORD": "",
        "a-1.dist-info/METADATA": "",
        "a/RECORD": "",
    }
    bundle.merge(installed(tmp_path / "a", files), tmp_path / "site")
    assert names(tmp_path / "site") == {"a/inner/tests.py", "a-1.dist-info/METADATA", "a/RECORD"}


def test_a_module_is_no_program(tmp_path: Path) -> None:
    files = {"a.py": "#!/usr/bin/env python\nx = 1\n", "a.sh": "#!/bin/sh\n"}
    for name in files:
        installed(tmp_path / "a", files).joinpath(name).chmod(0o755)
    bundle.merge(tmp_path / "a", tmp_path / "site")
    modes = [(tmp_path / "site" / name).stat().st_mode & 0o777 for name in files]
    assert modes == [0o644, 0o755]
    assert (tmp_path / "site/a.py").read_text() == "# !/usr/bin/env python\nx = 1\n"
    assert (tmp_path / "site/a.sh").read_text() == "#!/bin/sh\n"


@pytest.mark.skipif(not Path("/usr/bin/python3").exists(), reason="no python3 of the system")
def test_the_systems_python_takes_the_tree_and_no_other(tmp_path: Path) -> None:
    module = {str(bundle.SITE / "only_here.py"): "print('found')\n"}
    installed(tmp_path, module)
    bundle.make_environment(tmp_path)
    python = tmp_path / "bin/python3"
    version = subprocess.check_output(
        [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], text=True
    ).strip()
    (tmp_path / f"lib/python{version}").symlink_to("python3")
    program = "import sys, only_here; print(*sys.path, sep='\\n')"
    found, *path = subprocess.check_output([python, "-c", program], text=True).split("\n")
    assert found == "found"
    assert not [each for each in path if "dist-packages" in each]


def test_commands_run_in_the_tree(tmp_path: Path) -> None:
    bundle.make_environment(tmp_path)
    for name, module in bundle.COMMANDS.items():
        first, *rest = (tmp_path / "bin" / name).read_text().splitlines()
        assert first == "#!/opt/dvr_ryu/bin/python3"
        assert f"from {module} import main" in rest
        assert (tmp_path / "bin" / name).stat().st_mode & 0o777 == 0o755


def test_each_program_of_ours_stays_one_in_the_tree() -> None:
    """The tree takes a module's first line, so what runs one must name Python."""
    files = [file for file in (ROOT / "dvr_ryu").rglob("*") if file.is_file()]
    programs = [file for file in files if file.read_bytes().startswith(b"#!")]
    assert len(programs) >= 2
    assert [file for file in programs if not bundle.is_program(file)] == []
