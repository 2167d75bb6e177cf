"""Follow a packet through netfilter's chains: every end that it may come to. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from attrs import frozen

from dvr_ryu.companion.check.firewall.rules import Action, BaseChain, Field, Packet, Rule


@frozen
class Drop:
    """The rule by which a packet is lost in a base chain, or its policy."""

    chain: BaseChain
    rule: Rule | None
    certain: bool
    """False if that depends on something that nobody here knows."""


def drop_of(base: BaseChain, packet: Packet) -> Drop | None:
    """Where a base chain drops a packet; None if it accepts the packet."""
    ends = [*_Walk(base, packet).ends(base.name)]
    lost = [rule for action, rule in ends if _is_lost(base, action)]
    if not lost:
        return None
    certain = len(lost) == len(ends) and base.devices is not None
    return Drop(base, lost[0], certain)


def first_drop(bases: Iterable[BaseChain], hooks: Sequence[str], packet: Packet) -> Drop | None:
    """Where a packet is lost that passes these hooks in turn: first where that is certain."""
    passed = [base for base in bases if base.hook in hooks and _is_on_the_way(base, packet)]
    passed.sort(key=lambda base: hooks.index(base.hook))
    drops = [drop for base in passed if (drop := drop_of(base, packet))]
    return next((each for each in drops if each.certain), drops[0] if drops else None)


def _is_on_the_way(base: BaseChain, packet: Packet) -> bool:
    return not base.devices or packet.get(Field.IN) in (None, *base.devices)


def _is_lost(base: BaseChain, action: Action | None) -> bool:
    return base.drops if action is None else action is Action.DROP


class _Walk:
    """One packet's way. An end is an action with its rule, or None and None: the chain's end."""

    def __init__(self, base: BaseChain, packet: Packet) -> None:
        self._chains = base.chains
        self._packet = packet if base.sees_connections else {**packet, Field.STATE: "invalid"}
        self._known: dict[str, tuple[tuple[Action | None, Rule | None], ...]] = {}

    def ends(self, chain: str) -> tuple[tuple[Action | None, Rule | None], ...]:
        """All ends that are possible; each chain is walked once."""
        if chain not in self._known:
            self._known[chain] = ()  # the kernel refuses loops
            self._known[chain] = tuple(dict.fromkeys(self._walk(chain)))
        return self._known[chain]

    def _walk(self, chain: str) -> Iterator[tuple[Action | None, Rule | None]]:
        for rule in self._chains.get(chain, ()):
            fits = rule.fits(self._packet)
            if fits is False:
                continue
            stays = fits is None
            match rule.action:
                case Action.ACCEPT | Action.DROP:
                    yield rule.action, rule
                case Action.RETURN:
                    yield None, None
                case Action.GOTO:
                    yield from self.ends(rule.target)
                case Action.JUMP:
                    ends = self.ends(rule.target)
                    yield from (end for end in ends if end[0] is not None)
                    stays = stays or (None, None) in ends
            if not stays:
                return
        yield None, None
