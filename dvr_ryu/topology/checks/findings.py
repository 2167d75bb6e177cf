"""Collect the problems that the checks find, one for each location. Pure."""

from __future__ import annotations

from collections.abc import Collection, Hashable

from attrs import frozen

from dvr_ryu.errors import Location, Problem
from dvr_ryu.topology.spec.yaml_nodes import Document, Path


class Findings:
    """Problems of a document. Of several at one location the first stays: it causes the rest."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._by_location: dict[Location, Problem] = {}

    @property
    def problems(self) -> list[Problem]:
        """All problems, in no order."""
        return list(self._by_location.values())

    def names(self, section: str) -> Collection[str] | None:
        """The names in a section of the document, also of unreadable objects; None if they are not
        known.
        """
        objects = self._document.data.get(section)
        return objects.keys() if isinstance(objects, dict) else () if objects is None else None

    def at_value(self, path: Path, message: str) -> None:
        """Add a problem of the value at a path of the document."""
        self._add(self._document.value(path), message)

    def at_key(self, path: Path, message: str) -> None:
        """Add a problem of the key that leads to a path."""
        self._add(self._document.key(path), message)

    def at(self, claim: Claim, message: str) -> None:
        """Add a problem of a claim."""
        self._add(self.location(claim), message)

    def location(self, claim: Claim) -> Location:
        """The location of a claim in the file."""
        find = self._document.key if claim.by_key else self._document.value
        return find(claim.path)

    def _add(self, location: Location, message: str) -> None:
        self._by_location.setdefault(location, Problem(location, message))


@frozen
class Claim:
    """The owner of a value, and the path in the file; `by_key` if its last key is the value."""

    who: str
    path: Path
    by_key: bool = False


def already(what: str) -> str:
    """The template of `Unique` for a thing that another owner has."""
    return f"{{value}} is already the {what} of {{other}} (line {{line}}); take another"


class Unique:
    """Values that only one owner may have. Of two claims the later one in the file is wrong."""

    def __init__(self, findings: Findings, template: str) -> None:
        """`template` is the message, with {value}, {other} (the first claim), {line} (its line)."""
        self._findings = findings
        self._template = template
        self._claims: dict[Hashable, Claim] = {}

    def claim(self, value: Hashable, claim: Claim, shown: object = None) -> None:
        """Note the owner of a value; add a problem if another has it. Messages print `shown`."""
        earlier = self._claims.setdefault(value, claim)
        if earlier is not claim:
            self._claims[value] = self._clash(earlier, claim, value if shown is None else shown)

    def refuse(self, value: Hashable, claim: Claim) -> None:
        """Add a problem if another has the value; do not note the claim."""
        if value in self._claims:
            self._clash(self._claims[value], claim, value)

    def _clash(self, one: Claim, two: Claim, shown: object) -> Claim:
        """Add a problem at the later of two claims; return the earlier."""
        first, second = sorted((one, two), key=self._findings.location)
        line = self._findings.location(first).line
        message = self._template.format(value=shown, other=first.who, line=line)
        self._findings.at(second, message)
        return first
