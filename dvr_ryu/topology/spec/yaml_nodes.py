"""Parse YAML text to plain data, with the location of every key and value in the text.

Scalars are strict: a plain one is an integer (decimal, or hex with 0x), true, false, null, or else
text. So a MAC is never a sexagesimal number, `on` never a truth and 1.10 never 1.1. This module
does not know topologies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml
from attrs import frozen

from dvr_ryu.errors import FileError, Location, Problem
from dvr_ryu.topology.spec.text_file import lines_of, require_printable
from dvr_ryu.topology.spec.yaml_merge import Merger, Pair, Unreadable, Wrong

Path = tuple[Any, ...]
"""From the top of the data down: keys of mappings and indices of lists."""

MAX_DEPTH = 100
"""The deepest nesting of lists and mappings: libyaml recurses, and would overrun the C stack."""
MAX_REPEATED = 300_000
"""The most values that aliases may repeat: a few lines can name more than any memory holds."""

_INTEGER = re.compile("[-+]?(?:0|[1-9][0-9]{0,17})|0x[0-9a-fA-F]{1,16}")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
_TAG = "tag:yaml.org,2002:"
_UNTAGGED = {_TAG + "str", _TAG + "seq", _TAG + "map"}


# libyaml's loader where PyYAML was built with it. Neither resolves scalars: that is done below.
_FastestLoader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


class _Loader(_FastestLoader):  # type: ignore[misc]
    """Composes nodes, and counts the depth: the composer calls its resolver at each step."""

    depth = 0

    def descend_resolver(self, parent: yaml.Node | None, _index: Any) -> None:
        self.depth += 1
        if parent is not None and self.depth > MAX_DEPTH:
            raise yaml.MarkedYAMLError(problem="nested too deeply", problem_mark=parent.start_mark)

    def ascend_resolver(self) -> None:
        self.depth -= 1


class Document:
    """One YAML document: its locations and its `data`: dict, list, str, int, bool and None.

    Keys are text. The problems of a text that can be read completely are in `problems`.
    """

    def __init__(self, text: str, file: str) -> None:
        """Raise FileError if the text is not YAML, or too large."""
        self._text = _Text(text, file)
        self._children: dict[int, dict[Any, tuple[yaml.Node | None, yaml.Node]]] = {}
        self._root = self._text.compose()
        self.problems: dict[Problem, None] = {}
        """Each once, though an alias repeats it."""
        wrong = _Notes(self._text, self.problems)
        self._merger = Merger(wrong)
        try:
            self.data = _Reader(self._merger, wrong).read(self._root)
        except Unreadable as unreadable:
            wrong(unreadable.node, str(unreadable))
            raise FileError(self.problems) from None

    def at(self, path: Path) -> Any:
        """The data at `path`."""
        found = self.data
        for step in path:
            found = found[step]
        return found

    def value(self, path: Path) -> Location:
        """The location of the value at `path`, or of the deepest value on the way to it."""
        return self._text.location(self._nodes(path)[1])

    def key(self, path: Path) -> Location:
        """The location of the key that leads to the value at `path`; in a list, of the value."""
        key, value = self._nodes(path)
        return self._text.location(key or value)

    def _nodes(self, path: Path) -> tuple[yaml.Node | None, yaml.Node]:
        found: tuple[yaml.Node | None, yaml.Node] = (None, self._root)
        for step in path:
            below = self._below(found[1])
            if step not in below:
                break
            found = below[step]
        return found

    def _below(self, node: yaml.Node) -> dict[Any, tuple[yaml.Node | None, yaml.Node]]:
        """Key or index → the nodes of key and value; read once for each node asked about."""
        if id(node) not in self._children:
            self._children[id(node)] = dict(self._children_of(node))
        return self._children[id(node)]

    def _children_of(
        self, node: yaml.Node
    ) -> Iterator[tuple[Any, tuple[yaml.Node | None, yaml.Node]]]:
        if isinstance(node, yaml.MappingNode):
            # Backwards: of a key that is there twice, the first is the one that was read.
            for key, value in reversed(self._merger.pairs(node)):
                yield key.value, (key, value)
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                yield index, (None, value)


def scalar(node: yaml.ScalarNode) -> str | int | bool | None:
    """The value of a scalar: text if it is quoted or has no other type's syntax."""
    text: str = node.value
    if node.style:  # quoted or a block
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text, 16 if text.startswith("0x") else 10)
    return text


def written(text: str) -> str:
    """A word in a file's syntax: in quotes, if it would otherwise be a number or no text."""
    plain = scalar(yaml.ScalarNode(f"{_TAG}str", text))
    return text if isinstance(plain, str) else f'"{text}"'


class _Text:
    """The text of a file and its lines."""

    def __init__(self, text: str, file: str) -> None:
        self.text = text.removeprefix("\ufeff")
        self.file = file
        self._lines: list[str] | None = None

    def at(self, line: int, column: int) -> Location:
        """The location that YAML counts from 0; past the end, the end."""
        if self._lines is None:
            self._lines = lines_of(self.text)
        if line >= len(self._lines):
            line, column = len(self._lines) - 1, len(self._lines[-1])
        return Location(self.file, line + 1, column + 1, self._lines[line])

    def location(self, node: yaml.Node) -> Location:
        """The location of a node's first character."""
        return self.at(node.start_mark.line, node.start_mark.column)

    def compose(self) -> yaml.Node:
        """The node tree of the only document; FileError where there is not exactly one."""
        require_printable(self.text, self.file)
        try:
            root = yaml.compose(self.text, _Loader)
        except yaml.MarkedYAMLError as error:
            raise self._not_yaml(error) from None
        if root is None:
            raise self._wrong(self.at(0, 0), "is empty; write at least hosts and their addresses")
        return root

    def _not_yaml(self, error: yaml.MarkedYAMLError) -> FileError:
        mark = error.problem_mark or error.context_mark
        location = self.at(mark.line, mark.column) if mark else self.at(0, 0)
        if location.source[location.column - 1 : location.column] == "\t":
            return self._wrong(location, "a tab where YAML allows only blanks; indent with blanks")
        if "single document" in str(error.context):
            return self._wrong(location, "a second document begins here; write one, without '---'")
        context = f"{error.context} " if error.context else ""
        if mark and error.context_mark and error.context_mark.line != mark.line:
            context += f"that begins on line {error.context_mark.line + 1} "
        return self._wrong(
            location, f"is not YAML: {context}{error.problem}; look here and at the line above"
        )

    def _wrong(self, location: Location, message: str) -> FileError:
        return FileError([Problem(location, message)])


@frozen
class _Notes:
    """Collects the problems of nodes. It refers to no document: that would be a cycle."""

    text: _Text
    problems: dict[Problem, None]

    def __call__(self, node: yaml.Node, message: str) -> None:
        self.problems[Problem(self.text.location(node), message)] = None


class _Reader:
    """Turns nodes into data and reports features that our documents may not use."""

    def __init__(self, merger: Merger, wrong: Wrong) -> None:
        self._merger = merger
        self._wrong = wrong
        self._done: dict[int, Any] = {}
        self._sizes: dict[int, int] = {}
        """The number of values in a node, with all repetitions by aliases."""
        self._repeated = 0
        self._open: set[int] = set()

    def read(self, node: yaml.Node) -> Any:
        """The data of a node. A node that aliases repeat is read once and shared."""
        if node.tag not in _UNTAGGED:
            self._wrong(node, f"'{node.tag}' is a tag, which is not read here; remove it")
        if isinstance(node, yaml.ScalarNode):
            return scalar(node)
        if id(node) in self._open:
            raise Unreadable(node, "contains itself by an alias; write it out")
        if id(node) in self._done:
            self._repeated += self._sizes[id(node)]
            if self._repeated > MAX_REPEATED:
                message = f"is repeated until there are more than {MAX_REPEATED} values"
                raise Unreadable(node, f"{message}; write fewer aliases")
            return self._done[id(node)]
        self._open.add(id(node))
        if isinstance(node, yaml.MappingNode):
            pairs = self._merger.pairs(node)
            self._done[id(node)] = self._mapping(pairs)
            below = [value for _, value in pairs]
        else:
            below = node.value
            self._done[id(node)] = [self.read(each) for each in below]
        self._open.remove(id(node))
        self._sizes[id(node)] = 1 + sum(self._sizes.get(id(each), 1) for each in below)
        return self._done[id(node)]

    def _mapping(self, pairs: list[Pair]) -> dict[str, Any]:
        data: dict[str, Any] = {}
        lines: dict[str, int] = {}
        for key_node, value_node in pairs:
            value = self.read(value_node)
            key = self._key(key_node)
            if key in data:
                message = f"'{key}' is already on line {lines[key]}; merge or rename one"
                self._wrong(key_node, message)
                continue
            lines[key] = key_node.start_mark.line + 1
            data[key] = value
        return data

    def _key(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise Unreadable(node, "is a list or mapping where a key must stand; write a word")
        if not isinstance(scalar(node), str):
            self._wrong(node, f"'{node.value}' as a key is not text to YAML; write it in quotes")
        text: str = node.value
        return text
