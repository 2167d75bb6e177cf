"""What is wrong with a pipeline as a whole, though every line of it can be read.

A problem stops the pipeline from being used; a warning is for whoever wrote it.
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
    """All that is wrong, in no order."""
    for table in pipeline.tables:
        yield from problems_between(table)
    yield from foreign(pipeline)
    yield from without_miss(pipeline)
    yield from unvisited(pipeline)
