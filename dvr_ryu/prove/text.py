"""Sets a report for people: each cause once, with a counterexample and its way. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from rich.console import Group as Rendered
from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from dvr_ryu.errors import printable
from dvr_ryu.prove.edits import Difference, Effect
from dvr_ryu.prove.groups import Found, Group, groups
from dvr_ryu.prove.proof import Report
from dvr_ryu.topology.wording import listed
from dvr_ryu.trace.network import Network
from dvr_ryu.trace.story.lines import story
from dvr_ryu.trace.story.text import render


def rendered(network: Network, findings: Iterable[Found], base: Path) -> RenderableType:
    """The findings. Paths of files below `base` are printed relative to it."""
    return _of_groups(network, groups(findings), base)


def rendered_report(network: Network, report: Report, base: Path) -> RenderableType:
    """The findings of a report, and each line of `expect:` that does not hold, apart: its author
    asks for it.
    """
    findings: tuple[Found, ...] = report.findings
    lines = [Group[Found](each.kind, (each,)) for _, each in report.wrong_lines]
    return _of_groups(network, [*groups(findings), *lines], base)


def _of_groups(network: Network, found: Iterable[Group[Found]], base: Path) -> RenderableType:
    parts: list[RenderableType] = []
    for number, group in enumerate(found):
        if number:
            parts.append(Text())
        parts += _of_group(network, group, base)
    return Rendered(*parts)


def _of_group(network: Network, group: Group[Found], base: Path) -> Iterator[RenderableType]:
    first, *others = group.findings
    many = f" ({len(group.findings)} kinds of packets)" if others else ""
    yield Text(f"{first.attempt}: {group.kind.value}{many}", style="bold red")
    yield Padding(Text(printable(first.text)), (0, 0, 0, 2))
    if others:
        alike = listed(each.attempt for each in others)
        yield Padding(Text(f"likewise: {alike}", style="dim"), (0, 0, 0, 2))
    yield Text()
    yield Padding(render(story(network, first.trace), base), (0, 0, 0, 4))


def summary(report: Report) -> str:
    """The overall verdict, in one line."""
    kinds = f"{report.classes} kinds of packets between {report.instances} instances"
    if report.holds:
        return f"all {kinds} go as the topology says"
    wrong = len({each.attempt.key for each in report.findings})
    lines = len(report.wrong_lines)
    parts = [f"{wrong} of {kinds}"] if wrong else []
    parts += [f"{lines} of the lines of expect:"] if lines else []
    return f"{' and '.join(parts)} do not go as the topology says"


def summary_of_edit(found: Sequence[Difference]) -> str:
    """What an edit would do, in one line."""
    if not found:
        return "the edit would cut nothing and open nothing"
    counts = Counter(each.kind for each in found)
    verbs = {Effect.CUT: "cut", Effect.OPENED: "open"}
    parts = [f"{verb} {counts[effect]}" for effect, verb in verbs.items() if counts[effect]]
    if rest := sum(counts[effect] for effect in (Effect.LED, Effect.SEEN)):
        parts.append(f"lead {rest} elsewhere")
    kinds = "kind of packet" if len(found) == 1 else "kinds of packets"
    return f"the edit would {', '.join(parts)} {kinds}"
