"""Imports point one way, and pure modules stay pure: the tests read the source, and import in a new
Python.

topology <- pipeline <- reconcile, source <- pki <- switch, companion <- desired_state, trace
<- prove, graph <- metrics <- web <- options, lab <- app <- cli. Within the pipeline: language
<- compile <- run, tools <- load. All parts may import a leaf. No modules import each other in a
circle.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import dvr_ryu

PACKAGE = Path(dvr_ryu.__file__).parent

# A part imports only parts of a lower rank, so parts of the same rank do not know each other.
RANK = {
    "errors": 0,
    "ending": 0,
    "command": 0,
    "packages": 0,
    "shipped": 0,
    "tables": 0,
    "listening": 0,
    "deadline": 0,
    "ryu_on_eventlet": 0,
    "topology": 1,
    "pipeline": 2,
    "reconcile": 3,
    "source": 3,
    "pki": 4,
    "switch": 5,
    "companion": 5,
    "desired_state": 6,
    "trace": 6,
    "prove": 7,
    "graph": 7,
    "metrics": 8,
    "web": 9,
    "options": 10,
    "lab": 10,
    "app": 11,
    "cli": 12,
}
PIPELINE_RANK = {"language": 0, "compile": 1, "run": 2, "tools": 2, "load": 3}
LEAVES = {part for part, rank in RANK.items() if rank == 0}

EFFECTS = {
    "asyncio", "concurrent", "eventlet", "ovs", "ovsdbapp", "pyroute2", "select", "signal",
    "socket", "ssl", "subprocess", "threading", "watchdog",
}  # fmt: skip
# The modules of Ryu that are data, for the one pure part that makes OpenFlow bytes.
RYU_DATA = ("ryu.ofproto", "ryu.lib.addrconv", "ryu.lib.ip", "ryu.lib.mac", "ryu.lib.pack_utils",
            "ryu.lib.stringify", "ryu.lib.type_desc")  # fmt: skip
# A library → the only folder that imports it.
ONLY_IN = {"ovs": "companion.providers.ovsdb", "pyroute2": "companion.providers.netlink",
           "prometheus_client": "metrics"}  # fmt: skip
NOT_UNDER_EVENTLET = {"source", "companion", "trace", "prove", "graph", "metrics", "web", "lab",
                      "cli"}  # fmt: skip
# Parts of the companion that read or change the host, or wait; all others only compute.
COMPANION_EFFECTS = {"agent", "check", "host", "providers", "run", "upkeep"}
# Parts of graph that run Graphviz.
GRAPH_EFFECTS = {"graphviz", "drawing"}
PURE_OF_WEB = {"address", "edits", "guard", "lines", "messages", "status"}
PURE_OF_METRICS = {"catalogue", "metric", "reference"}


def is_pure(module: str) -> bool:
    """Whether a module ("topology.model") only computes."""
    part, _, rest = module.partition(".")
    return (
        part in {"topology", "pipeline", "reconcile", "prove"}
        or module == "pki.files"
        or (part == "companion" and rest.partition(".")[0] not in COMPANION_EFFECTS)
        or (part == "switch" and rest.startswith("guard"))
        or (part == "trace" and not rest.startswith("live"))
        or (part == "graph" and rest not in GRAPH_EFFECTS)
        or (part == "web" and rest in PURE_OF_WEB)
        or (part == "metrics" and rest in PURE_OF_METRICS)
    )


def pipeline_room(module: str) -> str | None:
    """The room of the pipeline that has a module ("pipeline.language.flow"), if any."""
    part, _, rest = module.partition(".")
    room = rest.partition(".")[0]
    return room if part == "pipeline" and room in PIPELINE_RANK else None


def imports_of(source: Path, module: str) -> Iterator[tuple[int, str]]:
    """Yield (line, full dotted name) of every import, also of those inside functions."""
    package = module if source.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(source.read_text(), str(source))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*(above if node.level else []), *filter(None, [node.module])])
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def objection(module: str, imported: str) -> str | None:
    """The objection to an import of a name by a module of dvr_ryu ("topology.model"), or None."""
    part = module.partition(".")[0]
    top, *rest = imported.split(".")
    if top == "dvr_ryu" and rest and rest[0] != part:
        other = rest[0]
        if other not in RANK:
            return f"{other} has no rank in {Path(__file__).name}"
        if RANK[other] >= RANK[part] and not {part, other} <= LEAVES:
            return f"{part} may not import {other}"
    room, into = pipeline_room(module), pipeline_room(imported.partition(".")[2])
    if room and into and PIPELINE_RANK[into] > PIPELINE_RANK[room]:
        return f"pipeline/{room} may not import pipeline/{into}"
    if is_pure(module) and rest[:1] == ["companion"] and not is_pure(".".join(rest)):
        return f"{module} is pure and may not import {imported}"
    if is_pure(module) and top in EFFECTS:
        return f"{part} is pure and may not import {top}"
    if top in ONLY_IN and not f"{module}.".startswith(f"{ONLY_IN[top]}."):
        return f"only {ONLY_IN[top]} may import {top}"
    if top == "ryu" and is_pure(module):
        data = part == "pipeline" and any(f"{imported}.".startswith(f"{d}.") for d in RYU_DATA)
        return None if data else f"{module} is pure and may not import {imported}"
    if top in {"ryu", "eventlet"} and part in NOT_UNDER_EVENTLET:
        return f"{part} may not import {top}"
    return None


def objections(package: Path) -> list[str]:
    """Return "file:line: objection" for every import in `package` that the rule forbids."""
    found = []
    for source in sorted(package.rglob("*.py")):
        names = source.relative_to(package).with_suffix("").parts
        module = ".".join(names[:-1] if names[-1] == "__init__" else names)
        if module and module.partition(".")[0] not in RANK:
            found.append(f"{source}:1: {module} has no rank in {Path(__file__).name}")
            continue
        for line, imported in imports_of(source, f"dvr_ryu.{module}".rstrip(".")):
            wrong = objection(module, imported) if module else f"the package imports {imported}"
            if wrong:
                found.append(f"{source}:{line}: {wrong}")
    return found


def test_imports_point_one_way() -> None:
    assert objections(PACKAGE) == []


def modules_of(package: Path) -> dict[str, Path]:
    """Return module ("dvr_ryu.topology.model") → source file, of all modules in `package`."""
    names = {
        source: ["dvr_ryu", *source.relative_to(package).with_suffix("").parts]
        for source in sorted(package.rglob("*.py"))
    }
    return {
        ".".join(parts[:-1] if parts[-1] == "__init__" else parts): source
        for source, parts in names.items()
    }


def circle(package: Path) -> list[str]:
    """Return a circle of modules of `package`, each of which imports the next, and the last the
    first; or none.

    Imports inside functions and those for type checkers count. A module's own packages do not.
    """
    modules = modules_of(package)

    def imported_by(name: str) -> Iterator[str]:
        for _, imported in imports_of(modules[name], name):
            module = imported if imported in modules else imported.rpartition(".")[0]
            if module in modules and module != name:
                yield module

    try:
        TopologicalSorter({name: set(imported_by(name)) for name in modules}).prepare()
    except CycleError as error:
        return [*reversed(error.args[1])]
    return []


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circle(PACKAGE) == []


@pytest.mark.parametrize(
    "line", ["from dvr_ryu.b import f", "from . import b", "def f():\n    import dvr_ryu.b"]
)
def test_a_circle_is_found(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.py").write_text("from dvr_ryu.c import f")
    (tmp_path / "b.py").write_text("from __future__ import annotations\nfrom dvr_ryu.a import g")
    (tmp_path / "c.py").write_text(line)
    found = circle(tmp_path)
    assert set(found) == {"dvr_ryu.a", "dvr_ryu.b", "dvr_ryu.c"}
    assert (found[0], found[1]) in {
        ("dvr_ryu.a", "dvr_ryu.c"), ("dvr_ryu.b", "dvr_ryu.a"), ("dvr_ryu.c", "dvr_ryu.b")
    }  # fmt: skip


def module_with(line: str, source: Path) -> Path:
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text(line + "\n")
    return source


@pytest.mark.parametrize(
    ("file", "line", "wrong"),
    [
        ("topology/model.py", "from dvr_ryu.pipeline import syntax", "may not import pipeline"),
        ("topology/model.py", "from ..switch.session import Session", "may not import switch"),
        ("topology/__init__.py", "from .. import reconcile", "may not import reconcile"),
        ("topology/__init__.py", "from ryu.ofproto import ofproto_v1_3", "is pure"),
        ("pipeline/compile/flow_bytes.py", "def f():\n    import socket", "may not import socket"),
        ("pipeline/compile/flow_bytes.py", "from ryu.lib import hub", "may not import ryu.lib.hub"),
        ("pipeline/compile/flow_bytes.py", "from ryu.ofproto_of_another_kind import x", "is pure"),
        (
            "pipeline/language/flow.py",
            "from dvr_ryu.pipeline.compile import columns",
            "pipeline/language may not import pipeline/compile",
        ),
        ("pipeline/language/actions/ip.py", "from ...tools import lint", "import pipeline/tools"),
        ("pipeline/compile/basis.py", "from ..tools.lint import flows", "import pipeline/tools"),
        ("pipeline/tools/docs.py", "from dvr_ryu.pipeline import load", "import pipeline/load"),
        ("reconcile.py", "from dvr_ryu import switch", "may not import switch"),
        ("switch/session.py", "from dvr_ryu.companion import kernel", "may not import companion"),
        ("companion/resources.py", "import pyroute2", "may not import pyroute2"),
        ("companion/host.py", "import pyroute2", "only companion.providers.netlink may import"),
        ("companion/desired/nat.py", "import subprocess", "may not import subprocess"),
        ("companion/change.py", "import concurrent.futures", "may not import concurrent"),
        ("companion/change.py", "from dvr_ryu.companion import host", "is pure and may not import"),
        (
            "companion/resources/device.py",
            "from dvr_ryu.companion.providers.netlink.links import up",
            "is pure and may not import dvr_ryu.companion.providers",
        ),
        ("companion/kernel.py", "import ryu.ofproto", "may not import ryu"),
        ("source/file.py", "from dvr_ryu.companion import notes", "may not import companion"),
        ("source/file.py", "from ryu.lib import hub", "may not import ryu"),
        ("lab/hosts/host.py", "import eventlet", "may not import eventlet"),
        ("lab/hosts/host.py", "from dvr_ryu.cli import main", "may not import cli"),
        ("errors.py", "from dvr_ryu.topology import model", "may not import topology"),
        ("somewhere.py", "import os", "no rank"),
        ("__init__.py", "import os", "the package imports os"),
    ],
)
def test_a_wrong_import_is_found(tmp_path: Path, file: str, line: str, wrong: str) -> None:
    source = module_with(line, tmp_path / file)
    (found,) = objections(tmp_path)
    assert found.startswith(f"{source}:{len(line.splitlines())}: ")
    assert wrong in found


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("topology/model.py", "from . import view"),
        ("topology/model.py", "from dvr_ryu.errors import Location"),
        ("pipeline/compile/flow_bytes.py", "from ryu.ofproto import ofproto_v1_4_parser"),
        ("pipeline/compile/flow_bytes.py", "import ryu.ofproto.ether"),
        ("switch/session.py", "from ryu.lib import hub"),
        ("companion/providers/netlink/client.py", "import pyroute2, subprocess"),
        ("companion/kernel.py", "from ..reconcile import Change"),
        ("companion/run.py", "from dvr_ryu.source import Source"),
        ("errors.py", "from dvr_ryu.shipped import flows_dir"),
        ("cli.py", "from dvr_ryu.lab import up"),
    ],
)
def test_a_right_import_passes(tmp_path: Path, file: str, line: str) -> None:
    module_with(line, tmp_path / file)
    assert objections(tmp_path) == []


def test_code_apart_from_the_controller_stays_unpatched() -> None:
    """In a process that eventlet has patched, select.poll is missing and threads are green."""
    apart = NOT_UNDER_EVENTLET | LEAVES | {"topology", "pipeline", "reconcile"}
    modules = [
        ".".join(["dvr_ryu", *source.relative_to(PACKAGE).with_suffix("").parts])
        for source in sorted(PACKAGE.rglob("*.py"))
        if source.relative_to(PACKAGE).with_suffix("").parts[0] in apart
        and source.name not in {"__init__.py", "__main__.py"}
    ]
    check = f"""if True:
        import select, sys
        for name in {modules!r}:
            __import__(name)
            if "ryu.lib.hub" in sys.modules or not hasattr(select, "poll"):
                sys.exit(name + " brings in Ryu's event loop")"""
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True)
    assert (done.stderr, done.returncode) == ("", 0)
