"""The shape of the tree: the folders of the plan exist, no folder has too many files, and no file
is too long.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ("dvr_ryu", "tests", "bench")
FILES_IN_A_FOLDER = 20
LINES_IN_A_FILE = 400
TABLES = {
    "tests/unit/pipeline/language/bad_flows.py",
    "tests/unit/topology/spec/bad_topologies.py",
}
"""Tables of inputs without code, which may have any length."""

FOLDERS = (
    "flows",
    "examples",
    "docs",
    "bench",
    "dvr_ryu/source",
    "dvr_ryu/topology/spec",
    "dvr_ryu/topology/checks",
    "dvr_ryu/topology/allocation",
    "dvr_ryu/pipeline/language",
    "dvr_ryu/pipeline/compile",
    "dvr_ryu/pipeline/run",
    "dvr_ryu/pipeline/tools",
    "dvr_ryu/switch/guard",
    "dvr_ryu/companion/resources",
    "dvr_ryu/companion/desired",
    "dvr_ryu/companion/providers/netlink",
    "dvr_ryu/companion/providers/ovsdb",
    "dvr_ryu/companion/providers/dnsmasq",
    "dvr_ryu/companion/providers/iptables",
    "dvr_ryu/companion/check",
    "dvr_ryu/trace/kernel",
    "dvr_ryu/trace/story",
    "dvr_ryu/trace/live",
    "dvr_ryu/graph",
    "dvr_ryu/prove",
    "dvr_ryu/metrics",
    "dvr_ryu/web",
    "dvr_ryu/lab",
    "dvr_ryu/cli",
    "tests/unit",
    "tests/switch",
    "tests/lab",
    "tests/machines",
    "tests/servers",
)
FILES = (
    "dvr_ryu/app.py",
    "dvr_ryu/desired_state.py",
    "dvr_ryu/errors.py",
    "dvr_ryu/reconcile.py",
    "dvr_ryu/companion/run.py",
    "dvr_ryu/companion/host.py",
    "dvr_ryu/companion/providers/provider.py",
    "dvr_ryu/companion/resources/resource.py",
)
NOT_IN_THE_SOURCE = {"__pycache__", "share"}
"""Folders that Python or an installation makes."""


def modules(root: Path) -> Iterator[Path]:
    """Yield the Python files of a tree, relative to its root."""
    for part in PARTS:
        for path in sorted((root / part).rglob("*.py")):
            if NOT_IN_THE_SOURCE.isdisjoint(path.parts):
                yield path.relative_to(root)


def faults(root: Path) -> list[str]:
    """One line for each folder with too many files, and for each file with too many lines."""
    found = list(modules(root))
    folders = Counter(path.parent for path in found if path.name != "__init__.py")
    lines = {path: len((root / path).read_text().splitlines()) for path in found}
    return [
        *(
            f"{folder} has {count} files, more than {FILES_IN_A_FOLDER}: give those that belong "
            "together a folder"
            for folder, count in folders.items()
            if count > FILES_IN_A_FOLDER
        ),
        *(
            f"{path} has {count} lines, more than {LINES_IN_A_FILE}: it has more than one idea"
            for path, count in lines.items()
            if count > LINES_IN_A_FILE and path.as_posix() not in TABLES
        ),
    ]


def test_no_folder_and_no_file_is_too_large() -> None:
    assert faults(ROOT) == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_of_the_plan_is_there(folder: str) -> None:
    assert any(path.is_file() for path in (ROOT / folder).iterdir())


@pytest.mark.parametrize("file", FILES)
def test_a_file_of_the_plan_is_there(file: str) -> None:
    assert (ROOT / file).is_file()


def test_unit_tests_mirror_the_package() -> None:
    """A folder of tests/unit has the path of a folder of dvr_ryu, or of the whole tree."""
    of_tests = {path.parent.relative_to("tests/unit") for path in modules(ROOT) if is_unit(path)}
    tested = [ROOT / "dvr_ryu", ROOT]
    assert [each for each in of_tests if not any((part / each).is_dir() for part in tested)] == []


def is_unit(path: Path) -> bool:
    """Whether a file is below tests/unit."""
    return path.parts[:2] == ("tests", "unit")


def test_too_large_folders_and_files_are_found(tmp_path: Path) -> None:
    folder = tmp_path / "dvr_ryu" / "switch"
    folder.mkdir(parents=True)
    for number in range(FILES_IN_A_FOLDER):
        (folder / f"m{number}.py").write_text("x = 1\n" * LINES_IN_A_FILE)
    assert faults(tmp_path) == []
    (folder / "one_more.py").write_text("x = 1\n" * (LINES_IN_A_FILE + 1))
    (folder / "__init__.py").write_text("")
    many, long = faults(tmp_path)
    assert many.startswith(f"dvr_ryu/switch has {FILES_IN_A_FOLDER + 1} files")
    assert long.startswith("dvr_ryu/switch/one_more.py has 401 lines")
