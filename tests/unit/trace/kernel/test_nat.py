"""NAT and connections: floating addresses, SNAT, forwarded ports, answers, errors about them."""

from __future__ import annotations

import pytest

from dvr_ryu.pipeline.run.packet import Packet
from dvr_ryu.pipeline.run.steps import Change
from dvr_ryu.trace.kernel.addresses import ip_number, ip_text
from dvr_ryu.trace.kernel.netfilter import tcp
from dvr_ryu.trace.kernel.outcome import Kind, Outcome, Why
from tests.unit.trace.kernel.hosts import Host, datagram, ping, syn, texts

ACK, RST, SYN_ACK = 0x10, 0x04, 0x12


def ends(outcome: Outcome) -> tuple[str, str]:
    """Source and destination of the only packet that leaves, or waits to leave."""
    packets = [frame.packet for frame in outcome.frames if frame.packet.is_ip]
    for state in outcome.state.namespaces.values():
        packets += [each.packet for each in state.waiting]
    (packet,) = packets
    return ip_text(packet["nw_src"]), ip_text(packet["nw_dst"])


def left(outcome: Outcome) -> Packet:
    """The only packet that leaves."""
    (frame,) = outcome.frames
    return frame.packet.having(dl_src=7, dl_dst=None)


def test_a_floating_address_goes_out_and_answers_come_back() -> None:
    host = Host()
    out = host.receive("qrouter", "qr-", ping("10.1.0.11", "2.2.2.1"), "10.1.0.1")
    assert ends(out) == ("2.2.2.101", "2.2.2.1")
    (step,) = (step for step in out.steps if step.kind is Kind.NETFILTER)
    assert step.text.endswith("float-snat -s 10.1.0.11/32 -j SNAT --to-source 2.2.2.101")
    assert step.changes == (Change("nw_src", *map(ip_number, ("10.1.0.11", "2.2.2.101"))),)
    back = host.receive("qrouter", "rfp-", left(out).reply())
    assert ends(back) == ("2.2.2.1", "10.1.0.11")
    assert "conntrack: an answer of a known connection: destination becomes 10.1.0.11" in texts(
        back
    )


def test_a_floating_address_is_reached_from_outside() -> None:
    host = Host()
    came = host.receive("qrouter", "rfp-", syn("2.2.2.1", "2.2.2.101", 22))
    assert ends(came) == ("2.2.2.1", "10.1.0.11")
    answer = left(came).reply()
    assert answer["tcp_flags"] == SYN_ACK
    assert ends(host.receive("qrouter", "qr-", answer, "10.1.0.1")) == ("2.2.2.101", "2.2.2.1")


def test_an_instance_reaches_its_own_floating_address() -> None:
    host = Host()
    out = host.receive("qrouter", "qr-", ping("10.1.0.11", "2.2.2.101"), "10.1.0.1")
    assert ends(out) == ("2.2.2.101", "10.1.0.11")
    assert ends(host.receive("qrouter", "qr-", left(out).reply(), "10.1.0.1")) == (
        "2.2.2.101", "10.1.0.11",
    )  # fmt: skip


def test_others_behind_the_router_are_seen_as_the_router_or_by_their_central_address() -> None:
    host = Host()
    one = host.receive("qrouter", "qr-", ping("10.1.0.12", "2.2.2.101"), "10.1.0.1")
    assert ends(one) == ("2.2.2.20", "10.1.0.11")
    other = Host().receive("qrouter", "qr-", ping("10.2.0.13", "2.2.2.101"), "10.2.0.1")
    assert ends(other) == ("2.2.2.102", "10.1.0.11")


def test_snat_gives_the_router_s_address_and_a_central_one_goes_first() -> None:
    host = Host()
    out = host.receive("snat", "sg-", ping("10.1.0.12", "8.8.8.8"), sg(host, "10.1.0.0"))
    assert ends(out) == ("2.2.2.20", "8.8.8.8")
    assert any("--random-fully: a real kernel chooses the port" in text for text in texts(out))
    out = Host().receive("snat", "sg-", ping("10.2.0.13", "8.8.8.8"), sg(host, "10.2.0.0"))
    assert ends(out) == ("2.2.2.102", "8.8.8.8")


def sg(host: Host, subnet: str) -> str:
    """The address of the sg- port in a subnet."""
    (router,) = host.view.topology.routers.values()
    ports = [each.snat_port for each in router.interfaces if each.snat_port is not None]
    return next(port.ip for port in ports if str(port.cidr.network_address) == subnet)


@pytest.mark.parametrize(
    ("port", "inner"), [(8000, 9000), (8004, 9004), (8009, 9009), (8010, None), (7999, None)]
)
def test_forwarded_ports_keep_their_distance(port: int, inner: int | None) -> None:
    host = Host()
    came = host.receive("snat", "qg-", syn("2.2.2.1", "2.2.2.103", port))
    if inner is None:  # the floating address itself has no such port
        assert texts(came)[2].endswith(f"TCP port {port}, but nobody listens")
        return
    waiting = host.state.waiting[0][1].packet
    assert (ip_text(waiting["nw_dst"]), waiting["tcp_dst"]) == ("10.1.0.12", inner)
    answer = waiting.reply().having(dl_dst=None)
    back = host.receive("snat", "sg-", answer, sg(host, "10.1.0.0"))
    packet = [each.packet for _, each in host.state.waiting][-1]
    assert (ip_text(packet["nw_src"]), packet["tcp_src"]) == ("2.2.2.103", port)
    assert back.dropped == ()


def test_the_protocol_of_a_forwarding_counts() -> None:
    came = Host().receive("snat", "qg-", datagram("2.2.2.1", "2.2.2.103", 8000))
    assert texts(came)[2].endswith("UDP port 8000, but nobody listens")


def test_an_error_about_a_translated_packet_is_translated_with_what_it_quotes() -> None:
    host = Host()
    out = left(host.receive("qrouter", "qr-", ping("10.1.0.11", "8.8.8.8"), "10.1.0.1"))
    error = Packet(
        {**ping("2.2.2.1", "2.2.2.101").fields, "icmp_type": 3, "icmp_code": 1}, 112, out
    )
    back = host.receive("qrouter", "rfp-", error)
    assert ends(back) == ("2.2.2.1", "10.1.0.11")
    quoted = left(back).quoted
    assert quoted is not None and ip_text(quoted["nw_src"]) == "10.1.0.11"


def test_an_error_of_the_router_itself_quotes_the_address_that_was_asked_for() -> None:
    outcome = Host().receive("qrouter", "rfp-", ping("2.2.2.1", "2.2.2.101", ttl=1))
    error = left(outcome)
    assert ip_text(error["nw_src"]) == "2.2.2.101"
    assert error.quoted is not None and ip_text(error.quoted["nw_dst"]) == "2.2.2.101"


def test_no_inner_address_leaves_without_a_connection() -> None:
    host = Host()
    packet = syn("10.1.0.11", "8.8.8.8", 80).having(tcp_flags=SYN_ACK)
    outcome = host.receive("qrouter", "qr-", packet, "10.1.0.1")
    assert outcome.dropped[0].why is Why.FILTERED
    assert "--ctstate INVALID -j DROP" in outcome.dropped[0].text
    assert not outcome.frames


def test_two_senders_never_share_a_port() -> None:
    host = Host()
    for source in ("10.1.0.12", "10.1.0.99"):
        host.receive("snat", "sg-", syn(source, "8.8.8.8", 80), sg(host, "10.1.0.0"))
    ports = [each.packet["tcp_src"] for _, each in host.state.waiting]
    assert len({*ports}) == 2 and ports[0] == 40000


def test_a_reset_that_is_the_first_answer_ends_a_connection() -> None:
    host = Host()
    came = host.receive("qrouter", "rfp-", syn("2.2.2.1", "2.2.2.101", 22))
    refused = left(came).reply().having(tcp_flags=RST | ACK)
    assert ends(host.receive("qrouter", "qr-", refused, "10.1.0.1")) == ("2.2.2.101", "2.2.2.1")
    assert host.state.of(host.namespace("qrouter")).connections == {}


@pytest.mark.parametrize(
    ("segments", "states"),
    [
        ("S< SA> A<", ["syn-sent", "syn-recv", "established"]),
        ("S< R>", ["syn-sent", "close"]),
        ("SA<", [None]),
        ("R<", [None]),
        ("A< F> A< F< A>", ["established", "fin-wait", "close-wait", "last-ack", "time-wait"]),
        ("S< A<", ["syn-sent", None]),
        ("S< SA> SA>", ["syn-sent", "syn-recv", tcp.IGNORED]),
    ],
)
def test_the_states_of_tcp(segments: str, states: list[str | None]) -> None:
    letters = {"S": tcp.SYN, "A": tcp.ACK, "F": tcp.FIN, "R": tcp.RST}
    state, found = tcp.NEW, []
    for segment in segments.split():
        flags = sum(letters[each] for each in segment[:-1])
        after = tcp.next_state(state, flags, is_answer=segment.endswith(">"))
        found.append(after)
        state = state if after in (None, tcp.IGNORED) else str(after)
    assert found == states


def test_an_error_to_another_machine_is_none_about_the_connection() -> None:
    host = Host()
    out = left(host.receive("qrouter", "qr-", ping("10.1.0.11", "8.8.8.8"), "10.1.0.1"))
    fields = {**ping("2.2.2.1", "10.1.0.12").fields, "icmp_type": 3, "icmp_code": 1}
    back = host.receive("qrouter", "rfp-", Packet(fields, 112, out))
    assert back.steps[0].kind is Kind.RULE
    assert left(back).quoted == out


def test_only_a_router_s_own_namespace_picks_up_connections_in_the_middle() -> None:
    host = Host()
    segment = syn("10.1.0.11", "8.8.8.8", 80).having(tcp_flags=ACK)
    assert ends(host.receive("qrouter", "qr-", segment, "10.1.0.1")) == ("2.2.2.101", "8.8.8.8")
    refused = host.receive("snat", "sg-", segment, sg(host, "10.1.0.0"))
    assert refused.dropped[0].why is Why.FILTERED
