"""The companion and a real OVSDB: it sees the changes of ovs-vsctl, its transactions are complete
when it returns, and a server that refuses or does not answer gives an error for people.
"""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from dvr_ryu.companion.providers.ovsdb import database as databases
from dvr_ryu.companion.providers.ovsdb.bridges import Ovsdb
from dvr_ryu.companion.providers.ovsdb.database import Database
from dvr_ryu.companion.providers.ovsdb.watch import OvsdbWatch
from dvr_ryu.companion.resources.openvswitch.bridge import Bridge
from dvr_ryu.companion.resources.openvswitch.port import OvsPort
from dvr_ryu.errors import HostError
from dvr_ryu.lab.wait import wait_until
from tests.switch.support.ovs import SCHEMA, Ovs

BRIDGE = Bridge("br-int", {"datapath_type": "dummy", "fail_mode": "secure"}, {})
PORT = OvsPort("br-int", "qr-1", "qrouter-1", 7, {"type": "internal", "mtu_request": "1450"})


@pytest.fixture
def database(ovs: Ovs) -> Iterator[Database]:
    with closing(Database(path=f"{ovs.folder}/db.sock")) as database:
        yield database


@pytest.fixture
def ovsdb(database: Database, monkeypatch: pytest.MonkeyPatch) -> Ovsdb:
    """A connection with a short timeout."""
    monkeypatch.setattr(databases, "SECONDS", 1)
    monkeypatch.setattr(databases, "ANSWER_SECONDS", 2)
    return Ovsdb("h1", database)


@contextmanager
def watched(ovs: Ovs) -> Iterator[threading.Event]:
    """The event that a watch with a database of its own sets at each change."""
    changed = threading.Event()
    with closing(Database(changed.set, f"{ovs.folder}/db.sock")) as database:
        watch = OvsdbWatch(database, changed.set)
        watch.start()
        wait_until(changed.is_set, 10, "the first connection")
        try:
            yield changed
        finally:
            watch.end()
            watch.join(10)
            assert not watch.is_alive()


def ports_of(ovsdb: Ovsdb) -> list[OvsPort]:
    return ovsdb.read(())[1]


def test_what_it_makes_others_see_and_what_others_make_it_sees(ovs: Ovs, ovsdb: Ovsdb) -> None:
    ovsdb.make_bridges([BRIDGE])
    ovsdb.make_ports([PORT])
    assert ovs.vsctl("get", "Port", "qr-1", "tag", "interfaces").startswith("7\n[")
    assert ovs.vsctl("get", "Interface", "qr-1", "ofport").strip().isdigit()  # it is made
    assert ports_of(ovsdb) == [PORT]
    ovs.vsctl("set", "Port", "qr-1", "tag=8", "--", "add-port", "br-int", "other")
    bridges, ports, others = ovsdb.read(())
    assert [bridge.name for bridge in bridges] == ["br-int"]
    assert [port.tag for port in ports] == [8]
    assert [(each.what, each.name) for each in others] == [("port", "other")]
    ovs.vsctl("del-port", "qr-1")
    assert ports_of(ovsdb) == []


def test_rows_of_others_stay(ovs: Ovs, ovsdb: Ovsdb) -> None:
    ovs.vsctl("add-br", "theirs", "--", "add-port", "theirs", "q", "tag=3")
    listing = ("--columns=name,tag,external_ids", "--format=json", "list", "Port")
    before = json.loads(ovs.vsctl(*listing))["data"]
    ovsdb.make_bridges([BRIDGE])
    ovsdb.make_ports([PORT])
    assert len(json.loads(ovs.vsctl(*listing))["data"]) == len(before) + 2
    ovsdb.remove_ports([PORT])
    ovsdb.remove_bridges([BRIDGE])
    assert sorted(json.loads(ovs.vsctl(*listing))["data"]) == sorted(before)


FORBIDDEN: tuple[tuple[dict[str, object], str], ...] = (
    ({"fail_mode": ["sec"]}, "constraint violation: sec is not one of the allowed values"),
    ({"name": 5}, "expected string, got <class 'int'>"),
    ({"no_such": []}, "unknown column no_such of table Bridge"),
)


def test_a_value_that_the_schema_forbids_is_refused(ovsdb: Ovsdb, database: Database) -> None:
    ovsdb.make_bridges([BRIDGE])
    for columns, wrong in FORBIDDEN:
        with (
            pytest.raises(HostError, match=f"OVSDB did not take a change: .*{wrong}"),
            database.transaction() as transaction,
        ):
            (bridge,) = transaction.replica.rows("Bridge")
            transaction.update("Bridge", bridge, {"mcast_snooping_enable": True})
            transaction.update("Bridge", bridge, columns)
    (found,), _, _ = ovsdb.read(())
    assert found.settings["mcast_snooping_enable"] == "false"


def test_what_the_server_refuses_changes_nothing(ovsdb: Ovsdb, database: Database) -> None:
    ovsdb.make_bridges([BRIDGE])
    with (
        pytest.raises(HostError, match="did not take a change: constraint violation: Transaction"),
        database.transaction() as transaction,
    ):
        again = transaction.insert("Bridge", {"name": "br-int"})
        switch = transaction.replica.switch.uuid
        transaction.add("Open_vSwitch", switch, "bridges", [again])
    with database.current() as replica:
        assert len(replica.rows("Bridge")) == 1
    ovsdb.make_ports([PORT])  # the connection is as good as before
    assert ports_of(ovsdb) == [PORT]


def test_a_port_that_open_vswitch_cannot_make_is_told_of(ovsdb: Ovsdb) -> None:
    ovsdb.make_bridges([BRIDGE])
    wrong = OvsPort("br-int", "qr-2", "", None, {"type": "no-such-type"})
    with pytest.raises(HostError, match="Open vSwitch cannot make port qr-2: "):
        ovsdb.make_ports([wrong])


def test_a_bridge_that_has_just_gone_gets_no_port(ovs: Ovs, ovsdb: Ovsdb) -> None:
    ovsdb.make_ports([PORT])
    assert ovs.vsctl("--bare", "--columns=name", "list", "Port").split() == []


def test_a_daemon_that_hangs_is_told_of(ovs: Ovs, ovsdb: Ovsdb) -> None:
    with stopped(ovs, "ovs-vswitchd"), pytest.raises(HostError, match="ovs-vswitchd has not done"):
        ovsdb.make_bridges([BRIDGE])
    with stopped(ovs, "ovsdb-server"):
        with pytest.raises(HostError, match="Open vSwitch does not answer any more: timed out"):
            ovsdb.read(())
        with pytest.raises(HostError, match=f"does not answer at {ovs.folder}/db.sock; start it: "):
            ovsdb.read(())
    ovsdb.await_switch()
    assert [bridge.name for bridge in ovsdb.read(())[0]] == ["br-int"]


@contextmanager
def stopped(ovs: Ovs, daemon: str) -> Iterator[None]:
    ovs.signal(daemon, signal.SIGSTOP)
    try:
        yield
    finally:
        ovs.signal(daemon, signal.SIGCONT)


def test_it_connects_anew_to_a_server_that_was_restarted(ovs: Ovs, ovsdb: Ovsdb) -> None:
    ovsdb.make_bridges([BRIDGE])
    with watched(ovs) as changed:
        changed.clear()
        ovs.stop()
        wait_until(changed.is_set, 10, "the loss")
        with pytest.raises(HostError, match="does not answer any more: OVSDB ended"):
            ovsdb.read(())
        with pytest.raises(HostError, match="does not answer at"):
            ovsdb.read(())
        changed.clear()
        ovs.start()
        wait_until(changed.is_set, 10, "the return")
        assert [bridge.name for bridge in ovsdb.read(())[0]] == ["br-int"]
        wait_until(lambda: quiet(changed), 10, "that it is quiet")
        ovs.vsctl("add-port", "br-int", "p")
        wait_until(changed.is_set, 10, "a port")


def quiet(changed: threading.Event) -> bool:
    changed.clear()
    return not changed.wait(0.2)


WATCHED = (
    "set Port br-int tag=4",
    "set Bridge br-int other_config:hwaddr=02:00:00:00:00:01",
    "set Interface br-int mtu_request=1400",
    "set-controller br-int tcp:127.0.0.1:1",
    "set-ssl /a /b /c",
    "del-br br-int",
)


def test_it_is_told_of_what_may_have_to_be_mended_and_of_no_more(ovs: Ovs, ovsdb: Ovsdb) -> None:
    ovsdb.make_bridges([BRIDGE])
    with watched(ovs) as changed:
        for arguments in WATCHED:
            wait_until(lambda: quiet(changed), 10, "that it is quiet")
            ovs.vsctl("set", "Open_vSwitch", ".", f"external_ids:probe={len(arguments)}")
            assert not changed.wait(0.2)
            ovs.vsctl(*arguments.split())
            wait_until(changed.is_set, 10, arguments)


@pytest.fixture
def bare(folder: Path) -> Iterator[Ovs]:
    """An Open vSwitch that a test starts itself."""
    ovs = Ovs(folder)
    try:
        yield ovs
    finally:
        ovs.stop()


def test_a_schema_that_lacks_a_column_is_told_of(folder: Path, bare: Ovs) -> None:
    schema = json.loads(Path(SCHEMA).read_text())
    del schema["tables"]["Port"]["columns"]["protected"]
    (folder / "old.ovsschema").write_text(json.dumps(schema))
    bare.start_database(f"{folder}/old.ovsschema")
    bare.run("ovs-vsctl", "--retry", "--no-wait", "init")
    with (
        closing(Database(path=f"{folder}/db.sock")) as database,
        pytest.raises(HostError, match="table Port of its database has no column protected"),
    ):
        Ovsdb("h1", database)


def test_a_database_that_is_not_set_up_yet_is_told_of(folder: Path, bare: Ovs) -> None:
    bare.start_database()
    wait_until((folder / "db.sock").exists, 10, "its socket")
    with (
        closing(Database(path=f"{folder}/db.sock")) as database,
        pytest.raises(HostError, match="has not set up its database yet"),
    ):
        Ovsdb("h1", database).read(())
