"""resubmit: look the packet up once more, then go on with the next action."""

from __future__ import annotations

from typing import Any

from attrs import frozen
from ryu.ofproto import ofproto_v1_4_parser as parser

from dvr_ryu.pipeline.language import numbers
from dvr_ryu.pipeline.language.actions.base import Action, Argument, port16, read_port, reads
from dvr_ryu.pipeline.language.encoding import nicira
from dvr_ryu.pipeline.language.flow_file import LineError
from dvr_ryu.pipeline.language.operands import Operand, written
from dvr_ryu.pipeline.language.scope import Scope

_SAME_TABLE = 255
_IN_PORT = numbers.RESERVED_PORTS["IN_PORT"]


@frozen
class Resubmit(Action):
    """Look the packet up again in a table (None: in the same one), as if it entered at this port.
    `ct`: with the addresses and ports of its connection's first packet.
    """

    in_action_set = True

    table: int | None
    port: Operand = _IN_PORT
    ct: bool = False

    def __str__(self) -> str:
        port = "" if self.port == _IN_PORT else written(numbers.PORT, self.port)
        if self.ct:
            return f"resubmit({port},{'' if self.table is None else self.table},ct)"
        return f"resubmit:{port}" if self.table is None else f"resubmit({port},{self.table})"

    def build(self) -> list[Any]:
        """Return Ryu's NXActionResubmit or NXActionResubmitTable, or Nicira's with ct."""
        if self.ct:
            table = _SAME_TABLE if self.table is None else self.table
            return [nicira.resubmit_table_ct(port16(self.port), table)]
        if self.table is None:
            return [parser.NXActionResubmit(port16(self.port))]
        return [parser.NXActionResubmitTable(port16(self.port), self.table)]


@reads("resubmit")
def read_resubmit(scope: Scope, argument: Argument) -> Resubmit:
    """resubmit:PORT, resubmit(PORT), resubmit(PORT,TABLE), resubmit(,TABLE), or with a third part,
    ct.
    """
    parts = _parts(argument.present("a table", "(,20)"), argument.at)
    if len(parts) > 3:
        raise LineError(parts[3][1] - 1, "resubmit has up to three parts: resubmit(PORT,TABLE,ct)")
    (port_text, port_at), (table_text, table_at), (ct, ct_at) = [*parts, ("", 0), ("", 0)][:3]
    port = read_port(scope, port_text, port_at) if port_text else _IN_PORT
    table = scope.table_number(table_text, table_at) if table_text else None
    if port == _IN_PORT and table is None:
        raise LineError(argument.end, "resubmit names a table, a port or both: resubmit(,20)")
    if ct and ct != "ct":
        raise LineError(ct_at, f"only ct may be the third part, not '{ct}'")
    if ct and not scope.packet.connected:
        raise LineError(ct_at, "there may be no connection: match ct_state=+trk+est as well")
    return Resubmit(table, port, bool(ct))


def _parts(text: str, at: int) -> list[tuple[str, int]]:
    """The parts between commas, each with its offset. A part may be empty."""
    parts = []
    for part in text.split(","):
        parts.append((part.strip(), at + len(part) - len(part.lstrip())))
        at += len(part) + 1
    return parts
