"""Parses the operands of a flow line: numbers, holes, ports, tables and subfields, as far as the
line's bridge, table and block allow them. Raises LineError at the character of a mistake.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from dvr_ryu.pipeline.language import fields, numbers
from dvr_ryu.pipeline.language.fields import Subfield
from dvr_ryu.pipeline.language.flow_file import LineError
from dvr_ryu.pipeline.language.operands import BITS, PLAIN_NAME, Hole, Operand, PortName, number
from dvr_ryu.pipeline.language.packet import Packet
from dvr_ryu.pipeline.language.port_names import has_known_ports, why_no_port
from dvr_ryu.pipeline.language.suggestions import article, did_you_mean
from dvr_ryu.topology.relations import RELATIONS, Kind, ThisHost, fields_of

_HOLE = re.compile(r"\{[^{}]*\}")
_QUOTED = re.compile(r'"[^"]+"')
_NOT_IN_REGISTERS = (Kind.PORTS, Kind.NAME, Kind.MASKED)


class Scope:
    """The scope of a line in `table`, in a block of `relation` (None: in no block), on a bridge
    (None: on any).

    `depth` counts the actions around the one that is being parsed. `packet` is the packet's state
    before that action.
    """

    def __init__(
        self,
        tables: Mapping[str, int],
        table: int,
        relation: str | None,
        bridge: str | None = None,
    ) -> None:
        self.tables = tables
        self.table = table
        self.relation = relation
        self.bridge = bridge
        self.depth = 0
        self.packet = Packet()

    def hole(self, text: str, at: int) -> Hole:
        """{relation.field}; `at` is the offset of its brace."""
        relation, dot, name = text.strip("{}").partition(".")
        offered = {"host": ThisHost}
        if self.relation:
            offered[self.relation] = RELATIONS[self.relation]
        if not dot or not name:
            raise LineError(
                at, f"a hole names a relation and a field: {{host.dvr_mac}}, not {text}"
            )
        if relation not in offered and relation in RELATIONS:
            raise LineError(at, f"{text} stands only in a block: indented under 'each {relation}:'")
        if relation not in offered:
            hint = did_you_mean(relation, {**RELATIONS, **offered})
            raise LineError(at, f"no relation '{relation}'{hint}")
        known = fields_of(offered[relation])
        if name not in known:
            hint = did_you_mean(name, known) or f"; it has {', '.join(known)}"
            raise LineError(at, f"'{relation}' has no field '{name}'{hint}")
        field = known[name]
        if has_known_ports(self.bridge) and field.bridge not in (None, self.bridge):
            raise LineError(
                at,
                f"{text} is a port of {field.bridge}, and these are {self.bridge}'s flows; "
                f"{self._instead(relation, field.kind)}",
            )
        return Hole(relation, name, field.kind, field.bits or BITS.get(field.kind, 0))

    def _instead(self, relation: str, kind: Kind) -> str:
        """Advice for a port of another bridge: a hole of this bridge, if there is one."""
        for each, row_type in {relation: RELATIONS[relation], **RELATIONS}.items():
            for name, field in fields_of(row_type).items():
                if field.kind is kind and field.bridge == self.bridge:
                    block = "" if each == relation else f", in a block 'each {each}:'"
                    return f"of {self.bridge} there is {{{each}.{name}}}{block}"
        return "move the line to the flow file of that bridge"

    def operand(
        self, notation: numbers.Notation, kind: Kind | None, bits: int, text: str, at: int
    ) -> Operand:
        """A number, a hole of the kind or, in a port's notation, the name of a port."""
        if text.startswith("{"):
            return self._hole_of_kind(kind, notation, text, at)
        try:
            value = notation.read(text)
        except ValueError as error:
            if notation is numbers.PORT and (PLAIN_NAME.fullmatch(text) or _QUOTED.fullmatch(text)):
                return self._port_name(text, at)
            raise LineError(
                at, f"{error}; write {article(notation.noun)} such as {notation.example}"
            ) from None
        if value >> bits:
            raise LineError(
                at, f"{text} is too large; the largest value here is {(1 << bits) - 1:#x}"
            )
        return value

    def _port_name(self, text: str, at: int) -> PortName:
        if self.bridge and (why := why_no_port(self.bridge, text)):
            raise LineError(at, why)
        return PortName(text.strip('"'))

    def value(
        self, notation: numbers.Notation, kind: Kind | None, bits: int, text: str, at: int
    ) -> Operand:
        """A field's value: an operand as for `operand`; or, for a field without a kind (a
        register), any hole that fits into the bits.
        """
        if kind is None and _HOLE.fullmatch(text):
            hole = self.hole(text, at)
            if hole.kind not in _NOT_IN_REGISTERS and hole.bits <= bits:
                return hole
        return self.operand(notation, kind, bits, text, at)

    def masked_hole(self, text: str, at: int) -> Hole | None:
        """The hole if the text is a masked number's, else None."""
        hole = self.hole(text, at) if _HOLE.fullmatch(text) else None
        return hole if hole and hole.kind is Kind.MASKED else None

    def _hole_of_kind(
        self, kind: Kind | None, notation: numbers.Notation, text: str, at: int
    ) -> Hole:
        if not _HOLE.fullmatch(text):
            raise LineError(at, "a hole ends with '}'")
        hole = self.hole(text, at)
        if hole.kind is Kind.MASKED:
            raise LineError(
                at,
                f"{hole} is a masked number: it stands only where a match may have a mask, "
                "as the whole value of the field",
            )
        if hole.kind is not kind:
            wanted = kind.value if kind else notation.noun
            raise LineError(
                at, f"{hole} is {article(hole.kind.value)}; {article(wanted)} must stand here"
            )
        return hole

    def plain(self, text: str, bits: int, at: int) -> int:
        """A number that no hole may replace."""
        return number(self.operand(numbers.DECIMAL, None, bits, text, at))

    def table_number(self, text: str, at: int) -> int:
        """The number of a table of this file, from its name or number."""
        if text in self.tables:
            return self.tables[text]
        if re.fullmatch("[0-9]{1,3}", text) and int(text) in self.tables.values():
            return int(text)
        reserved = "; table 254 is Open vSwitch's own" if text == "254" else ""
        hint = reserved or did_you_mean(text, self.tables)
        raise LineError(at, f"there is no table '{text}' in this file{hint}")

    def subfield(self, text: str, at: int, *known: str) -> Subfield:
        """FIELD, FIELD[], FIELD[3] or FIELD[0..11]. `known` are other valid names."""
        found = re.fullmatch(r"(\w+)(?:\[(?:([0-9]{1,4})(?:\.\.([0-9]{1,4}))?)?\])?", text)
        if not found:
            raise LineError(
                at, f"'{text}' is not a field, nor bits of one such as NXM_OF_VLAN_TCI[0..11]"
            )
        field = fields.find(found[1])
        if field is None:
            raise unknown_field(found[1], at, *known)
        whole = Subfield(field, 0, 0).whole
        first = int(found[2] or 0)
        last = int(found[3] or found[2] or whole - 1)
        if not first <= last < whole:
            raise LineError(
                at, f"{found[1]} has the bits 0..{whole - 1}; write the lower bit first"
            )
        return Subfield(field, first, last - first + 1)


def unknown_field(name: str, at: int, *others: str) -> LineError:
    """The mistake of an unknown field's name. `others` are other valid names."""
    known = [*fields.FIELDS, *fields.ALIASES, *others]
    return LineError(at, f"unknown field '{name}'{did_you_mean(name, known)}")
