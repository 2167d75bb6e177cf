"""Reads a flows/ folder, checks it by lint, and makes Pipelines. It may import every subpackage."""

from __future__ import annotations

from pathlib import Path

from dvr_ryu.errors import DvrError, FileError, Location, Problem
from dvr_ryu.pipeline.compile.pipelines import Pipelines
from dvr_ryu.pipeline.language.pipeline import Pipeline
from dvr_ryu.pipeline.language.suggestions import did_you_mean
from dvr_ryu.pipeline.language.syntax import read_pipeline
from dvr_ryu.pipeline.tools import lint
from dvr_ryu.topology.bridges import BRIDGES, bridge_names
from dvr_ryu.topology.spec.text_file import read_text


def load_pipelines(folder: Path) -> Pipelines:
    """Read and check every *.flows file of a folder.

    Raises FileError with all problems of all files, DvrError if there is no flow file. Warnings are
    in `warnings` of the result.
    """
    files = sorted(folder.glob("*.flows"))
    if not files:
        expected = ", ".join(each.flow_file for each in BRIDGES.values())
        raise DvrError(f"{folder}: no flow files here ({expected})")
    problems: list[Problem] = []
    pipelines: list[Pipeline] = []
    for file in files:
        try:
            _require_bridge(file)
            pipelines.append(read_pipeline(file))
            problems += lint.problems(pipelines[-1])
        except FileError as error:
            problems += error.problems
    if errors := [problem for problem in problems if not problem.warning]:
        raise FileError(errors)
    return Pipelines(tuple(pipelines), tuple(sorted(problems)))


def _require_bridge(file: Path) -> None:
    if file.stem not in BRIDGES:
        first = (read_text(file).splitlines() or [""])[0]
        hint = did_you_mean(file.stem, [*BRIDGES]) or f"; there are {bridge_names()}"
        message = f"no bridge {file.stem} gets flows{hint}; rename the file, or move it elsewhere"
        raise FileError([Problem(Location(str(file), 1, 1, first), message)])
