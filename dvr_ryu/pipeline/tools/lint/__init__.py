"""Finds problems of a whole pipeline although each line alone is right.

A problem stops the pipeline from being used; a warning is for its author.
"""

from __future__ import annotations

from collections.abc import Iterator

from dvr_ryu.errors import Problem
from dvr_ryu.pipeline.language.pipeline import Pipeline
from dvr_ryu.pipeline.tools.lint.flows import problems_between
from dvr_ryu.pipeline.tools.lint.ports import foreign
from dvr_ryu.pipeline.tools.lint.tables import unvisited, without_miss

__all__ = ["problems"]


def problems(pipeline: Pipeline) -> Iterator[Problem]:
    """All problems and warnings, in no defined order."""
    for table in pipeline.tables:
        yield from problems_between(table)
    yield from foreign(pipeline)
    yield from without_miss(pipeline)
    yield from unvisited(pipeline)
