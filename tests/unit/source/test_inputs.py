"""When the controller reads its inputs again, and what of them it reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from dvr_ryu.errors import FileError
from dvr_ryu.source.inputs import InputReader
from dvr_ryu.topology.loading import Declaration, parse_topology
from dvr_ryu.topology.spec.text_file import Unreadable
from tests.unit.topology.files import topology_file

FLOWS = "table 0 ONLY\n  miss: {action}\n"
NAMES = ["one", "two", "three"]


class Store:
    """A source without a file: it has objects, and is told when they change."""

    name = "store"

    def __init__(self) -> None:
        self.text: str | None = topology_file()
        self.has_changed = True

    def save(self, text: str | None) -> None:
        self.text, self.has_changed = text, True

    def read(self) -> Store:
        if self.text is None:
            raise Unreadable("the store does not answer")
        return self

    @property
    def version(self) -> str:
        return str(hash(self.text))

    def declaration(self, before: Declaration | None = None) -> Declaration:
        assert self.text is not None
        return Declaration(self.text, self.name, before)

    def changed(self) -> bool:
        changed, self.has_changed = self.has_changed, False
        return changed

    def watch(self, changed: object) -> str:
        return ""

    def end(self) -> None:
        pass


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def flows(tmp_path: Path) -> Path:
    file = tmp_path / "br-tun.flows"
    file.write_text(FLOWS.format(action="drop"))
    return file


@pytest.fixture
def reader(store: Store, flows: Path) -> InputReader:
    return InputReader(store, flows.parent)


def _wait(reader: InputReader) -> None:
    """A change is due in the second look at it."""
    assert not reader.due()
    assert reader.due()


def test_both_are_read_at_first(reader: InputReader) -> None:
    assert reader.taken.declaration.topology == parse_topology(topology_file(), "t.yaml")
    assert [*reader.taken.pipelines.by_bridge] == ["br-tun"]
    assert not reader.due() and not reader.due()


def test_any_source_serves(reader: InputReader, store: Store) -> None:
    hosts = [f"{name}: {{address: 10.0.0.{at}}}" for at, name in enumerate(NAMES, 1)]
    store.save(f"hosts: {{{', '.join(hosts)}}}")
    _wait(reader)
    read = reader.read()
    assert [*read.declaration.hosts] == NAMES
    assert read.pipelines is reader.taken.pipelines, "only the topology was edited"
    reader.take(read)
    assert reader.taken is read and not reader.due()


def test_a_change_is_not_read_before_it_comes_to_rest(
    reader: InputReader, store: Store, flows: Path
) -> None:
    store.save("hosts: {one: {address: 10.0.0.1}, two: {address: 10.0.0.2}}")
    assert not reader.due()
    flows.write_text(FLOWS.format(action="flood"))
    assert not reader.due()
    assert reader.due()


def test_flows_that_were_bad_once_are_read_again_with_the_next_topology(
    reader: InputReader, store: Store, flows: Path
) -> None:
    flows.write_text(FLOWS.format(action="flod"))
    _wait(reader)
    with pytest.raises(FileError, match="flod"):
        reader.read()
    assert not reader.due(), "a bad save is due once"
    store.save(topology_file() + "# Mine.\n")
    _wait(reader)
    with pytest.raises(FileError, match="flod"):
        reader.read()
    flows.write_text(FLOWS.format(action="flood"))
    _wait(reader)
    assert reader.read().pipelines is not reader.taken.pipelines


def test_what_cannot_be_read_is_due_until_it_can(reader: InputReader, store: Store) -> None:
    store.save(None)
    _wait(reader)
    for _ in range(2):
        with pytest.raises(Unreadable):
            reader.read()
        assert reader.due()
    store.text = topology_file()
    assert reader.read().declaration.hosts
    assert not reader.due()
