"""Leases as dnsmasq writes them: read below any root, and distinguished."""

from __future__ import annotations

from pathlib import Path

from dvr_ryu.companion.change import change
from dvr_ryu.companion.providers.dnsmasq.leases import Lease, listed
from dvr_ryu.companion.resources.device import Device
from dvr_ryu.companion.resources.dhcp.files import DHCP_DIRECTORY
from dvr_ryu.companion.resources.dhcp.leases import LeaseBook, StaleLease
from dvr_ryu.companion.resources.process import Process
from dvr_ryu.lab.leases import shown
from dvr_ryu.lab.state import StateFolder

BOOK = LeaseBook("qdhcp-1", "h1", "blue", (("10.1.0.100", "10.1.0.199"),))
LEASES = """\
1795525447 fa:16:3e:0f:67:d3 10.1.0.12 b 01:fa:16:3e:0f:67:d3
0 fa:16:3e:0f:67:d4 10.1.0.100 * *
1795525448 fa:16:3e:0f:67:d3 10.1.0.1
"""


def host(root: Path, book: LeaseBook, leases: str, hosts: str) -> Path:
    folder = root / DHCP_DIRECTORY.lstrip("/")
    folder.mkdir(parents=True)
    files = {"book": book.text, "leases": leases, "hosts": hosts, "hosts.told": hosts}
    for end, text in files.items():
        (folder / f"{book.namespace}.{end}").write_text(text)
    return root


def test_a_book_is_what_its_text_says() -> None:
    assert LeaseBook.of_text(BOOK.namespace, BOOK.text) == BOOK


def test_who_has_what_and_a_line_that_is_just_being_written_is_left_out(tmp_path: Path) -> None:
    root = host(tmp_path, BOOK, LEASES, "fa:16:3e:0f:67:d3,10.1.0.12,b\n")
    assert list(listed(root)) == [
        Lease("h1", "blue", "fa:16:3e:0f:67:d3", "10.1.0.12", "b", 1795525447),
        Lease("h1", "blue", "fa:16:3e:0f:67:d4", "10.1.0.100", "", 0),
    ]
    nowhere = StateFolder(tmp_path / "no lab")
    assert [lease.ip for lease in shown(nowhere, root)] == ["10.1.0.12", "10.1.0.100"]


def test_where_nothing_is_there_are_no_leases(tmp_path: Path) -> None:
    assert shown(StateFolder(tmp_path / "no lab"), tmp_path) == []


def test_a_stale_lease_goes_by_itself_only_while_its_book_stays() -> None:
    """Otherwise its server, which ends, would be started again for it."""
    server = Process("dnsmasq-qdhcp-1", BOOK.namespace, ("dnsmasq",), ("device", "", "tap1"))
    stale = StaleLease(BOOK.namespace, "fa:16:3e:0f:67:d3", "10.1.0.12", server)
    holds = (BOOK, Device("", "tap1", None, None, None, ()), server, stale)
    gone = [resource for step in change((), holds).removals for resource in step]
    assert stale not in gone and {BOOK, server} <= set(gone)
    (step,) = change(holds[:-1], holds).removals
    assert step == (stale,)
