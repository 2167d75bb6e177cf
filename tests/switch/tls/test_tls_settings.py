"""Open vSwitch's TLS settings in a real database: the companion and its script set ours, and
restore those of others.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import closing

import pytest

from dvr_ryu.companion.change import change
from dvr_ryu.companion.providers.ovsdb.database import Database
from dvr_ryu.companion.providers.ovsdb.tls import TlsTable
from dvr_ryu.companion.resources.openvswitch.tls import SwitchTls
from dvr_ryu.companion.script import script
from tests.switch.support.ovs import Ovs

OURS = SwitchTls(
    {
        "private_key": "/etc/dvr_ryu/pki/h1-privkey.pem",
        "certificate": "/etc/dvr_ryu/pki/h1-cert.pem",
        "ca_cert": "/etc/dvr_ryu/pki/controllerca.pem",
        "bootstrap_ca_cert": "false",
    }
)
RENEWED = SwitchTls({**OURS.settings, "certificate": "/srv/a b/h1-cert.pem"})
THEIRS = (
    '--bootstrap set-ssl "/etc/their key.pem" /etc/cert.pem /etc/ca.pem'
    " -- set SSL . external_ids:whose=others"
)


@pytest.fixture
def table(ovs: Ovs) -> Iterator[TlsTable]:
    with closing(Database(path=f"{ovs.folder}/db.sock")) as database:
        yield TlsTable("h1", database)


def shell(ovs: Ovs, command: str) -> None:
    subprocess.run(["sh", "-ec", command], env=ovs.environment, check=True)


def rows(ovs: Ovs) -> list[dict[str, object]]:
    """All rows in OVSDB's JSON, without columns that are unique for each row."""
    found = json.loads(ovs.vsctl("--format=json", "list", "SSL"))
    rows = [dict(zip(found["headings"], row, strict=True)) for row in found["data"]]
    return [{name: row[name] for name in row if name != "_uuid"} for row in rows]


def change_by(method: str, ovs: Ovs, table: TlsTable, wanted: SwitchTls | None) -> None:
    """Bring the database to the desired settings, by the companion or by its script."""
    found, _ = table.read(wanted is not None)
    needed = change([wanted] if wanted else [], found)
    if method == "script":
        lines = "\n".join(script(needed, "h1")).partition("set -e\n")[2]
        shell(ovs, lines.partition("\n")[2])
    elif needed.made:
        table.make(needed.made)  # type: ignore[arg-type]
    else:
        table.remove(found)


@pytest.mark.parametrize("method", ("companion", "script"))
def test_earlier_settings_are_noted_and_restored(method: str, ovs: Ovs, table: TlsTable) -> None:
    shell(ovs, f"ovs-vsctl {THEIRS}")
    before = rows(ovs)
    assert table.read(wanted=False) == ([], [])
    for wanted in (OURS, RENEWED):
        change_by(method, ovs, table, wanted)
        ((found,), (foreign,)) = table.read(wanted=True)
        assert found == wanted
        assert (foreign.what, foreign.name) == ("tls", "/etc/their key.pem")
        assert len(rows(ovs)) == 1
    change_by(method, ovs, table, None)
    assert rows(ovs) == before


@pytest.mark.parametrize("method", ("companion", "script"))
def test_where_nothing_was_nothing_is_left(method: str, ovs: Ovs, table: TlsTable) -> None:
    change_by(method, ovs, table, OURS)
    assert table.read(wanted=False) == ([OURS], [])
    change_by(method, ovs, table, None)
    assert rows(ovs) == []


def test_both_ways_write_the_same(ovs: Ovs, table: TlsTable) -> None:
    shell(ovs, f"ovs-vsctl {THEIRS}")
    written = []
    for method in ("companion", "script"):
        change_by(method, ovs, table, OURS)
        written.append(rows(ovs))
        change_by(method, ovs, table, None)
    assert written[0] == written[1]


def test_foreign_settings_over_ours_are_replaced_and_restored(ovs: Ovs, table: TlsTable) -> None:
    table.make([OURS])
    shell(ovs, f"ovs-vsctl {THEIRS}")
    theirs = rows(ovs)
    ((found,), _) = table.read(wanted=True)
    assert found != OURS
    table.make([OURS])
    assert table.read(wanted=True)[0] == [OURS]
    table.remove([OURS])
    assert rows(ovs) == theirs


def test_settings_of_another_host_are_not_ours_to_remove(ovs: Ovs, table: TlsTable) -> None:
    shell(ovs, f"ovs-vsctl {THEIRS} external_ids:dvr_ryu=h2")
    before = rows(ovs)
    table.remove([OURS])
    assert rows(ovs) == before
