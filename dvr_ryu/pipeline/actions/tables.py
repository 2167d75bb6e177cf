"""resubmit: the packet is looked up once more, then the next action is done."""

from __future__ import annotations

from typing import Any

from attrs import frozen
from ryu.ofproto import ofproto_v1_4_parser as parser

from dvr_ryu.pipeline import numbers
from dvr_ryu.pipeline.actions.base import Action, Argument, port16, read_port, reads
from dvr_ryu.pipeline.operands import Operand, written
from dvr_ryu.pipeline.scope import Scope
from dvr_ryu.pipeline.source import Wrong

_IN_PORT = numbers.RESERVED_PORTS["IN_PORT"]


@frozen
class Resubmit(Action):
    """Look the packet up again in a table (None: in the same one), as if it came in at a port."""

    in_action_set = True

    table: int | None
    port: Operand = _IN_PORT

    def __str__(self) -> str:
        port = "" if self.port == _IN_PORT else written(numbers.PORT, self.port)
        return f"resubmit:{port}" if self.table is None else f"resubmit({port},{self.table})"

    def build(self) -> list[Any]:
        """Return Ryu's NXActionResubmit or NXActionResubmitTable."""
        if self.table is None:
            return [parser.NXActionResubmit(port16(self.port))]
        return [parser.NXActionResubmitTable(port16(self.port), self.table)]


@reads("resubmit")
def read_resubmit(scope: Scope, argument: Argument) -> Resubmit:
    """resubmit:PORT, resubmit(PORT), resubmit(PORT,TABLE) or resubmit(,TABLE)."""
    text = argument.present("a table", "(,20)")
    cut = text.find(",")
    port_text, rest = (text, "") if cut < 0 else (text[:cut], text[cut + 1 :])
    start = argument.at + len(port_text) + 1
    if rest.partition(",")[1]:
        raise Wrong(start + rest.index(","), "Ryu 4.34 cannot carry resubmit(…,ct)")
    port = read_port(scope, port_text.strip(), argument.at) if port_text.strip() else _IN_PORT
    if rest.strip():
        lead = len(rest) - len(rest.lstrip())
        return Resubmit(scope.table_number(rest.strip(), start + lead), port)
    if port == _IN_PORT:
        raise Wrong(argument.end, "resubmit names a table, a port or both: resubmit(,20)")
    return Resubmit(None, port)
