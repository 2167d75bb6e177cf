"""What the checks found: problems with their places, one at a place. Pure."""

from __future__ import annotations

from collections.abc import Collection, Hashable

from attrs import frozen

from dvr_ryu.errors import Location, Problem
from dvr_ryu.topology.spec.yaml_nodes import Document, Path


class Findings:
    """Problems of a document. Of several at one place the first stays: the rest follow from it."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._by_location: dict[Location, Problem] = {}

    @property
    def problems(self) -> list[Problem]:
        """All that was found, in no order."""
        return list(self._by_location.values())

    def names(self, section: str) -> Collection[str] | None:
        """The names in a section of the document, also of what cannot be read; None if there is no
        telling.
        """
        objects = self._document.data.get(section)
        return objects.keys() if isinstance(objects, dict) else () if objects is None else None

    def at_value(self, path: Path, message: str) -> None:
        """Something is wrong with the value at a path of the document."""
        self._add(self._document.value(path), message)

    def at_key(self, path: Path, message: str) -> None:
        """Something is wrong with the key that leads to a path."""
        self._add(self._document.key(path), message)

    def at(self, claim: Claim, message: str) -> None:
        """Something is wrong with what a claim claims."""
        self._add(self.location(claim), message)

    def location(self, claim: Claim) -> Location:
        """Where the file makes a claim."""
        find = self._document.key if claim.by_key else self._document.value
        return find(claim.path)

    def _add(self, location: Location, message: str) -> None:
        self._by_location.setdefault(location, Problem(location, message))


@frozen
class Claim:
    """Who has a value, and where the file says so; `by_key` if the path's last key is the value."""

    who: str
    path: Path
    by_key: bool = False


def already(what: str) -> str:
    """What `Unique` says of a thing that another has."""
    return f"{{value}} is already the {what} of {{other}} (line {{line}}); take another"


class Unique:
    """Values that only one may have. Of two claims the later one in the file is wrong."""

    def __init__(self, findings: Findings, template: str) -> None:
        """`template` is the message, with {value}, {other} (the first claim), {line} (its line)."""
        self._findings = findings
        self._template = template
        self._claims: dict[Hashable, Claim] = {}

    def claim(self, value: Hashable, claim: Claim, shown: object = None) -> None:
        """Note who has a value; a finding if another has it. `shown` is what messages call it."""
        earlier = self._claims.setdefault(value, claim)
        if earlier is not claim:
            self._claims[value] = self._clash(earlier, claim, value if shown is None else shown)

    def refuse(self, value: Hashable, claim: Claim) -> None:
        """A finding if another has the value; the claim itself is not noted."""
        if value in self._claims:
            self._clash(self._claims[value], claim, value)

    def _clash(self, one: Claim, two: Claim, shown: object) -> Claim:
        """Say what is wrong at the later of two claims; return the earlier."""
        first, second = sorted((one, two), key=self._findings.location)
        line = self._findings.location(first).line
        message = self._template.format(value=shown, other=first.who, line=line)
        self._findings.at(second, message)
        return first
