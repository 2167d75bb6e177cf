"""Resolve YAML's merge keys: `<<: *other`, or `<<: [*one, *other]`.

A mapping's own keys go before merged ones, an earlier mapping's before a later one's. It works on
nodes, which have each key's and value's location in the text. It is bounded: a short text cannot
merge without end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import yaml

Pair = tuple[yaml.Node, yaml.Node]
Wrong = Callable[[yaml.Node, str], None]
"""Adds a problem at a node."""

MAX_MERGED = 300_000
"""The most pairs that are merged in one document."""
MAX_DEPTH = 100
"""The most levels of merged mappings that merge others themselves."""


def is_merge(key: yaml.Node) -> bool:
    """Whether a key is `<<`, and not in quotes."""
    return isinstance(key, yaml.ScalarNode) and key.value == "<<" and not key.style


def _name(key: yaml.Node) -> str | int:
    """The value by which keys are compared; a list or mapping, invalid as key, equals no other."""
    return key.value if isinstance(key, yaml.ScalarNode) else id(key)


class Unreadable(Exception):
    """A problem at a node prevents reading the whole document."""

    def __init__(self, node: yaml.Node, message: str) -> None:
        super().__init__(message)
        self.node = node


class Merger:
    """The pairs of mappings; each is merged once."""

    def __init__(self, wrong: Wrong) -> None:
        self._wrong = wrong
        self._known: dict[int, list[Pair]] = {}
        self._open: list[int] = []
        self._left = MAX_MERGED

    def pairs(self, node: yaml.MappingNode) -> list[Pair]:
        """All keys and values of a mapping, without `<<`: its own first. May raise Unreadable."""
        if not any(is_merge(key) for key, _ in node.value):
            return list(node.value)
        if id(node) not in self._known:
            self._open.append(id(node))
            self._known[id(node)] = list(self._merge(node))
            self._open.pop()
        return self._known[id(node)]

    def _merge(self, node: yaml.MappingNode) -> Iterator[Pair]:
        merges = [pair for pair in node.value if is_merge(pair[0])]
        own = [pair for pair in node.value if not is_merge(pair[0])]
        yield from own
        seen = {_name(key) for key, _ in own}
        for key, _ in merges[1:]:
            line = merges[0][0].start_mark.line + 1
            self._wrong(key, f"'<<' is already on line {line}; write one: <<: [*one, *other]")
        for source in self._sources(merges[0][1]):
            pairs = self.pairs(source)
            self._left -= len(pairs)
            if self._left < 0:
                message = f"more than {MAX_MERGED} keys are merged; write less by '<<'"
                raise Unreadable(source, message)
            # A key that one source has twice is merged twice: it is a mistake in that source.
            yield from [pair for pair in pairs if _name(pair[0]) not in seen]
            seen.update(_name(key) for key, _ in pairs)

    def _sources(self, value: yaml.Node) -> Iterator[yaml.MappingNode]:
        """The mappings that are merged, as far as they can be."""
        for each in value.value if isinstance(value, yaml.SequenceNode) else [value]:
            if not isinstance(each, yaml.MappingNode):
                self._wrong(each, "is no mapping, which '<<' takes; write <<: *NAME")
            elif id(each) in self._open:
                raise Unreadable(each, "contains itself by an alias; write it out")
            elif len(self._open) > MAX_DEPTH:
                raise Unreadable(each, "merges what merges others, too deeply; write it out")
            else:
                yield each
