"""A bridge's pipeline as a value: its tables, and their flows with holes. `syntax` reads it."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import field, frozen

from dvr_ryu.errors import Location
from dvr_ryu.pipeline.language.flow import Flow


@frozen
class Block:
    """Flows that are repeated for each row of a relation. Without a relation, they exist once."""

    relation: str | None
    flows: tuple[Flow, ...]


@frozen
class Table:
    """One table and its flows. Its sentence describes its decision; `location` is its name's."""

    number: int
    name: str
    sentence: str
    blocks: tuple[Block, ...]
    location: Location = field(eq=False)

    def flows(self) -> Iterator[Flow]:
        """Every flow line."""
        return (flow for _, flow in self.flows_with_relations())

    def flows_with_relations(self) -> Iterator[tuple[str | None, Flow]]:
        """Every flow line, with the relation of its block."""
        return ((block.relation, flow) for block in self.blocks for flow in block.flows)


@frozen
class Pipeline:
    """The tables of one bridge. The flow file has the bridge's name."""

    bridge: str
    file: str
    tables: tuple[Table, ...]
    text: str = field(default="", eq=False, repr=False)
    """The text of the file."""

    def flows(self) -> Iterator[tuple[str | None, Flow]]:
        """Every flow line, with the relation of its block."""
        for table in self.tables:
            yield from table.flows_with_relations()
