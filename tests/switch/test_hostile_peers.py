"""Peers that break the protocol, are silent, or send too much: each loses its connection and gets a
log line, and no other peer is affected.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bench.rig.openflow import FLOW_STATS
from bench.rig.relay import Relay
from dvr_ryu.switch.guard.repeats import PRINTED
from dvr_ryu.switch.peer_log import COMINGS
from dvr_ryu.topology.loading import load_topology
from tests import openflow_messages as of
from tests.switch.conftest import view_of
from tests.switch.support.controller import Controller
from tests.switch.support.ovs import Ovs
from tests.switch.support.peers import Peer, State
from tests.switch.test_sync import HOST, edit, in_sync

OTHER_BRIDGE = b"server-64/br-tun"


def malformed(version: int, xid: int) -> Iterator[tuple[str, State, bytes, str]]:
    """Name, state, message, and text of the log line about it."""

    def part(about: int, body: bytes = bytes(24), flags: int = 0) -> bytes:
        return of.multipart(version, about, xid, body, flags)

    # A1, A8
    for name, element in (("a HELLO", "0002"), ("a bitmap", "0001")):
        content = bytes.fromhex(f"0500000c00000001{element}0000")
        yield f"{name} of length 0", State.FRESH, content, "element of length 0"
    for number in (0, 1, 2, 7, 255):
        text = "the switch speaks" if number < 4 else "kind 5"
        more = b"" if number < 4 else of.message(version, 5, 1)
        yield f"HELLO of version {number}", State.FRESH, of.hello(number) + more, text
    # A2
    for about in (1, 4, 6, 7, 9, 10, 12, 13):
        yield f"multipart {about}", State.GREETED, part(about), "nobody asked for"
        text = "port description of length 0" if about == 13 else "nobody asked for"
        body = of.port(version, 1, b"x")[:4] + bytes(36)
        yield f"multipart {about} for ports", State.NAMED, part(about, body), text
    for kind in (15, 23, 27, 30, 31, 33):
        for state in (State.FRESH, State.GREETED, State.CHANGING, State.SETTLED):
            if kind < 30:
                name = f"kind {kind} {state.value}"
                yield name, state, of.message(version, kind, xid, bytes(8)), f"kind {kind}"
    # A3
    for length in (0, 1, 55, 65535):
        entry = of.flow_entry(length=length)
        yield (
            f"a flow of length {length}",
            State.READ,
            part(of.FLOWS, entry),
            "flow statistics with",
        )
    for length in (0, 3, 65535):
        entry = of.flow_entry(match_length=length)
        text = f"a match of length {length}"
        yield text, State.READ, part(of.FLOWS, entry), text
    cut = of.flow_entry()[:-4]
    yield "a cut flow", State.READ, part(of.FLOWS, cut), "an entry of length 56"
    barrier = of.message(version, of.BARRIER, xid)
    yield "a barrier reply for flows", State.READ, barrier, "barrier reply that nobody asked for"
    for state in (State.NAMED, State.READ, State.CHANGING, State.SETTLED):
        yield f"a short echo {state.value}", state, of.message(version, 2, 1, length=7), "length 7"


CASES = {name: (state, text) for name, state, _, text in malformed(5, 0)}


def test_each_malformed_message_costs_its_connection_and_a_line(
    ovs: Ovs, controller: Controller, topology_file: Path
) -> None:
    """One controller gets all of them while a real bridge is connected."""
    in_sync(controller, ovs, view_of(topology_file, HOST))
    for name, (state, text) in CASES.items():
        mark = controller.mark()
        with Peer(controller.port, OTHER_BRIDGE) as peer:
            peer.advance(state)
            content = next(
                each
                for other_name, _, each, _ in malformed(peer.version, peer.xid)
                if other_name == name
            )
            peer.send(content)
            peer.await_end()
        line = controller.wait_for(peer.address, mark)
        assert text in line, name
        assert "closed" in line, name
    assert_cares(ovs, controller, topology_file)
    assert tracebacks(controller) == []


def assert_cares(ovs: Ovs, controller: Controller, topology_file: Path) -> None:
    """A real bridge gets the change of an edit."""
    mark = controller.mark()
    text = topology_file.read_text()
    original, moved = "vm-68: {host: server-68,", "vm-68: {host: server-64,"
    edit(topology_file, *((original, moved) if original in text else (moved, original)))
    controller.wait_for(f"{HOST}/br-tun in sync", mark)


def tracebacks(controller: Controller) -> list[str]:
    return [line for line in controller.lines() if "Traceback" in line or "cannot deal" in line]


@pytest.mark.parametrize("version", [0, 1, 2, 3])
def test_the_switch_gets_an_error_about_a_missing_common_version(
    controller: Controller, version: int
) -> None:
    with Peer(controller.port) as peer:
        peer.send(of.hello(version))
        *_, error = peer.await_end()
    assert error.kind == of.ERROR and error.body[:4] == bytes(4)
    assert b"1.3 and 1.4" in error.body


def test_a_silent_peer_has_ten_seconds(controller: Controller) -> None:
    with ExitStack() as stack:
        states = (State.FRESH, State.GREETED, State.KNOWN)
        peers = [stack.enter_context(Peer(controller.port)) for _ in states]
        for peer, state in zip(peers, states, strict=True):
            peer.advance(state)
        for peer in peers:
            peer.await_end()
            controller.wait_for(f"{peer.address}: has not said what it is within 10 s")


def test_a_flood_of_silent_connections_takes_no_descriptor_from_a_bridge(
    ovs: Ovs, controller: Controller, topology_file: Path
) -> None:
    controller.kill()
    command = controller.command
    controller.command = ["sh", "-c", 'ulimit -n 64; exec "$@"', "sh", *command]
    controller.start()
    with ExitStack() as stack:
        for _ in range(58):
            stack.enter_context(Peer(controller.port))
        in_sync(controller, ovs, view_of(topology_file, HOST))
        for _ in range(200):
            stack.enter_context(Peer(controller.port))
        assert_cares(ovs, controller, topology_file)
    assert tracebacks(controller) == []
    assert len([line for line in controller.lines() if "gives way" in line]) <= PRINTED


def test_a_lost_listener_ends_the_process_with_a_code(folder: Path, controller: Controller) -> None:
    """Then systemd restarts it."""
    controller.kill()
    controller.command = [*controller.command, "tests.switch.support.deaf_app"]
    root = str(Path(__file__).parents[2])
    controller.environment["PYTHONPATH"] = root
    controller.start()
    assert controller.wait_for_end() == 1
    controller.wait_for("cannot listen any more")
    assert tracebacks(controller) == []


def test_a_bridges_description_cannot_forge_the_log(controller: Controller) -> None:
    forged = b"x\nserver-233/br-tun in sync: 54 flows\x1b[2J\xff"
    with Peer(controller.port, forged) as peer:
        peer.advance(State.KNOWN)
        peer.send(of.description(peer.version, peer.xid, forged))
        line = controller.wait_for("is no bridge of the topology")
    assert line.startswith("x\\nserver-233/br-tun in sync: 54 flows\\x1b[2J")
    assert not [line for line in controller.lines() if line.startswith("server-233")]


def memory(controller: Controller) -> int:
    """Its current memory in KiB."""
    status = Path(f"/proc/{controller.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def test_unawaited_errors_and_an_endless_answer_cost_no_memory(controller: Controller) -> None:
    with Peer(controller.port, OTHER_BRIDGE) as peer:
        peer.advance(State.SETTLED)
        before = memory(controller)
        for number in range(100):
            peer.send(b"".join(of.error(5, 1000 * number + at) for at in range(1000)))
        peer.echo()
        assert memory(controller) - before < 10_000
    with Peer(controller.port, OTHER_BRIDGE) as peer:
        peer.advance(State.NAMED)
        ports = b"".join(of.port(5, number, b"x") for number in range(1600))
        for _ in range(1000):
            peer.send(of.multipart(5, of.PORTS, peer.xid, ports, of.MORE))
        peer.await_end()
    controller.wait_for(f"{peer.address}: an answer about ports of more than")
    assert memory(controller) - before < 30_000


@pytest.mark.parametrize("state", [State.GREETED, State.SETTLED])
def test_a_peer_that_is_no_bridge_of_the_topology_may_not_say_much(
    controller: Controller, state: State
) -> None:
    """Many of them would take all the controller's time. Echoes of months are not too many."""
    with Peer(controller.port, b"nobody/br-int") as peer:
        if state == State.GREETED:
            peer.advance(state)
        else:
            peer.advance(State.KNOWN)
            peer.send(of.description(5, peer.xid, peer.description))
            controller.wait_for("nobody/br-int is no bridge of the topology")
        packet = of.message(5, of.PACKET_IN, 0, bytes(1000))
        for _ in range(40):
            peer.send(packet * 10)
        peer.await_end()
    controller.wait_for(f"{peer.address}: says more than it may")


def test_a_bridge_that_tells_of_ever_new_ports_is_let_go(controller: Controller) -> None:
    with Peer(controller.port, OTHER_BRIDGE) as peer:
        peer.advance(State.NAMED)
        for first in range(0, 80_000, 1000):
            peer.send(
                b"".join(
                    of.port_status(5, 0, 0, of.port(5, number, b"x"))
                    for number in range(first, first + 1000)
                )
            )
        peer.await_end()
    controller.wait_for(f"{peer.address}: tells of more than 65536")


def test_a_peer_that_reads_nothing_is_let_go(controller: Controller) -> None:
    """It would otherwise hold a slot in a queue for ever."""
    with Peer(controller.port, OTHER_BRIDGE) as peer:
        peer.advance(State.SETTLED)
        peer.socket.settimeout(1)
        echo = of.message(5, of.ECHO_REQUEST, 1, bytes(4096))
        try:
            while True:
                peer.socket.sendall(echo * 16)
        except TimeoutError:
            pass
        line = controller.wait_for(f"{peer.address}: ", patience=50)
    assert "takes nothing" in line or "said nothing" in line


def test_a_flood_of_bad_connections_is_a_few_lines(controller: Controller) -> None:
    for _ in range(300):
        with Peer(controller.port) as peer:
            peer.send(bytes.fromhex("0500000c0000000100020000"))
            peer.await_end()
    assert len([line for line in controller.lines() if "element of length 0" in line]) <= PRINTED


# Peers that may be a switch -----------------------------------------------------------------------


def test_a_second_claim_is_refused_and_logged_with_both_addresses(
    ovs: Ovs, controller: Controller, topology_file: Path
) -> None:
    in_sync(controller, ovs, view_of(topology_file, HOST))
    with Peer(controller.port, f"{HOST}/br-tun".encode()) as peer:
        peer.advance(State.KNOWN)
        peer.send(of.description(5, peer.xid, peer.description))
        peer.await_end()
    line = controller.wait_for(f"{peer.address}: says that it is {HOST}/br-tun, as 127.0.0.1:")
    assert "which answers: refused" in line
    assert_cares(ovs, controller, topology_file)


def test_a_claim_from_another_address_is_refused_until_the_file_names_it(
    ovs: Ovs, controller: Controller, topology_file: Path
) -> None:
    """It is accepted again once the other one is gone."""
    address = "    management_address: 127.0.0.1\n"
    text = topology_file.read_text()
    mark = controller.mark()
    topology_file.write_text(text.replace(address, ""))
    controller.wait_for("topology ", mark)
    ovs.add_bridge("br-tun", f"{HOST}/br-tun", {}, controller.target)
    line = controller.wait_for(f"says that it is {HOST}/br-tun, which connects from 10.0.44.233")
    assert "write management_address: 127.0.0.1 at the host server-233" in line
    assert ovs.flows("br-tun") == []
    mark = controller.mark()
    topology_file.write_text(text)
    controller.wait_for(f"{HOST}/br-tun in sync", mark)
    filled = ovs.flows("br-tun")
    mark = controller.mark()
    topology_file.write_text(text.replace(address, ""))
    controller.wait_for(f"says that it is {HOST}/br-tun", mark)
    controller.wait_for(f"{HOST}/br-tun disconnected", mark)
    assert filled and ovs.flows("br-tun") == filled


def test_a_switch_that_comes_back_at_once_is_taken_at_once(
    ovs: Ovs, controller: Controller, topology_file: Path
) -> None:
    in_sync(controller, ovs, view_of(topology_file, HOST))
    for _ in range(3):
        mark = controller.mark()
        ovs.stop()
        ovs.start()
        controller.wait_for(f"{HOST}/br-tun in sync", mark)
    assert not [line for line in controller.lines() if "refused" in line]


def test_only_our_flows_are_read(
    ovs: Ovs, controller: Controller, topology_file: Path, folder: Path
) -> None:
    in_sync(controller, ovs, view_of(topology_file, HOST))
    others = folder / "others.flows"
    others.write_text(
        "".join(
            f"cookie=0x6c6561726e6564,table=20,priority=1,dl_vlan={at % 4000},"
            f"dl_dst=02:00:00:00:00:{at // 4000:02x},actions=drop\n"
            for at in range(40_000)
        )
    )
    ovs.run("ovs-ofctl", "-O", "OpenFlow14", "--bundle", "add-flows", "br-tun", str(others))
    relay = Relay(controller.port)
    try:
        mark = controller.mark()
        ovs.vsctl("set-controller", "br-tun", relay.target)
        controller.wait_for(f"{HOST}/br-tun in sync: 54 flows, nothing to change", mark)
        messages = [each for tape in relay.tapes for each in tape.switch.messages()]
    finally:
        relay.stop()
    assert 0 < sum(len(each.body) for each in messages if each.is_about(FLOW_STATS)) < 50_000


def test_a_count_of_flows_in_two_parts_costs_its_connection(controller: Controller) -> None:
    """The count is one number, so it fits into one part."""
    with Peer(controller.port, OTHER_BRIDGE) as peer:
        peer.advance(State.SETTLED)
        message = peer.answer_until(lambda message: message.requests(of.AGGREGATE))
        for flags in (of.MORE, 0):
            peer.send(of.multipart(5, of.AGGREGATE, message.xid, bytes(24), flags))
        peer.await_end()
    line = controller.wait_for(f"{peer.address}: ")
    assert "an answer about aggregate that has more than one part" in line
    assert tracebacks(controller) == []


def test_a_port_that_comes_and_goes_all_the_time_is_a_few_lines(
    controller: Controller, topology_file: Path
) -> None:
    cards = load_topology(topology_file).cards
    device = next(card.device for card in cards if card.name == "vm-64")
    with Peer(controller.port, b"server-64/br-int", {device: 7}) as peer:
        peer.advance(State.SETTLED)
        for _ in range(30):
            peer.change(1, device)
            peer.change(0, device)
    controller.wait_for("server-64/br-int disconnected")
    lines = [line for line in controller.lines() if "server-64/br-int in sync" in line]
    assert PRINTED < len(lines) <= COMINGS + 1


def test_a_bridge_that_an_edit_takes_while_it_is_read_is_left_alone(
    controller: Controller, topology_file: Path
) -> None:
    host = "  server-9: {address: 10.0.44.9, management_address: 127.0.0.1}\n"
    text = topology_file.read_text()
    mark = controller.mark()
    topology_file.write_text(text.replace("hosts:\n", f"hosts:\n{host}", 1))
    controller.wait_for("topology ", mark)
    with Peer(controller.port, b"server-9/br-tun") as peer:
        peer.advance(State.READ)
        mark = controller.mark()
        topology_file.write_text(text)
        controller.wait_for("topology ", mark)
        peer.send(of.multipart(5, of.FLOWS, peer.xid))
        controller.wait_for("server-9/br-tun is no bridge of the topology", mark)
        peer.echo()
    assert tracebacks(controller) == []


def test_properties_of_ports_are_not_stored(controller: Controller) -> None:
    """Until a bridge has sent all its ports, it may report changes of them."""
    with Peer(controller.port, OTHER_BRIDGE) as peer:
        peer.advance(State.NAMED)
        before = memory(controller)
        port = of.port(5, 1, b"x", of.ethernet() * 1900)
        for _ in range(300):
            peer.send(of.port_status(5, 0, 2, port))
        peer.echo()
        assert memory(controller) - before < 30_000
