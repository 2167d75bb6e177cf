"""Failing TLS handshakes: what each endpoint reports about the other, in real handshakes."""

from __future__ import annotations

import shutil
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from attrs import evolve, frozen

from dvr_ryu.companion.check import hello, site
from dvr_ryu.companion.check.finding import Finding
from dvr_ryu.pki import contexts, making, refusals
from dvr_ryu.pki.files import PkiFiles, folder_of_host, of_controller, of_host
from dvr_ryu.topology.controller import Controller
from tests.certificates import expire

OUR_HELLO = bytes.fromhex("0500000800000001")


@frozen
class Ends:
    """The files of the two endpoints, which a test may damage."""

    folder: Path
    switch: PkiFiles
    controller: PkiFiles

    def foreign_switch(self) -> Ends:
        other = self.folder / "other"
        making.init(other)
        made = making.make_host(other, "h1")
        assert made
        foreign = of_host(made, "h1")
        return evolve(self, switch=evolve(foreign, authority=self.switch.authority))

    def foreign_controller(self) -> Ends:
        other = self.folder / "other"
        making.init(other)
        return evolve(
            self, controller=evolve(of_controller(other), authority=self.controller.authority)
        )

    def expired_switch(self) -> Ends:
        expire(self.switch, self.folder / "pki" / "switchca")
        return self

    def expired_controller(self) -> Ends:
        expire(self.controller, self.folder / "pki" / "controllerca")
        return self


@pytest.fixture
def ends(pki: Path, tmp_path: Path) -> Ends:
    folder = Path(shutil.copytree(pki, tmp_path / "pki"))
    return Ends(tmp_path, of_host(folder_of_host(folder, "h1"), "h1"), of_controller(folder))


def nothing(ends: Ends) -> Ends:
    return ends


def serve(listener: socket.socket, files: PkiFiles, explanations: list[str]) -> None:
    """Act as a controller for one connection; note the peer's name, or the reason of its
    refusal.
    """
    connected, _ = listener.accept()
    with connected:
        connected.settimeout(5)
        try:
            with contexts.server(files).wrap_socket(connected, server_side=True) as secured:
                shown = secured.getpeercert()
                assert shown
                explanations.append(str(shown["subject"][-1][0][1]))
                secured.sendall(OUR_HELLO)
                secured.recv(100)
        except OSError as error:
            explanations.append(refusals.explain(error))


def meet(ends: Ends, connect: Callable[[int], object]) -> str:
    """The messages of the controller about its peer."""
    explanations: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener, ends.controller, explanations))
        thread.start()
        connect(listener.getsockname()[1])
        thread.join()
    return explanations[0]


CASES: dict[str, tuple[Callable[[Ends], Ends], str, str]] = {
    "good": (nothing, "h1", "answers with OpenFlow 1.4"),
    "foreign switch": (
        Ends.foreign_switch,
        "shows a certificate of another authority than ours",
        "says that our certificate is of another authority than its own",
    ),
    "expired switch": (
        Ends.expired_switch,
        "shows a certificate that has expired",
        "says that our certificate has expired",
    ),
    "foreign controller": (
        Ends.foreign_controller,
        "says that our certificate is of another authority than its own",
        "shows a certificate of another authority than ours",
    ),
    "expired controller": (
        Ends.expired_controller,
        "says that our certificate has expired",
        "shows a certificate that has expired",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_each_endpoint_reports_the_problem(ends: Ends, case: str) -> None:
    spoil, by_controller, by_check = CASES[case]
    spoiled = spoil(ends)
    found: list[Finding] = []

    def check(port: int) -> None:
        found.extend(site._controller(Controller("127.0.0.1", port, tls=True), spoiled.switch))

    assert meet(spoiled, check) == by_controller
    ((explanations),) = [each.seen.partition(" ")[2] for each in found]
    assert explanations == by_check


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_a_switch_without_tls_differs_from_one_without_a_certificate(ends: Ends) -> None:
    def plain(port: int) -> None:
        with socket.create_connection(("127.0.0.1", port)) as connected:
            connected.sendall(OUR_HELLO)
            with suppress(ConnectionResetError):
                connected.recv(100)

    def without_certificate(port: int) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection(("127.0.0.1", port)) as connected:
            with pytest.raises(ssl.SSLError) as raised:
                hello.exchange_over_tls(connected, 5, context)
            assert refusals.explain(raised.value) == "says that we show no certificate"

    def old_version(port: int) -> None:
        context = contexts.client(ends.switch)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("ALL:@SECLEVEL=0")
        with socket.create_connection(("127.0.0.1", port)) as connected, pytest.raises(OSError):
            hello.exchange_over_tls(connected, 5, context)

    def gone(port: int) -> None:
        socket.create_connection(("127.0.0.1", port)).close()

    assert meet(ends, plain) == "speaks no TLS"
    assert meet(ends, without_certificate) == "shows no certificate"
    assert meet(ends, old_version) == "speaks no TLS of version 1.2 or later"
    assert meet(ends, gone).startswith("ends the connection before TLS is agreed on")


def test_a_controller_without_tls_is_reported(ends: Ends) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connected, _ = listener.accept()
            with connected:
                connected.sendall(OUR_HELLO)
                connected.recv(1000)

        thread = threading.Thread(target=answer)
        thread.start()
        controller = Controller("127.0.0.1", listener.getsockname()[1], tls=True)
        (found,) = site._controller(controller, ends.switch)
        thread.join()
    assert found.seen == f"{controller} speaks no TLS"
