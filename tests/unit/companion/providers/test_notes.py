"""Notes that a full disk, a crash or a person has spoiled: with any content, all other notes are
read, one line reports it, and a rewritten note is read again.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dvr_ryu.lab.wait import wait_until
from dvr_ryu.source.file import FileSnapshot
from tests.unit.topology.files import topology_file

GOOD = {
    "dhcp/qdhcp-1.book": '{"host": "h1", "network": "n", "ranges": [["10.1.0.5", "10.1.0.9"]]}\n',
    "dhcp/qdhcp-1.leases": "1795525447 fa:16:3e:0f:67:d3 10.1.0.77 b 01:fa:16:3e:0f:67:d3\n",
    "dhcp/qdhcp-1.hosts": "fa:16:3e:0f:67:d3,10.1.0.12,b\n",
    "dhcp/qdhcp-1.hosts.told": "fa:16:3e:0f:67:d3,10.1.0.12,b\n",
    "dhcp/qdhcp-1.options": "tag:n,option:router,10.1.0.1\n",
    "dhcp/qdhcp-1.options.told": "tag:n,option:router,10.1.0.1\n",
    "renewals/udhcpc-a": "vm-a 8f00b204 h1\n",
    "translations/qrouter-1": "2.2.2.2 10.1.0.12\n2.2.2.3 10.1.0.13 tcp 80-81 8080-8081\n",
    "sysctls/net.ipv4.ip_forward": "0\n",
    "sysctls/net.ipv4.conf.all.rp_filter": "0\n",
    "namespaces/qrouter-1": "",
    "processes/dnsmasq-qdhcp-1.pid": "1\n",
    "ending": "dnsmasq-qdhcp-1\n",
    "flows/br-int": "table=3,priority=1 actions=drop\n",
    "flows_before/br-int": "table=3,priority=1 actions=drop\n",
    "topology.yaml": topology_file() + "# as it was\n",
    "companion.json": '{"state": "applied", "topology": "abc"}\n',
}
"""Every kind of note, in the run directory."""
FILES_OF_PROGRAMS = ("dhcp/qdhcp-1.leases", "processes/dnsmasq-qdhcp-1.pid")
"""Files that their writers replace, not the companion."""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """The run directory of a companion whose modules are loaded for it alone."""
    ours = {name: each for name, each in sys.modules.items() if _is_loaded_anew(name)}
    for name in ours:
        del sys.modules[name]
    made = Path(tempfile.mkdtemp())
    try:
        # First: modules that import it name their files after the directory.
        paths = importlib.import_module("dvr_ryu.companion.paths")
        paths.RUN_DIRECTORY = str(made)  # type: ignore[attr-defined]
        yield made
    finally:
        for name in [name for name in sys.modules if _is_loaded_anew(name)]:
            del sys.modules[name]
        sys.modules.update(ours)
        for name, each in ours.items():  # an import sets the package's attribute, too
            package, _, module = name.rpartition(".")
            setattr(sys.modules[package], module, each)
        shutil.rmtree(made)


def _is_loaded_anew(name: str) -> bool:
    return name.startswith(("dvr_ryu.companion", "dvr_ryu.lab"))


def _provider(name: str) -> Any:
    return importlib.import_module(f"dvr_ryu.companion.providers.{name}")


def _found(module: str, provider: str) -> Any:
    """The resources that a provider reads if it reads only notes."""
    look = _provider("provider").Look
    its = getattr(_provider(module), provider)()
    return its.read(look((), [its]))


def _books() -> Any:
    return _found("dnsmasq.leases", "LeaseBooks")


def _stale() -> list[Any]:
    return [*_provider("dnsmasq.leases").stale(_books(), {})]


def _readers(folder: Path) -> dict[str, Callable[[], Any]]:
    """All readers of notes, by the notes that they read."""
    version = FileSnapshot(topology_file().encode(), "topology.yaml").version
    memory = importlib.import_module("dvr_ryu.companion.upkeep.memory")
    readiness = importlib.import_module("dvr_ryu.lab.services.readiness")

    class Host:
        def path(self, path: str) -> Path:
            return Path(path)

    def applied() -> bool:
        goal = object.__new__(readiness.Goal)
        object.__setattr__(goal, "version", "abc")
        return bool(goal.companion_has_applied(Host()))

    flows, processes = _provider("ovs_ofctl.flows"), _provider("processes.processes")
    return {
        "dhcp": lambda: {*_found("dnsmasq.servers", "DnsmasqLines")},
        "leases": lambda: {*_books(), *_stale()},
        "listed": lambda: {*_provider("dnsmasq.leases").listed()},
        "renewals": lambda: {*_provider("processes.renewals").noted()},
        "translations": lambda: {*_provider("netlink.conntrack").read()},
        "sysctls": lambda: {each.key for each in _found("kernel.sysctls", "RestoredSysctls")},
        "namespaces": lambda: {*_provider("netlink.namespaces").read()},
        "processes": lambda: {resource.name for resource in processes._read(())},
        "pid": lambda: {*processes._known("dnsmasq-qdhcp-1")},
        "flows": lambda: {*flows._noted(flows.NOTES, "br-int")} if flows.waiting() else set(),
        "flows before": lambda: {*flows._noted(flows.NOTES_BEFORE, "br-int")},
        "memory": lambda: {memory.remembered(version) is not None},
        "state": lambda: {applied()},
    }


def _read(folder: Path) -> dict[str, Any]:
    return {name: read() for name, read in _readers(folder).items()}


def test_all_of_them_are_read(whole: Path) -> None:
    assert {name for name, found in _read(whole).items() if not found} == {"namespaces", "pid"}


def _directory(path: Path) -> None:
    path.mkdir()
    (path / "inside").write_text("x")


def _link_to(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


def _saying(data: bytes) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        path.write_bytes(data)

    return spoil


WRONG_WORDS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
).map(lambda note: json.dumps(note).encode())
WRONG_TYPES = st.sampled_from(
    [
        b'{"host": 5, "network": [], "ranges": [["a", "b"]]}',
        b'{"host": "h", "network": "n", "ranges": [["10.1.0.5", null]]}',
        b'{"state": {}, "topology": "abc"}',
        b"[" * 100_000,
        b"tag:n\n",
        b"2.2.2.2 10.1.0.12 tcp x y\n",
        b"2.2.2.2 10.1.0.12 icmp 1 1\n",
        b"9" * 5000 + b" fa:16:3e:0f:67:d3 10.1.0.77 b c\n",
        b"99999999999999 fa:16:3e:0f:67:d3 10.1.0.77 b c\n",
        b"1 fa:16:3e:0f:67:d3 10.1.0.777 b c\n",
        b"hosts: {h1: 3}\n",
    ]
)
SPOILS = st.one_of(
    st.sampled_from(
        [_directory, os.mkfifo, _link_to("nowhere"), _link_to("."), _saying(b""), _saying(b"\t")]
    ),
    st.binary(max_size=40).map(_saying),
    st.text(max_size=40).map(lambda text: _saying(text.encode("utf-8", "surrogatepass"))),
    WRONG_WORDS.map(_saying),
    WRONG_TYPES.map(_saying),
    st.integers(1, 40).map(lambda cut: lambda path: os.truncate(path, min(cut, len(_was(path))))),
)


def _was(path: Path) -> bytes:
    return next(text for name, text in GOOD.items() if str(path).endswith(name)).encode()


@pytest.fixture
def whole(folder: Path) -> Path:
    """The directory with all notes intact."""
    _write(folder)
    _read(folder)
    _provider("notes").news()
    return folder


def _write(folder: Path) -> None:
    for each in folder.iterdir():
        if each.is_dir():
            shutil.rmtree(each)
        else:
            each.unlink()
    for name, text in GOOD.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)


@settings(max_examples=100, deadline=None)
@given(name=st.sampled_from([*GOOD]), spoil=SPOILS)
def test_whatever_is_in_a_notes_place_is_told_and_nothing_else_is_lost(
    folder: Path, name: str, spoil: Callable[[Path], None]
) -> None:
    files = _provider("notes")
    _write(folder)
    before = _read(folder)
    assert files.news() == []
    path = folder / name
    if spoil in (_directory, os.mkfifo) or "_link_to" in spoil.__qualname__:
        path.unlink()
    spoil(path)
    spoiled = _read(folder)
    assert len(files.news()) <= 1
    concerned = {each for each in before if before[each] != spoiled[each]}
    assert concerned <= {"dhcp", "leases", "listed"} or len(concerned) == 1
    assert _read(folder) == spoiled
    assert files.news() == []
    if name not in FILES_OF_PROGRAMS:
        files.replace(path, GOOD[name])
        assert _read(folder) == before
        assert files.news() == []
    files.remove(path)
    assert not os.path.lexists(path)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("dhcp/qdhcp-1.book", "it is empty"),
        ("renewals/udhcpc-a", "it is empty"),
        ("dhcp/qdhcp-1.leases", "it is no text"),
        ("topology.yaml", "Is a directory"),
    ],
)
def test_one_line_tells_which_note_and_why(whole: Path, name: str, reason: str) -> None:
    files, path = _provider("notes"), whole / name
    path.unlink()
    contents = {"it is empty": b"", "it is no text": b"\xff"}
    if reason in contents:
        path.write_bytes(contents[reason])
    else:
        path.mkdir()
    _read(whole)
    assert files.news() == [f"{path} cannot be read: {reason}; it counts as not there"]


def test_leases_that_nobody_can_read_are_taken_out(whole: Path) -> None:
    leases = _provider("dnsmasq.leases")
    path = whole / "dhcp/qdhcp-1.leases"
    path.write_bytes(b"\xff\xfe")
    leases.StaleLeases().remove(_stale())
    assert path.read_bytes() == b""
    assert _books() and not _stale()


@pytest.mark.parametrize("spoil", [_saying(b"x"), _link_to("nowhere"), _link_to("renewals")])
def test_what_is_in_a_folders_place_makes_room(whole: Path, spoil: Callable[[Path], None]) -> None:
    files = _provider("notes")
    for folder in ("renewals", "unfinished"):
        shutil.rmtree(whole / folder, ignore_errors=True)
        spoil(whole / folder)
    assert _read(whole)["renewals"] == set()
    files.folder(whole / "renewals")
    files.replace(whole / "renewals" / "udhcpc-a", "vm-a 1 h1\n")
    assert len(_read(whole)["renewals"]) == 1


def test_what_cannot_be_written_is_named_and_the_old_stays(
    whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may write any file: a limit of this process's file size has the same effect."""
    files, path = _provider("notes"), whole / "companion.json"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    heeded = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
        with pytest.raises(files.Unwritable, match=rf"cannot write {path}: File too large"):
            files.replace(path, "x" * 100)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, heeded)
    assert path.read_text() == GOOD["companion.json"]
    assert not any((whole / "unfinished").iterdir())


def test_a_process_without_descriptors_does_not_take_notes_for_spoiled(whole: Path) -> None:
    files = _provider("notes")
    taken = []
    try:
        with pytest.raises(OSError, match="Too many open files"):
            while True:
                taken.append(os.dup(0))
        with pytest.raises(OSError, match="Too many open files"):
            files.text(whole / "companion.json")
    finally:
        for descriptor in taken:
            os.close(descriptor)
    assert files.news() == []


@pytest.mark.parametrize(
    ("note", "found"),
    [
        ('{"fail_mode": "secure"}', {"fail_mode": "secure"}),
        ("", {}),
        ("[1]", {}),
        ('{"fail_mode": 5}', {}),
        ('{"no_column": "x"}', {}),
    ],
)
def test_a_bridge_of_others_stays_theirs_whatever_its_note_says(
    note: str, found: dict[str, str]
) -> None:
    assert _provider("ovsdb.adopted").before({"external_ids": {"dvr_ryu_before": note}}) == found


@pytest.mark.parametrize("note", [None, "", "[", "[1]", "{}", '{"private_key": 5}'])
def test_what_tls_was_before_is_not_known_where_nobody_can_read_it(note: str | None) -> None:
    assert _provider("ovsdb.tls")._noted(note) is None


@pytest.mark.parametrize("spoil", [_directory, os.mkfifo, _saying(b""), _saying(b"\xff")])
def test_a_client_whose_lease_nobody_can_read_asks_again(
    whole: Path, spoil: Callable[[Path], None]
) -> None:
    """Otherwise a lost part of the lease on its card would go unnoticed."""
    renewals = _provider("processes.renewals")
    (whole / "leases").mkdir()
    spoil(whole / "leases" / "vm-a")
    os.utime(whole / "renewals" / "udhcpc-a", (0, 0))
    leased = renewals.leased()
    assert leased == {"vm-a": {"udhcpc-a": frozenset()}}
    assert [*renewals.lost(None, leased["vm-a"], {"eth0"})] == ["udhcpc-a"]


def test_a_lease_that_came_before_the_note_counts_as_an_answer(whole: Path) -> None:
    """Otherwise nothing of it could be lost before half of its time is over."""
    renewals = _provider("processes.renewals")
    kind = importlib.import_module("dvr_ryu.companion.resources.dhcp.renewal").Renewal
    (whole / "leases").mkdir(exist_ok=True)
    (whole / "leases" / "vm-b").write_text("ip=10.1.0.13/24\n")
    renewals.Renewals().make([kind("vm-b", "udhcpc-b", "8f00b204", "h1", ())])
    assert renewals.leased()["vm-b"] == {"udhcpc-b": frozenset({"ip=10.1.0.13/24"})}


def test_an_answer_is_younger_than_the_note_however_quickly_it_comes(
    whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the client would count as still asking, and never be asked again."""
    renewals = _provider("processes.renewals")
    kind = importlib.import_module("dvr_ryu.companion.resources.dhcp.renewal").Renewal
    (whole / "leases").mkdir(exist_ok=True)
    lease, clock = whole / "leases" / "vm-b", whole / "clock"
    clock.touch()

    def ticks() -> bool:
        """Let the clock of files tick once: it does so every few milliseconds."""
        lease.write_text("ip=10.1.0.13/24\n")
        return lease.stat().st_mtime_ns > clock.stat().st_mtime_ns

    def answer_at_once(client: str, number: int) -> None:
        clock.touch()
        wait_until(ticks, 10, "a tick")

    lease.write_text("ip=10.1.0.13/24\n")
    renewals.Renewals().make([kind("vm-b", "udhcpc-b", "8f00b204", "h1", ())])
    assert renewals.leased().get("vm-b")
    monkeypatch.setattr(renewals, "signal_to", answer_at_once)
    renewals.Renewals().make([kind("vm-b", "udhcpc-b", "9a00b204", "h1", ())])
    assert renewals.leased()["vm-b"] == {"udhcpc-b": frozenset({"ip=10.1.0.13/24"})}
