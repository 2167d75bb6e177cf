"""A bridge's record goes through its connections; its times are those of changes."""

from __future__ import annotations

import pytest

from dvr_ryu.switch.guard.identity import BridgeName, Peer
from dvr_ryu.switch.record import MOST_CHANGES, BridgeRecord, Records

PEER = Peer("10.0.0.1", 1234)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr("time.time", lambda: now[0])
    return now


def test_its_times_are_those_of_changes(clock: list[float]) -> None:
    record = BridgeRecord()
    assert (record.peer, record.since, record.in_sync_since) == (None, 100.0, None)
    clock[0] = 110.0
    record.connected(PEER)
    record.synced(7, "in sync: 7 flows", ["+flow"], True)
    clock[0] = 120.0
    record.synced(7, "in sync: 7 flows, nothing to change", [], False)
    assert (record.peer, record.since, record.in_sync_since) == (PEER, 110.0, 110.0)
    clock[0] = 130.0
    record.disconnected("has said nothing for 45 s")
    assert (record.peer, record.since, record.in_sync_since) == (None, 130.0, None)
    clock[0] = 140.0
    record.connected(PEER)
    record.synced(7, "in sync: 7 flows, nothing to change", [], False)
    assert record.in_sync_since == 140.0
    assert (record.error, record.error_time) == ("has said nothing for 45 s", 130.0)


def test_a_closed_connection_is_no_error() -> None:
    record = BridgeRecord()
    record.disconnected("")
    assert record.error == ""


def test_its_changes_are_bounded() -> None:
    record = BridgeRecord()
    for number in range(2 * MOST_CHANGES):
        record.synced(number, str(number), [], True)
    assert [each.summary for each in record.changes] == [
        str(number) for number in range(MOST_CHANGES, 2 * MOST_CHANGES)
    ]


def test_bridges_of_other_hosts_are_forgotten() -> None:
    records = Records()
    kept, gone = (records.of(BridgeName(host, "br-int")) for host in ("h1", "h2"))
    records.retain({"h1"})
    assert records.of(BridgeName("h1", "br-int")) is kept
    assert records.of(BridgeName("h2", "br-int")) is not gone
