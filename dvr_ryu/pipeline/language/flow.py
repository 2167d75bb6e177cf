"""One flow as a value: table, priority, match and actions, with or without holes; and its text."""

from __future__ import annotations

from typing import Any

from attrs import evolve, field, frozen

from dvr_ryu.errors import Location
from dvr_ryu.pipeline.language.actions import Action, GotoTable
from dvr_ryu.pipeline.language.cookie import COOKIE
from dvr_ryu.pipeline.language.field_match import FieldMatch
from dvr_ryu.pipeline.language.fields import SHORTHANDS
from dvr_ryu.pipeline.language.settings import Settings


@frozen(cache_hash=True)
class Flow:
    """A flow. `sentence` gives its purpose. Sentences, locations and the order of the match's
    fields do not matter for equality.
    """

    table: int
    priority: int
    match: tuple[FieldMatch, ...] = field(eq=frozenset)
    actions: tuple[Action, ...]
    goto: GotoTable | None = None
    settings: Settings = field(factory=Settings)
    sentence: str = field(default="", eq=False)
    location: Location | None = field(default=None, eq=False)

    def __str__(self) -> str:
        """The flow as `ovs-ofctl add-flows` reads it."""
        tokens = [*self.settings.tokens(), f"table={self.table}", f"priority={self.priority}"]
        tokens += self.match_tokens()
        actions = [str(action) for action in (*self.actions, *filter(None, [self.goto]))]
        return f"{','.join(tokens)} actions={','.join(actions) or 'drop'}"

    def __lt__(self, other: Flow) -> bool:
        """By table, then by decreasing priority."""
        return self._order() < other._order()

    def _order(self) -> tuple[int, int, str]:
        return self.table, -self.priority, str(self)

    def installed(self) -> str:
        """The flow as it is on a switch: with its own cookie, or ours."""
        return str(evolve(self, settings=evolve(self.settings, cookie=self.cookie)))

    @property
    def cookie(self) -> int:
        """The cookie that marks the flow on a switch."""
        return COOKIE if self.settings.cookie is None else self.settings.cookie

    @property
    def drops(self) -> bool:
        """Whether packets that match it go nowhere."""
        return not self.actions and self.goto is None

    def match_tokens(self) -> list[str]:
        """The match as ovs-ofctl prints it, with `arp` in place of dl_type=0x0806 and so on."""
        whole = {(each.field.name, each.value) for each in self.match if each.mask is None}
        short, covered = "", set[Any]()
        for token, pairs in SHORTHANDS.items():
            if set(pairs) <= whole and len(pairs) > len(covered):
                short, covered = token, set(pairs)
        rest = [str(each) for each in self.match if (each.field.name, each.value) not in covered]
        return [short, *rest] if short else rest
