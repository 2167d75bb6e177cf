"""Reads the words of one flow line: match, actions, holes and port names, in ovs-ofctl's spelling.

Says what is wrong by raising `Wrong` at the character. Knows nothing of other lines, but for the
tables' names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from dvr_ryu.pipeline import fields, numbers
from dvr_ryu.pipeline.actions import (
    SETTERS,
    AnyAction,
    GotoTable,
    Learn,
    LearnLoad,
    LearnMatch,
    LearnOutput,
    Load,
    ModVlanVid,
    Move,
    Output,
    PopVlan,
    PushVlan,
    Resubmit,
    SetField,
    Subfield,
    number,
)
from dvr_ryu.pipeline.fields import Field
from dvr_ryu.pipeline.flow import FieldMatch
from dvr_ryu.pipeline.operands import PLAIN_NAME, Hole, Operand, PortName
from dvr_ryu.pipeline.phrases import article, did_you_mean, parted, split
from dvr_ryu.pipeline.source import Wrong
from dvr_ryu.topology.relations import RELATIONS, Kind, ThisHost, fields_of

_HOLE = re.compile(r"\{[^{}]*\}")
_QUOTED = re.compile(r'"[^"]+"')
_LEARN_SETTINGS = {
    "table": 8,
    "priority": 16,
    "idle_timeout": 16,
    "hard_timeout": 16,
    "fin_idle_timeout": 16,
    "fin_hard_timeout": 16,
    "cookie": 64,
}
"""What learn() sets of the flow it makes, and how many bits each has."""


class WordReader:
    """Reads the words of a flow that stands in `table`, in a block of `relation` (None: in no
    block).
    """

    def __init__(self, tables: Mapping[str, int], table: int, relation: str | None) -> None:
        self.tables = tables
        self.table = table
        self.relation = relation
        self.tagged = False

    # Numbers, holes and ports ---------------------------------------------------------------------

    def hole(self, text: str, at: int) -> Hole:
        """{relation.field}; `at` is where its brace stands."""
        relation, dot, name = text.strip("{}").partition(".")
        offered = {"host": ThisHost}
        if self.relation:
            offered[self.relation] = RELATIONS[self.relation]
        if not dot or not name:
            raise Wrong(at, f"a hole names a relation and a field: {{host.dvr_mac}}, not {text}")
        if relation not in offered and relation in RELATIONS:
            raise Wrong(at, f"{text} stands only in a block: indented under 'each {relation}:'")
        if relation not in offered:
            hint = did_you_mean(relation, {**RELATIONS, **offered})
            raise Wrong(at, f"no relation '{relation}'{hint}")
        known = fields_of(offered[relation])
        if name not in known:
            hint = did_you_mean(name, known) or f"; it has {', '.join(known)}"
            raise Wrong(at, f"'{relation}' has no field '{name}'{hint}")
        return Hole(relation, name, known[name].kind)

    def operand(
        self, form: numbers.Form, kind: Kind | None, bits: int, text: str, at: int
    ) -> Operand:
        """A number, a hole of the kind, or (where a port may stand) the name of a port."""
        if text.startswith("{"):
            return self._hole_of_kind(kind, form, text, at)
        try:
            value = form.read(text)
        except ValueError as error:
            if form is numbers.PORT and (PLAIN_NAME.fullmatch(text) or _QUOTED.fullmatch(text)):
                return PortName(text.strip('"'))
            raise Wrong(at, f"{error}; write {article(form.what)} such as {form.example}") from None
        if value >> bits:
            raise Wrong(at, f"{text} is too large; the largest value here is {(1 << bits) - 1:#x}")
        return value

    def _hole_of_kind(self, kind: Kind | None, form: numbers.Form, text: str, at: int) -> Hole:
        if not _HOLE.fullmatch(text):
            raise Wrong(at, "a hole ends with '}'")
        hole = self.hole(text, at)
        if hole.kind is not kind:
            wanted = kind.value if kind else form.what
            raise Wrong(
                at, f"{hole} is {article(hole.kind.value)}; {article(wanted)} must stand here"
            )
        return hole

    # Match ----------------------------------------------------------------------------------------

    def match(self, text: str, at: int) -> tuple[int | None, list[FieldMatch]]:
        """The part before actions=: the priority, None where it is not named, and the fields."""
        priority: int | None = None
        matches: dict[FieldMatch, int] = {}
        for word, start in split(text, at, separators=", \t"):
            name, equals, value = word.partition("=")
            if name in fields.SHORTHANDS:
                if equals:
                    raise Wrong(start + len(name), f"{name} stands alone: it takes no value")
                for field, value_ in fields.SHORTHANDS[name]:
                    _add(matches, FieldMatch(fields.FIELDS[field], value_), start)
                continue
            if not value and (name in ("priority", "table") or fields.find(name)):
                raise Wrong(start + len(name), f"{name} needs a value: {name}={_example(name)}")
            if name == "priority":
                if priority is not None:
                    raise Wrong(start, "the priority is given twice")
                priority = self._plain(value, 16, start + 9)
            elif name == "table":
                self._same_table(value, start + 6)
            else:
                _add(matches, self._field_match(name, value, start), start)
        _require_all(matches)
        # What is matched in none of its bits is not matched; a switch leaves it out as well.
        return priority, [each for each in matches if each.mask != 0]

    def _plain(self, text: str, bits: int, at: int) -> int:
        return number(self.operand(numbers.DECIMAL, None, bits, text, at))

    def _same_table(self, text: str, at: int) -> None:
        if self._table(text, at) != self.table:
            raise Wrong(
                at, f"this line stands in table {self.table}; leave 'table=' out, or move it"
            )

    def _field_match(self, name: str, text: str, at: int) -> FieldMatch:
        field = fields.find(name)
        if field is None:
            raise _unknown_field(name, at, *fields.SHORTHANDS, "priority")
        start = at + len(name) + 1
        value, slash, mask = text.partition("/")
        operand = self.operand(field.form, field.kind, field.bits, value, start)
        if not slash:
            return FieldMatch(field, operand)
        return self._masked(field, operand, mask, start + len(value) + 1)

    def _masked(self, field: Field, operand: Operand, text: str, at: int) -> FieldMatch:
        if not field.maskable:
            raise Wrong(at - 1, f"{field.name} takes no mask: it matches whole or not at all")
        mask = self._mask_number(field, text, at)
        if mask == field.limit - 1:
            return FieldMatch(field, operand)
        if not isinstance(operand, int):
            raise Wrong(at - 1, f"{operand} takes no mask: it is matched whole")
        if operand & ~mask:
            raise Wrong(at, "the value has bits outside the mask: it could never match")
        return FieldMatch(field, operand, mask)

    def _mask_number(self, field: Field, text: str, at: int) -> int:
        if field.form is numbers.IPV4 and re.fullmatch("[0-9]{1,3}", text):
            if int(text) > 32:
                raise Wrong(at, "a prefix has 0 to 32 bits")
            return 0xFFFFFFFF & ~(0xFFFFFFFF >> int(text))
        if text.startswith("{"):
            raise Wrong(at, "a mask is a plain number")
        return number(self.operand(field.form, None, field.bits, text, at))

    # Actions --------------------------------------------------------------------------------------

    def actions(
        self, text: str, at: int, tagged: bool = False
    ) -> tuple[tuple[AnyAction, ...], GotoTable | None]:
        """The part after actions=: the actions, and the table to go on in.

        `tagged`: the flow matches packets that have a VLAN tag. Where none is, mod_vlan_vid puts
        one first, as ovs-ofctl does.
        """
        self.tagged = tagged
        words = split(text, at, separators=", \t")
        if not words:
            raise Wrong(at, "no action; write drop where nothing shall happen")
        if [word for word, _ in words] == ["drop"]:
            return (), None
        actions: list[AnyAction] = []
        for position, (word, start) in enumerate(words):
            action = self._action(word, start)
            if isinstance(action, GotoTable):
                if position < len(words) - 1:
                    raise Wrong(start, "goto_table comes last: it is done after all actions")
                return tuple(actions), action
            actions.append(action)
            self.tagged = _tagged_after(action, self.tagged)
        return tuple(actions), None

    def _action(self, word: str, at: int) -> AnyAction | GotoTable:
        name = re.split(r"[:(=]", word, maxsplit=1)[0]
        rest, start = word[len(name) :], at + len(name)
        if name in SETTERS:
            field = fields.FIELDS[SETTERS[name]]
            return SetField(field, self._argument(field.form, field.kind, field.bits, rest, start))
        if name in _READERS:
            return _READERS[name](self, rest, start)
        if name.upper() in numbers.RESERVED_PORTS:
            if rest:
                raise Wrong(start, f"nothing follows {name}")
            return Output(numbers.RESERVED_PORTS[name.upper()])
        if name == "drop":
            raise Wrong(at, "drop stands alone: the other actions would have no effect")
        known = [*_READERS, *SETTERS, *numbers.RESERVED_PORTS, "drop"]
        raise Wrong(at, f"unknown action '{name}'{did_you_mean(name, known)}")

    def _argument(
        self, form: numbers.Form, kind: Kind | None, bits: int, rest: str, at: int
    ) -> Operand:
        if not rest.startswith(":") or len(rest) < 2:
            raise Wrong(at, f"{article(form.what)} is missing here, such as :{form.example}")
        return self.operand(form, kind, bits, rest[1:], at + 1)

    def _output(self, rest: str, at: int) -> Output:
        if rest.startswith(":{"):
            hole = self.hole(rest[1:], at + 1)
            if hole.kind in (Kind.PORT, Kind.PORTS):
                return Output(hole)
        return Output(self._argument(numbers.PORT, Kind.PORT, 32, rest, at))

    def _mod_vlan_vid(self, rest: str, at: int) -> ModVlanVid:
        tag = self._argument(numbers.DECIMAL, Kind.VLAN, 12, rest, at)
        return ModVlanVid(tag, push=not self.tagged)

    def _push_vlan(self, rest: str, at: int) -> PushVlan:
        ethertype = self._argument(numbers.HEX, None, 16, rest, at)
        if ethertype not in (0x8100, 0x88A8):
            raise Wrong(at + 1, "a VLAN tag's Ethernet type is 0x8100 or 0x88a8")
        return PushVlan(int(ethertype))

    def _pop_vlan(self, rest: str, at: int) -> PopVlan:
        if rest:
            raise Wrong(at, "nothing follows strip_vlan or pop_vlan")
        return PopVlan()

    def _goto_table(self, rest: str, at: int) -> GotoTable:
        if not rest.startswith(":") or len(rest) < 2:
            raise Wrong(at, "a table is missing here, such as :UCAST_TO_TUN")
        table = self._table(rest[1:], at + 1)
        if table <= self.table:
            raise Wrong(at + 1, f"goto_table only goes forward: {table} is not after {self.table}")
        return GotoTable(table)

    def _table(self, text: str, at: int) -> int:
        if text in self.tables:
            return self.tables[text]
        if re.fullmatch("[0-9]{1,3}", text) and int(text) in self.tables.values():
            return int(text)
        hint = did_you_mean(text, self.tables)
        raise Wrong(at, f"there is no table '{text}' in this file{hint}")

    def _resubmit(self, rest: str, at: int) -> Resubmit:
        found = re.fullmatch(r"\(\s*,\s*(\w+)\s*\)", rest)
        if not found:
            raise Wrong(at, "resubmit names a table: resubmit(,20)")
        return Resubmit(self._table(found[1], at + found.start(1)))

    def _set_field(self, rest: str, at: int) -> SetField:
        text, target = parted(rest, at, "VALUE->FIELD", "set_field:2->arp_op")
        start = at + 1 + len(text) + 2
        field = self.subfield(target, start).field
        if "[" in target:
            raise Wrong(
                start + target.index("["), "set_field writes a whole field; for some bits, use load"
            )
        value = self.operand(field.form, field.kind, field.bits, text, at + 1)
        # A tag from the topology is a bare number; a number in ovs-ofctl's text has the bit itself.
        tag = field.name == "vlan_vid" and isinstance(value, Hole)
        return SetField(field, value, fields.VLAN_PRESENT if tag else 0)

    def _load(self, rest: str, at: int) -> Load:
        value, target = parted(rest, at, "VALUE->FIELD", "load:0x2->NXM_OF_ARP_OP[]")
        end = self.subfield(target, at + 1 + len(value) + 2)
        kind = end.field.kind if end.width == end.whole else None
        return Load(self.operand(numbers.HEX, kind, end.width, value, at + 1), end)

    def _move(self, rest: str, at: int) -> Move:
        source, target = parted(rest, at, "FIELD->FIELD", "move:arp_sha[]->arp_tha[]")
        ends = self.subfield(source, at + 1), self.subfield(target, at + 1 + len(source) + 2)
        _same_width(*ends, at + 1)
        return Move(*ends)

    def subfield(self, text: str, at: int, *known: str) -> Subfield:
        """FIELD, FIELD[], FIELD[3] or FIELD[0..11]; `known` are words that could stand here too."""
        found = re.fullmatch(r"(\w+)(?:\[(?:([0-9]{1,4})(?:\.\.([0-9]{1,4}))?)?\])?", text)
        if not found:
            raise Wrong(
                at, f"'{text}' is not a field, nor bits of one such as NXM_OF_VLAN_TCI[0..11]"
            )
        field = fields.find(found[1])
        if field is None:
            raise _unknown_field(found[1], at, *known)
        whole = Subfield(field, 0, 0).whole
        first = int(found[2] or 0)
        last = int(found[3] or found[2] or whole - 1)
        if not first <= last < whole:
            raise Wrong(at, f"{found[1]} has the bits 0..{whole - 1}; the lowest is named first")
        return Subfield(field, first, last - first + 1)

    def _learn(self, rest: str, at: int) -> Learn:
        if not (rest.startswith("(") and rest.endswith(")")):
            raise Wrong(at, "learn has its parts in parentheses: learn(table=20,…)")
        settings: list[tuple[str, int]] = []
        parts: list[LearnMatch | LearnLoad | LearnOutput] = []
        for word, start in split(rest[1:-1], at + 1, separators=","):
            name, equals, value = word.partition("=")
            if equals and name in _LEARN_SETTINGS:
                settings.append((name, self._learn_setting(name, value, start + len(name) + 1)))
            else:
                parts.append(self._learn_part(word, start))
        if "table" not in dict(settings):
            raise Wrong(at, "learn needs table=…: the table that gets the flow")
        return Learn(tuple(settings), tuple(parts))

    def _learn_setting(self, name: str, value: str, at: int) -> int:
        if name == "table":
            return self._table(value, at)
        return self._plain(value, _LEARN_SETTINGS[name], at)

    def _learn_part(self, word: str, at: int) -> LearnMatch | LearnLoad | LearnOutput:
        if word.startswith("output:"):
            return LearnOutput(self.subfield(word[7:], at + 7))
        if word.startswith("load:"):
            value, target = parted(word[4:], at + 4, "VALUE->FIELD", "load:0->NXM_OF_VLAN_TCI[]")
            end = self.subfield(target, at + 5 + len(value) + 2)
            return LearnLoad(self._learn_source(value, end, at + 5), end)
        target, equals, value = word.partition("=")
        end = self.subfield(target, at, *_LEARN_SETTINGS)
        return LearnMatch(
            end, self._learn_source(value, end, at + len(target) + 1) if equals else end
        )

    def _learn_source(self, text: str, target: Subfield, at: int) -> Subfield | int:
        if text[:1].isdigit():
            return self._plain(text, target.width, at)
        source = self.subfield(text, at)
        _same_width(source, target, at)
        return source


_READERS: dict[str, Callable[[WordReader, str, int], AnyAction | GotoTable]] = {
    "output": WordReader._output,
    "set_field": WordReader._set_field,
    "mod_vlan_vid": WordReader._mod_vlan_vid,
    "push_vlan": WordReader._push_vlan,
    "pop_vlan": WordReader._pop_vlan,
    "strip_vlan": WordReader._pop_vlan,
    "move": WordReader._move,
    "load": WordReader._load,
    "resubmit": WordReader._resubmit,
    "learn": WordReader._learn,
    "goto_table": WordReader._goto_table,
}


def _same_width(source: Subfield, target: Subfield, at: int) -> None:
    if source.width != target.width:
        raise Wrong(at, f"{source} has {source.width} bits, {target} has {target.width}")


def _example(name: str) -> str:
    field = fields.find(name)
    return field.form.example if field else "1"


def _unknown_field(name: str, at: int, *others: str) -> Wrong:
    known = [*fields.FIELDS, *fields.ALIASES, *others]
    return Wrong(at, f"unknown field '{name}'{did_you_mean(name, known)}")


def _tagged_after(action: AnyAction, tagged: bool) -> bool:
    if isinstance(action, PopVlan):
        return False
    return tagged or isinstance(action, PushVlan | ModVlanVid)


def _add(matches: dict[FieldMatch, int], match: FieldMatch, at: int) -> None:
    """Add a match that stands at `at`, unless it is there already."""
    for each in matches:
        # Fields with one Nicira name are the same bits of a packet: dl_vlan, vlan_vid, vlan_tci.
        if each.field.nxm == match.field.nxm and each != match:
            if each.field is match.field:
                raise Wrong(at, f"{match.field.name} is matched twice, with different values")
            raise Wrong(at, f"{match.field.name} is matched as {each.field.name} already")
    matches.setdefault(match, at)


def _require_all(matches: Mapping[FieldMatch, int]) -> None:
    present = {(each.field.name, each.value) for each in matches if each.mask is None}
    for each, at in matches.items():
        wanted = each.field.requires
        if wanted and not any(set(alternative) <= present for alternative in wanted):
            words = " or ".join(_shorthand(alternative) for alternative in wanted)
            raise Wrong(at, f"{each.field.name} is only in some packets: match {words} as well")


def _shorthand(pairs: tuple[tuple[str, int], ...]) -> str:
    exact = [word for word, fields_ in fields.SHORTHANDS.items() if set(fields_) == set(pairs)]
    return exact[0] if exact else ",".join(f"{name}={value:#x}" for name, value in pairs)
