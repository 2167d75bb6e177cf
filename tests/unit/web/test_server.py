"""The server answers over real sockets, and no client stops it: slow ones, junk, floods."""

from __future__ import annotations

import http.client
import logging
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dvr_ryu.lab.wait import wait_until
from dvr_ryu.web import connection, server
from dvr_ryu.web.address import PageAddress
from dvr_ryu.web.messages import Request, Response, document
from dvr_ryu.web.server import Server

LARGE = b"x" * (32 << 20)
"""More than the buffers of two sockets take."""


def fails(_: Request) -> Response:
    raise KeyError("nothing here")


ROUTES = {
    "/": lambda request: document({"query": request.query}),
    "/large": lambda _: Response(LARGE),
    "/fails": fails,
}


@pytest.fixture(scope="module")
def served() -> Iterator[Server]:
    running = Server(PageAddress("127.0.0.1", 0), ROUTES, "page", "[dvr] page")
    running.start()
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Floods of this file's own need not wait for each other."""
    monkeypatch.setattr(server, "RATE", 5000)


def get(served: Server, path: str, method: str = "GET", **headers: str) -> tuple[int, bytes]:
    client = http.client.HTTPConnection(served.address.host, served.address.port, timeout=10)
    try:
        client.request(method, path, headers=headers)
        response = client.getresponse()
        return response.status, response.read()
    finally:
        client.close()


def client_of(served: Server) -> socket.socket:
    return socket.create_connection((served.address.host, served.address.port), timeout=10)


def all_of(sock: socket.socket) -> bytes:
    content = b""
    while piece := sock.recv(1 << 16):
        content += piece
    return content


def test_a_route_answers_with_its_query(served: Server) -> None:
    assert get(served, "/?from=a&to=b%20c") == (200, b'{"query":{"from":"a","to":"b c"}}')


def test_head_has_no_body(served: Server) -> None:
    assert get(served, "/", "HEAD") == (200, b"")


def test_a_large_response_arrives_whole(served: Server) -> None:
    assert get(served, "/large") == (200, LARGE)


def test_other_requests_are_refused(served: Server) -> None:
    assert get(served, "/../etc/passwd")[0] == 404
    assert get(served, "/", "POST")[0] == 405
    assert get(served, "/", Host="evil.example")[0] == 421
    assert get(served, "/?" + "&".join(f"f{n}=1" for n in range(1000)))[0] == 400
    assert get(served, "/", Cookie="x" * 2 * connection.MOST_BYTES)[0] == 431


def test_every_response_has_the_headers_of_security(served: Server) -> None:
    for path in ("/", "/nothing"):
        with client_of(served) as sock:
            sock.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            head = all_of(sock).lower()
        assert b"content-security-policy: default-src 'none'; script-src 'self';" in head
        assert b"access-control-allow-origin" not in head


def test_a_mistake_of_a_route_is_one_line(served: Server, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "dvr_ryu"):
        status, body = get(served, "/fails")
    assert status == 500
    (line,) = caplog.messages
    assert line.startswith("the page /fails fails: KeyError at ")
    assert b"Traceback" not in body


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_junk_only_ends_its_own_connection(served: Server, junk: bytes) -> None:
    with client_of(served) as sock, suppress(OSError):
        sock.sendall(junk)
        sock.shutdown(socket.SHUT_WR)
        all_of(sock)
    assert get(served, "/")[0] == 200


def test_a_slow_request_ends_at_its_deadline(
    served: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One byte at a time keeps no connection open: the deadline is that of the whole request."""
    monkeypatch.setattr(connection, "REQUEST_SECONDS", 0.5)
    with client_of(served) as sock:
        sock.settimeout(0.05)
        ended = False
        for byte in b"GET / HTTP/1.1\r\nCookie: " + 1000 * b"x":
            try:
                sock.sendall(bytes((byte,)))
                ended = sock.recv(1) == b""
            except TimeoutError:
                continue
            except OSError:
                ended = True
            if ended:
                break
        assert ended


def test_a_client_that_reads_nothing_ends_at_its_deadline(
    served: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "RESPONSE_SECONDS", 0.5)
    with client_of(served) as sock:
        sock.sendall(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wait_until(lambda: not len(served._open), 10, "the connection has ended")
        assert len(all_of(sock)) < len(LARGE)


def test_silent_connections_give_way_to_others(
    served: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "REQUEST_SECONDS", 600.0)
    with ExitStack() as silent:
        first = silent.enter_context(client_of(served))
        for _ in range(3 * server.MOST_CONNECTIONS):
            silent.enter_context(client_of(served))
        assert first.recv(1) == b"", "the oldest is closed"
        assert get(served, "/")[0] == 200
        assert len(served._open) <= server.MOST_CONNECTIONS


def test_a_flood_is_slowed_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the burst, connections wait for their turn; the process has the time between."""
    monkeypatch.setattr(server, "RATE", 20)
    running = Server(PageAddress("127.0.0.1", 0), ROUTES, "page", "[dvr] page")
    running.start()
    try:
        pauses = []
        for _ in range(server.BURST + 20):
            began = time.monotonic()
            assert get(running, "/")[0] == 200
            pauses.append(time.monotonic() - began)
        assert sum(pauses[-8:]) > 5 / 20
    finally:
        running.stop()


def test_an_occupied_address_is_told_and_tried_again(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "TRY_AGAIN", 0.02)
    caplog.set_level(logging.INFO, "dvr_ryu")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = PageAddress("127.0.0.1", other.getsockname()[1])
        running = Server(address, ROUTES, "page", "[dvr] page")
        running.start()
    try:
        wait_until(lambda: len(caplog.messages) == 2, 10, "it listens after all")
        occupied, listens = caplog.messages
        assert "Address already in use; name another address as [dvr] page" in occupied
        assert listens == f"page at http://{address}/"
        assert get(running, "/")[0] == 200
    finally:
        running.stop()
