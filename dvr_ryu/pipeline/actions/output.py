"""Where a packet goes: to a port, or to the table that looks at it next."""

from __future__ import annotations

import re
from typing import Any

from attrs import frozen
from ryu.ofproto import ofproto_v1_4 as ofp
from ryu.ofproto import ofproto_v1_4_parser as parser

from dvr_ryu.pipeline import numbers
from dvr_ryu.pipeline.operands import Operand, number, written
from dvr_ryu.pipeline.scope import Scope
from dvr_ryu.pipeline.source import Wrong
from dvr_ryu.topology.relations import Kind

_IN_PORT = 0xFFF8
"""OFPP_IN_PORT in 16 bits, as the Nicira resubmit carries it."""


@frozen
class Output:
    """Send the packet to a port. To the controller it is sent whole."""

    port: Operand

    def __str__(self) -> str:
        text = written(numbers.PORT, self.port)
        reserved = isinstance(self.port, int) and self.port in numbers.RESERVED_PORTS.values()
        return text if reserved else f"output:{text}"

    def build(self) -> list[Any]:
        """Return Ryu's OFPActionOutput."""
        return [parser.OFPActionOutput(number(self.port), ofp.OFPCML_NO_BUFFER)]


@frozen
class Resubmit:
    """Look the packet up again in another table, then come back to the next action."""

    table: int

    def __str__(self) -> str:
        return f"resubmit(,{self.table})"

    def build(self) -> list[Any]:
        """Return Ryu's NXActionResubmitTable."""
        return [parser.NXActionResubmitTable(in_port=_IN_PORT, table_id=self.table)]


@frozen
class GotoTable:
    """Go on in a later table: an instruction, so the last word of a flow."""

    table: int

    def __str__(self) -> str:
        return f"goto_table:{self.table}"


def read_output(scope: Scope, rest: str, at: int) -> Output:
    """output:PORT, or a list of ports that each row of a relation brings."""
    if rest.startswith(":{"):
        hole = scope.hole(rest[1:], at + 1)
        if hole.kind in (Kind.PORT, Kind.PORTS):
            return Output(hole)
    return Output(scope.argument(numbers.PORT, Kind.PORT, 32, rest, at))


def read_resubmit(scope: Scope, rest: str, at: int) -> Resubmit:
    """resubmit(,TABLE)."""
    found = re.fullmatch(r"\(\s*,\s*(\w+)\s*\)", rest)
    if not found:
        raise Wrong(at, "resubmit names a table: resubmit(,20)")
    return Resubmit(scope.table_number(found[1], at + found.start(1)))


def read_goto_table(scope: Scope, rest: str, at: int) -> GotoTable:
    """goto_table:TABLE, which only goes forward."""
    if not rest.startswith(":") or len(rest) < 2:
        raise Wrong(at, "a table is missing here, such as :UCAST_TO_TUN")
    table = scope.table_number(rest[1:], at + 1)
    if table <= scope.table:
        raise Wrong(at + 1, f"goto_table only goes forward: {table} is not after {scope.table}")
    return GotoTable(table)
