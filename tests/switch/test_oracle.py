"""The judge of flow lines classifies them: lines that agree, and lines that either side refuses."""

from __future__ import annotations

from tests.switch.support.oracle import Oracle
from tests.switch.support.ovs import Ovs


def test_lines_are_classified(ovs: Ovs):
    report = Oracle(ovs).judge(
        [
            "table=3,priority=5,in_port=p1 actions=output:patch-int",
            "arp actions=drop",
            "arp actions=NORMAL",
            "nonsense actions=drop",
            "priority=1 actions=resubmit(,0),output:nowhere",
        ]
    )
    assert len(report.agree) == 3, report
    assert list(report.both_refuse) == ["nonsense actions=drop"], report
    assert report.differ == report.refused == {}
