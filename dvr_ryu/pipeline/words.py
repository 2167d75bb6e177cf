"""Reads the words of one flow line: match, actions, holes and port names, in ovs-ofctl's spelling.

Says what is wrong by raising `Wrong` at the character. Knows nothing of other lines, but for the
tables' names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches

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
)
from dvr_ryu.pipeline.fields import Field
from dvr_ryu.pipeline.flow import FieldMatch
from dvr_ryu.pipeline.operands import Hole, Operand, PortName
from dvr_ryu.pipeline.source import Wrong
from dvr_ryu.topology.relations import RELATIONS, Kind, ThisHost, fields_of

_HOLE = re.compile(r"\{([^{}]*)\}")
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


def did_you_mean(word: str, known: Mapping[str, object] | list[str]) -> str:
    """', did you mean …?' for the nearest known word, or nothing."""
    near = get_close_matches(word, list(known), 1)
    return f"; did you mean {near[0]}?" if near else ""


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
        if relation not in offered:
            where = f"inside 'each {relation}:'" if relation in RELATIONS else "nowhere"
            hint = did_you_mean(relation, offered)
            raise Wrong(at, f"no relation '{relation}' here (it is offered {where}){hint}")
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
            if form is numbers.PORT and re.fullmatch(r"[A-Za-z][\w.-]*|\"[^\"]+\"", text):
                return PortName(text.strip('"'))
            raise Wrong(at, f"{error}; write a {form.what} such as {form.example}") from None
        if value >> bits:
            raise Wrong(at, f"{text} is too large; the largest value here is {(1 << bits) - 1:#x}")
        return value

    def _hole_of_kind(self, kind: Kind | None, form: numbers.Form, text: str, at: int) -> Hole:
        if not _HOLE.fullmatch(text):
            raise Wrong(at, "a hole ends with '}'")
        hole = self.hole(text, at)
        if hole.kind is not kind:
            wanted = kind.value if kind else form.what
            raise Wrong(at, f"{hole} is a {hole.kind.value}; a {wanted} must stand here")
        return hole

    # Match ----------------------------------------------------------------------------------------

    def match(self, text: str, at: int) -> tuple[int | None, list[FieldMatch]]:
        """The part before actions=: the priority, None where it is not named, and the fields."""
        priority: int | None = None
        matches: list[FieldMatch] = []
        for word, start in _split(text, at, separators=", \t"):
            name, equals, value = word.partition("=")
            if name == "priority":
                priority = self._plain(value, 16, start + 9)
            elif name == "table":
                self._same_table(value, start)
            elif not equals and name in fields.SHORTHANDS:
                for field, number in fields.SHORTHANDS[name]:
                    _add(matches, FieldMatch(fields.FIELDS[field], number), start)
            else:
                _add(matches, self._field_match(name, value, start), start)
        _require_all(matches, at)
        return priority, matches

    def _plain(self, text: str, bits: int, at: int) -> int:
        value = self.operand(numbers.DECIMAL, None, bits, text, at)
        assert isinstance(value, int)
        return value

    def _same_table(self, text: str, at: int) -> None:
        if self._plain(text, 8, at + 6) != self.table:
            raise Wrong(
                at, f"this line stands in table {self.table}; leave 'table=' out, or move it"
            )

    def _field_match(self, name: str, text: str, at: int) -> FieldMatch:
        field = fields.find(name)
        if field is None:
            known = [*fields.FIELDS, *fields.ALIASES, *fields.SHORTHANDS, "priority"]
            raise Wrong(at, f"unknown field '{name}'{did_you_mean(name, known)}")
        start = at + len(name) + 1
        if not text:
            raise Wrong(at, f"{name} needs a value: {name}={field.form.example}")
        value, slash, mask = text.partition("/")
        operand = self.operand(field.form, field.kind, field.bits, value, start)
        if not slash:
            return FieldMatch(field, operand)
        return self._masked(field, operand, mask, start + len(value) + 1)

    def _masked(self, field: Field, operand: Operand, text: str, at: int) -> FieldMatch:
        if not field.maskable:
            raise Wrong(at - 1, f"{field.name} takes no mask: it matches whole or not at all")
        if field.form is numbers.IPV4 and text.isdigit() and int(text) <= 32:
            mask = (0xFFFFFFFF << (32 - int(text))) & 0xFFFFFFFF
        else:
            mask = self._mask_number(field, text, at)
        if mask == field.limit - 1:
            return FieldMatch(field, operand)
        if isinstance(operand, int) and operand & ~mask:
            raise Wrong(at, "the value has bits outside the mask: it could never match")
        return FieldMatch(field, operand, mask)

    def _mask_number(self, field: Field, text: str, at: int) -> int:
        mask = self.operand(field.form, None, field.bits, text, at)
        if not isinstance(mask, int):
            raise Wrong(at, "a mask is a plain number")
        return mask

    # Actions --------------------------------------------------------------------------------------

    def actions(
        self, text: str, at: int, tagged: bool = False
    ) -> tuple[tuple[AnyAction, ...], GotoTable | None]:
        """The part after actions=: the actions, and the table to go on in.

        `tagged`: the flow matches packets that have a VLAN tag. Where none is, mod_vlan_vid puts
        one first, as ovs-ofctl does.
        """
        self.tagged = tagged
        words = _split(text, at, separators=",")
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
        name = re.split(r"[:(]", word, maxsplit=1)[0]
        rest, start = word[len(name) :], at + len(name)
        if name in SETTERS:
            field = fields.FIELDS[SETTERS[name]]
            return SetField(field, self._argument(field.form, field.kind, field.bits, rest, start))
        if name in _READERS:
            return _READERS[name](self, rest, start)
        if not rest and name.upper() in numbers.RESERVED_PORTS:
            return Output(numbers.RESERVED_PORTS[name.upper()])
        if name == "drop":
            raise Wrong(at, "drop stands alone: the other actions would have no effect")
        known = [*_READERS, *SETTERS, *numbers.RESERVED_PORTS, "drop"]
        raise Wrong(at, f"unknown action '{name}'{did_you_mean(name, known)}")

    def _argument(
        self, form: numbers.Form, kind: Kind | None, bits: int, rest: str, at: int
    ) -> Operand:
        if not rest.startswith(":") or len(rest) < 2:
            raise Wrong(at, f"a {form.what} is missing here: ':{form.example}'")
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
        table = self._table(rest[1:], at + 1)
        if table <= self.table:
            raise Wrong(at + 1, f"goto_table only goes forward: {table} is not after {self.table}")
        return GotoTable(table)

    def _table(self, text: str, at: int) -> int:
        if text in self.tables:
            return self.tables[text]
        if text.isdigit() and int(text) in self.tables.values():
            return int(text)
        hint = did_you_mean(text, self.tables)
        raise Wrong(at, f"there is no table '{text}' in this file{hint}")

    def _resubmit(self, rest: str, at: int) -> Resubmit:
        found = re.fullmatch(r"\(\s*,\s*([\w]+)\s*\)", rest)
        if not found:
            raise Wrong(at, "resubmit names a table: resubmit(,20)")
        return Resubmit(self._table(found[1], at + found.start(1)))

    def _set_field(self, rest: str, at: int) -> SetField:
        text, field, _ = self._value_and_field(rest, at)
        value = self.operand(field.form, field.kind, field.bits, text, at + 1)
        # A tag from the topology is a bare number; a number in ovs-ofctl's text has the bit itself.
        tag = field.name == "vlan_vid" and isinstance(value, Hole)
        return SetField(field, value, fields.VLAN_PRESENT if tag else 0)

    def _load(self, rest: str, at: int) -> Load:
        value, _, target = self._value_and_field(rest, at)
        target_field = self.subfield(target, at + 1 + len(value) + 2)
        kind = target_field.field.kind if target.endswith("[]") else None
        form = numbers.HEX if kind is None else target_field.field.form
        if not value.startswith("{"):
            form = numbers.HEX
        return Load(self.operand(form, kind, target_field.width, value, at + 1), target_field)

    def _value_and_field(self, rest: str, at: int) -> tuple[str, Field, str]:
        value, arrow, target = rest[1:].partition("->")
        if not rest.startswith(":") or not arrow:
            raise Wrong(at, "write VALUE->FIELD after the colon: set_field:2->arp_op")
        start = at + 1 + len(value) + 2
        return value, self.subfield(target, start).field, target

    def _move(self, rest: str, at: int) -> Move:
        source, arrow, target = rest[1:].partition("->")
        if not rest.startswith(":") or not arrow:
            raise Wrong(at, "write FIELD->FIELD after the colon: move:arp_sha[]->arp_tha[]")
        ends = self.subfield(source, at + 1), self.subfield(target, at + 1 + len(source) + 2)
        if ends[0].width != ends[1].width:
            raise Wrong(at + 1, f"{ends[0].width} bits cannot move to {ends[1].width}")
        return Move(*ends)

    def subfield(self, text: str, at: int) -> Subfield:
        """FIELD, FIELD[], FIELD[3] or FIELD[0..11]."""
        found = re.fullmatch(r"(\w+)(?:\[(?:(\d+)(?:\.\.(\d+))?)?\])?", text)
        if not found:
            raise Wrong(
                at, f"'{text}' is not a field, nor bits of one such as NXM_OF_VLAN_TCI[0..11]"
            )
        field = fields.find(found[1])
        if field is None:
            known = [*fields.FIELDS, *fields.ALIASES]
            raise Wrong(at, f"unknown field '{found[1]}'{did_you_mean(found[1], known)}")
        whole = Subfield(field, 0, 0).whole
        first = int(found[2] or 0)
        last = int(found[3] or found[2] or whole - 1)
        if not first <= last < whole:
            raise Wrong(at, f"{found[1]} has the bits 0..{whole - 1}")
        return Subfield(field, first, last - first + 1)

    def _learn(self, rest: str, at: int) -> Learn:
        if not (rest.startswith("(") and rest.endswith(")")):
            raise Wrong(at, "learn has its parts in parentheses: learn(table=20,…)")
        settings: list[tuple[str, int]] = []
        parts: list[LearnMatch | LearnLoad | LearnOutput] = []
        for word, start in _split(rest[1:-1], at + 1, separators=","):
            name, equals, value = word.partition("=")
            if equals and name in _LEARN_SETTINGS:
                settings.append((name, self._learn_setting(name, value, start + len(name) + 1)))
            else:
                parts.append(self._learn_part(word, start))
        return Learn(tuple(settings), tuple(parts))

    def _learn_setting(self, name: str, value: str, at: int) -> int:
        if name == "table":
            return self._table(value, at)
        return self._plain(value, _LEARN_SETTINGS[name], at)

    def _learn_part(self, word: str, at: int) -> LearnMatch | LearnLoad | LearnOutput:
        if word.startswith("output:"):
            return LearnOutput(self.subfield(word[7:], at + 7))
        if word.startswith("load:"):
            value, _, target = word[5:].partition("->")
            end = self.subfield(target, at + 5 + len(value) + 2)
            return LearnLoad(self._learn_source(value, end, at + 5), end)
        target, equals, value = word.partition("=")
        end = self.subfield(target, at)
        return LearnMatch(
            end, self._learn_source(value, end, at + len(target) + 1) if equals else end
        )

    def _learn_source(self, text: str, target: Subfield, at: int) -> Subfield | int:
        if text[:1].isdigit():
            return self._plain(text, target.width, at)
        return self.subfield(text, at)


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


def _split(text: str, at: int, separators: str) -> list[tuple[str, int]]:
    """The words of a text with where each starts; separators within parentheses or braces do not
    part.
    """
    words: list[tuple[str, int]] = []
    start, depth = 0, 0
    for position, character in enumerate(text + separators[0]):
        depth += (character in "({") - (character in ")}")
        if depth == 0 and character in separators:
            word = text[start:position]
            if word.strip():
                words.append((word.strip(), at + start + len(word) - len(word.lstrip())))
            start = position + 1
    if depth > 0:
        raise Wrong(at + max(text.rfind("("), text.rfind("{")), "this is opened and never closed")
    return words


def _tagged_after(action: AnyAction, tagged: bool) -> bool:
    if isinstance(action, PopVlan):
        return False
    return tagged or isinstance(action, PushVlan | ModVlanVid)


def _add(matches: list[FieldMatch], match: FieldMatch, at: int) -> None:
    same = [each for each in matches if each.field is match.field]
    if same and same != [match]:
        raise Wrong(at, f"{match.field.name} is matched twice, with different values")
    if not same:
        matches.append(match)


def _require_all(matches: list[FieldMatch], at: int) -> None:
    present = {(each.field.name, each.value) for each in matches if each.mask is None}
    for each in matches:
        wanted = each.field.requires
        if wanted and not any(set(alternative) <= present for alternative in wanted):
            words = " or ".join(_shorthand(alternative) for alternative in wanted)
            raise Wrong(at, f"{each.field.name} is only in some packets: match {words} as well")


def _shorthand(pairs: tuple[tuple[str, int], ...]) -> str:
    exact = [word for word, fields_ in fields.SHORTHANDS.items() if set(fields_) == set(pairs)]
    return exact[0] if exact else ",".join(f"{name}={value:#x}" for name, value in pairs)
