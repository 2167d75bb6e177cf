"""A report as plain data for programs. Its keys are stable: docs/json.rst describes them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dvr_ryu.errors import Location
from dvr_ryu.prove.attempt import Attempt
from dvr_ryu.prove.findings import Finding
from dvr_ryu.prove.groups import groups
from dvr_ryu.prove.proof import Report
from dvr_ryu.trace.network import Network
from dvr_ryu.trace.story.lines import story

Document = dict[str, Any]


def of_report(network: Network, report: Report, locations: Mapping[int, Location]) -> Document:
    """The document of a report; `locations` has those of the lines of `expect:`."""
    return {
        "holds": report.holds,
        "classes": report.classes,
        "tried": report.tried,
        "instances": report.instances,
        "findings": [
            {
                **_finding(network, group.example),
                "alike": [_attempt(each.attempt) for each in group.findings[1:]],
            }
            for group in groups(report.findings)
        ],
        "expect": [
            {
                **_finding(network, finding),
                "file": locations[index].file,
                "line": locations[index].line,
            }
            for index, finding in report.wrong_lines
        ],
    }


def _finding(network: Network, finding: Finding) -> Document:
    return {
        "fault": finding.kind.name.lower(),
        "packet": _attempt(finding.attempt),
        "text": finding.text,
        "way": [each.text for each in story(network, finding.trace)],
    }


def _attempt(attempt: Attempt) -> Document:
    return {
        "from": attempt.source,
        "to": attempt.target,
        "port": str(attempt.service) if attempt.service else None,
        "kind": attempt.kind.value.lower(),
        "size": attempt.size,
    }
