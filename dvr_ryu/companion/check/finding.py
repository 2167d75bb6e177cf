"""One line of `dvr companion check`: the subject, the observation, the advice."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, auto

from attrs import frozen
from rich.table import Table

from dvr_ryu.errors import DONE, WRONG_INPUT
from dvr_ryu.tables import table


class Verdict(Enum):
    """PASS: as it should be. WARN: may be in the way. FAIL: it cannot work so."""

    PASS = auto()
    WARN = auto()
    FAIL = auto()


@frozen
class Finding:
    """`advice` is the remedy, if there is one."""

    what: str
    verdict: Verdict
    seen: str
    advice: str = ""


def passes(what: str, seen: str) -> Finding:
    """A finding of the desired state."""
    return Finding(what, Verdict.PASS, seen)


def warns(what: str, seen: str, advice: str) -> Finding:
    """A finding that may be in the way."""
    return Finding(what, Verdict.WARN, seen, advice)


def fails(what: str, seen: str, advice: str) -> Finding:
    """A finding that is in the way."""
    return Finding(what, Verdict.FAIL, seen, advice)


def line(finding: Finding) -> str:
    """A finding as a line of a log."""
    advice = f"; {finding.advice}" if finding.advice else ""
    return f"{finding.verdict.name} {finding.what}: {finding.seen}{advice}"


def exit_code(found: Iterable[Finding]) -> int:
    """The exit code of `dvr companion check`: a warning is no error."""
    wrong = any(each.verdict is Verdict.FAIL for each in found)
    return WRONG_INPUT if wrong else DONE


def render(found: Iterable[Finding]) -> Table:
    """The findings as a table for people."""
    rows = ((each.what, each.verdict.name, each.seen, each.advice) for each in found)
    return table(("what", "", "seen", "what to do"), rows)


def summary(found: Iterable[Finding]) -> str:
    """The verdict on all, in one line."""
    counts = {verdict: 0 for verdict in Verdict}
    for each in found:
        counts[each.verdict] += 1
    if not counts[Verdict.FAIL] and not counts[Verdict.WARN]:
        return "this machine is ready"
    counted = ", ".join(f"{counts[v]} {v.name}" for v in (Verdict.FAIL, Verdict.WARN) if counts[v])
    ready = "not ready" if counts[Verdict.FAIL] else "ready"
    return f"this machine is {ready}: {counted}"
