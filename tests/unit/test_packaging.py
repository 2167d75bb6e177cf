"""The wheel and the editable wheel have all necessary files, and Ryu starts quietly with them."""

from __future__ import annotations

import ast
import configparser
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[2]
MEND = "dvr_ryu_on_eventlet.pth"
RYU_MANAGER = str(Path(sys.executable).with_name("ryu-manager"))
WHERE = "from dvr_ryu import shipped; print(shipped.flows_dir(), shipped.examples_dir())"
# eventlet warns less if this is set.
OUTSIDE_PYTEST = {k: v for k, v in os.environ.items() if k != "PYTEST_CURRENT_TEST"}


def python(*arguments: str, **environment: str) -> str:
    """Run a new Python in / and return its output; any output on stderr is a failure."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd="/",
        env=OUTSIDE_PYTEST | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stderr, done.returncode) == ("", 0)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the files that the build reads, because the build writes beside them."""
    copy = tmp_path_factory.mktemp("source")
    for name in ("setup.py", "setup.cfg", "pyproject.toml"):
        shutil.copy(ROOT / name, copy)
    for name in ("dvr_ryu", "flows", "examples"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "flows/experiments/deep/er").mkdir(parents=True)
    (copy / "flows/experiments/deep/er/br-tun.flows").write_text("# an experiment\n")
    return copy


def build(source: Path, hook: str) -> zipfile.ZipFile:
    wheels = source.parent / f"{source.name}-{hook}"
    call = f"from setuptools import build_meta; build_meta.{hook}({str(wheels)!r})"
    subprocess.run([sys.executable, "-c", call], cwd=source, check=True, capture_output=True)
    (wheel,) = wheels.glob("*.whl")
    return zipfile.ZipFile(wheel)


@pytest.fixture(scope="module")
def wheel(source: Path) -> zipfile.ZipFile:
    return build(source, "build_wheel")


def test_wheel_carries_flows_and_examples(source: Path, wheel: zipfile.ZipFile) -> None:
    for folder in ("flows", "examples"):
        there = {str(p.relative_to(source)) for p in (source / folder).rglob("*") if p.is_file()}
        share = "dvr_ryu/share/"
        carried = {n.removeprefix(share) for n in wheel.namelist() if n.startswith(share + folder)}
        assert carried == there != set()


def test_wheel_carries_the_page(source: Path, wheel: zipfile.ZipFile) -> None:
    page = {f"dvr_ryu/web/page/{file.name}" for file in (source / "dvr_ryu/web/page").iterdir()}
    assert "dvr_ryu/web/page/index.html" in page
    assert page <= set(wheel.namelist())


def test_installed_wheel_finds_its_files_from_any_folder(
    wheel: zipfile.ZipFile, tmp_path: Path
) -> None:
    wheel.extractall(tmp_path)
    share = tmp_path / "dvr_ryu" / "share"
    found = python("-c", WHERE, PYTHONPATH=str(tmp_path))
    assert found == f"{share / 'flows'} {share / 'examples'}"


def test_checkout_finds_its_files(source: Path) -> None:
    found = python("-c", WHERE, PYTHONPATH=str(source))
    assert found == f"{source / 'flows'} {source / 'examples'}"


def test_mend_is_in_both_wheels_and_is_read_last(source: Path, wheel: zipfile.ZipFile) -> None:
    """Python reads .pth files in the order of their names; ours needs the path that another one
    adds.
    """
    assert MEND in wheel.namelist()
    editable = build(source, "build_editable")
    assert editable.read(MEND) == wheel.read(MEND)
    assert sorted(n for n in editable.namelist() if n.endswith(".pth"))[-1] == MEND


def test_mend_is_one_line_and_silent_where_the_package_is_gone(wheel: zipfile.ZipFile) -> None:
    line = wheel.read(MEND).decode()
    assert line.startswith("import ") and line.count("\n") == 1
    python("-I", "-S", "-c", line)


def test_mend_waits_at_the_start_of_python() -> None:
    loaded = python("-c", "import sys; print('dvr_ryu.ryu_on_eventlet' in sys.modules, "
                          "{'eventlet', 'ryu', 'threading'} & sys.modules.keys())")  # fmt: skip
    assert loaded == "True set()"


def test_mend_leaves_a_name_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "eventlet").mkdir()
    (tmp_path / "eventlet/__init__.py").touch()
    (tmp_path / "eventlet/wsgi.py").write_text("ALREADY_HANDLED = 'theirs'\n")
    script = "import eventlet.wsgi; print(eventlet.wsgi.ALREADY_HANDLED)"
    assert python("-c", script, PYTHONPATH=str(tmp_path)) == "theirs"


def required(section: str) -> set[str]:
    """Return the names, in small letters, of the requirements of a section of setup.cfg."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    keys = ["install_requires"] if section == "options" else config[section]
    lines = [line for key in keys for line in config[section][key].split("\n")]
    return {re.split(r"[ <>=~!;]", line)[0].lower() for line in lines if line[:1] not in {"", "#"}}


def test_imported_packages_are_required() -> None:
    trees = [ast.parse(file.read_text()) for file in ROOT.glob("dvr_ryu/**/*.py")]
    nodes = [node for tree in trees for node in ast.walk(_Run().visit(tree))]
    names = {alias.name for n in nodes if isinstance(n, ast.Import) for alias in n.names}
    names |= {str(n.module) for n in nodes if isinstance(n, ast.ImportFrom) and n.level == 0}
    foreign = {name.split(".")[0] for name in names} - sys.stdlib_module_names - {"dvr_ryu"}
    packages = metadata.packages_distributions()
    distributions = {packages.get(name, [name])[0].lower() for name in foreign}
    assert distributions - required("options") == set()


class _Run(ast.NodeTransformer):
    """Leaves of a module what is run: mypy has the stubs of what only types need."""

    def visit_If(self, node: ast.If) -> ast.AST | None:  # ast's name
        self.generic_visit(node)
        return None if ast.unparse(node.test) == "TYPE_CHECKING" else node


def test_every_requirement_is_pinned() -> None:
    wanted = required("options") | required("options.extras_require")
    pinned = set(re.findall(r"^([\w.-]+)==", (ROOT / "constraints.txt").read_text().lower(), re.M))
    assert wanted - pinned == set()


def test_pinned_releases_take_every_patch_release_of_this_python() -> None:
    """Debian 12 has Python 3.11.2; a release that needs 3.11.5 is no release for it."""
    first = "{}.{}.0".format(*sys.version_info)
    found = ((each.name, each.metadata["Requires-Python"]) for each in metadata.distributions())
    wanted = {name: SpecifierSet(needed) for name, needed in found if needed}
    assert len(wanted) > 50
    assert {name: str(needed) for name, needed in wanted.items() if first not in needed} == {}


def test_ryu_manager_says_its_version_and_nothing_else() -> None:
    assert python(RYU_MANAGER, "--version") == "ryu-manager 4.34"


def test_ryu_manager_starts_a_stock_app_quietly() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = free.getsockname()
    arguments = ["--ofp-listen-host", address[0], "--ofp-tcp-listen-port", str(address[1])]
    ryu = subprocess.Popen(
        [RYU_MANAGER, *arguments, "ryu.app.simple_switch_13"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd="/",
        env=OUTSIDE_PYTEST,
        text=True,
    )
    try:
        wait_until_listening(ryu, address)
    finally:
        ryu.terminate()
        output, _ = ryu.communicate()
    expected = re.compile(r"(loading|instantiating) app |connected socket:")
    assert [line for line in output.splitlines() if not expected.match(line)] == []


def wait_until_listening(process: subprocess.Popen[str], address: tuple[str, int]) -> None:
    while process.poll() is None:
        try:
            socket.create_connection(address).close()
            return
        except ConnectionRefusedError:
            time.sleep(0.05)
