"""Makes the picture of a pipeline: its tables, and which table leads to which. Pure."""

from __future__ import annotations

from pathlib import PurePath

from dvr_ryu.graph.picture import Box, Cable, CableKind, Group, Kind, Picture, element_id
from dvr_ryu.pipeline.language.pipeline import Pipeline, Table
from dvr_ryu.pipeline.tools.graph import ends, next_tables


def table_id(bridge: str, number: int) -> str:
    """The id of a table."""
    return element_id(Kind.TABLE, bridge, str(number))


def pipeline_picture(pipeline: Pipeline) -> Picture:
    """The picture of a pipeline: each table with its sentence and what can end a packet's way."""
    bridge = pipeline.bridge
    boxes = tuple(_table(bridge, table) for table in pipeline.tables)
    title, file = f"The tables of {bridge}", PurePath(pipeline.file).name
    group = Group(element_id(Kind.BRIDGE, bridge), Kind.BRIDGE, bridge, file, title, boxes)
    cables = tuple(
        Cable(
            CableKind.GOTO,
            table_id(bridge, table.number),
            table_id(bridge, number),
            f"From table {table.number} to table {number}",
            directed=True,
        )
        for table in pipeline.tables
        for number in next_tables(table)
    )
    return Picture(title, (group,), (), cables, downwards=True)


def _table(bridge: str, table: Table) -> Box:
    lines = tuple(f"→ {end}" for end in ends(table))
    title = f"Table {table.number} of {bridge}, {table.name}\n{table.sentence}"
    name = f"{table.number} {table.name}"
    id = table_id(bridge, table.number)
    return Box(id, Kind.TABLE, name, "", title.rstrip(), sentence=table.sentence, lines=lines)
