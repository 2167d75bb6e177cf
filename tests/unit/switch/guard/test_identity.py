"""Who may be a bridge of a host."""

from __future__ import annotations

from pathlib import Path

import pytest

from dvr_ryu.desired_state import DesiredState
from dvr_ryu.shipped import flows_dir
from dvr_ryu.source.file import FileSource
from dvr_ryu.source.inputs import InputReader
from dvr_ryu.switch.guard.identity import BridgeName, Peer, peer_of

HOSTS = """
hosts:
  one: {address: 10.0.0.1}
  two: {address: 10.0.0.2, management_address: 192.0.2.7}
  three: {address: 10.0.0.3, management_address: 192.0.2.7}
  four: {address: 10.0.0.4, management_address: 127.0.0.1}
"""


@pytest.fixture
def desired(tmp_path: Path) -> DesiredState:
    file = tmp_path / "topology.yaml"
    file.write_text(HOSTS)
    return DesiredState(InputReader(FileSource(file), flows_dir()))


@pytest.mark.parametrize(
    ("host", "address", "may"),
    [
        ("one", "10.0.0.1", True),
        ("one", "10.0.0.2", False),
        ("one", "127.0.0.1", False),
        ("one", "192.0.2.7", False),
        ("two", "10.0.0.2", True),
        ("two", "192.0.2.7", True),
        ("two", "10.0.0.3", False),
        ("three", "192.0.2.7", True),
        ("four", "127.0.0.1", True),
    ],
)
def test_a_bridge_comes_from_an_address_of_its_host(
    desired: DesiredState, host: str, address: str, may: bool
) -> None:
    objection = desired.objection(BridgeName(host, "br-int"), Peer(address, 4711))
    assert (objection is None) == may


def test_a_refusal_tells_what_to_do(desired: DesiredState) -> None:
    assert desired.objection(BridgeName("two", "br-int"), Peer("10.0.0.9", 4711)) == (
        "says that it is two/br-int, which connects from 10.0.0.2 or 192.0.2.7: refused; if it is, "
        "write management_address: 10.0.0.9 at the host two"
    )


@pytest.mark.parametrize(
    ("hosts", "may"), [({"one"}, True), ({"two", "one"}, True), ({"two"}, False), ((), False)]
)
def test_a_certificate_says_more_than_an_address(
    desired: DesiredState, hosts: set[str], may: bool
) -> None:
    for address in ("10.0.0.1", "10.0.0.9"):
        peer = Peer(address, 4711, frozenset(hosts))
        assert (desired.objection(BridgeName("one", "br-int"), peer) is None) == may


def test_an_address_is_the_same_on_a_socket_of_ipv6() -> None:
    assert str(peer_of(("10.0.0.1", 4711))) == "10.0.0.1:4711"
    assert peer_of(("::ffff:10.0.0.1", 4711)) == peer_of(("10.0.0.1", 4711))


def test_how_many_bridges_an_address_may_have(desired: DesiredState) -> None:
    expected = {
        address: desired.expected_from(address)
        for address in ("10.0.0.1", "192.0.2.7", "127.0.0.1", "10.0.0.9")
    }
    assert expected == {"10.0.0.1": 2, "192.0.2.7": 4, "127.0.0.1": 2, "10.0.0.9": 0}
