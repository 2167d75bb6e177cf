"""Switches that connect over TLS: any number at once, each only as a bridge of the host in its
certificate; each refused one gets a log line.
"""

from __future__ import annotations

import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from attrs import frozen

from dvr_ryu.lab.wait import wait_until
from dvr_ryu.pki import contexts, making
from dvr_ryu.pki.files import PkiFiles, folder_of_host, of_controller, of_host
from tests.certificates import expire
from tests.switch.support.controller import PATIENCE, RYU_MANAGER, Controller
from tests.switch.support.ovs import Ovs
from tests.switch.support.plain import PlainSwitch

HOSTS = [f"h{number}" for number in range(1, 12)]
BRIDGES = ("br-int", "br-tun")
PLAIN, TLS = "controller: tcp:10.0.0.99:6653", "controller: ssl:10.0.0.99:6653"
TOPOLOGY = f"{TLS}\nhosts:\n" + "".join(
    f"  {host}: {{address: 10.0.0.{number}, management_address: 127.0.0.{number}}}\n"
    for number, host in enumerate(HOSTS, 1)
)
"""By its address, a connection from 127.0.0.1 could be h1's."""


@frozen
class Pki:
    """The folder of `dvr pki`, for one test."""

    folder: Path

    def host(self, name: str) -> PkiFiles:
        """The files of a host; they are made if they do not exist."""
        making.make_host(self.folder, name)
        return of_host(folder_of_host(self.folder, name), name)


class TlsSwitch(PlainSwitch):
    """A switch with the certificate in these files, or without TLS. It may be refused."""

    def __init__(
        self, port: int, files: PkiFiles | None, name: str, source: str = "127.0.0.1"
    ) -> None:
        context = contexts.client(files) if files else None
        super().__init__(port, {}, name=name, context=context, source=source)

    def run(self) -> None:
        with suppress(OSError):
            super().run()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    pki = Pki(tmp_path_factory.mktemp("made") / "pki")
    making.init(pki.folder)
    for name in HOSTS:
        pki.host(name)
    return pki


@pytest.fixture
def pki(made: Pki, folder: Path) -> Pki:
    return Pki(Path(shutil.copytree(made.folder, folder / "pki")))


@pytest.fixture
def topology_file(folder: Path) -> Path:
    file = folder / "topology.yaml"
    file.write_text(TOPOLOGY)
    return file


@pytest.fixture
def controller(folder: Path, topology_file: Path, pki: Pki) -> Iterator[Controller]:
    config = folder / "ryu.conf"
    config.write_text(f"[dvr]\npki = {pki.folder}\n")
    with Controller(folder, topology_file, f"--config-file={config}") as running:
        yield running


@contextmanager
def switch(controller: Controller, files: PkiFiles | None, name: str) -> Iterator[TlsSwitch]:
    connected = TlsSwitch(controller.port, files, name)
    with closing(connected):
        connected.start()
        yield connected


def refused(controller: Controller, files: PkiFiles | None, name: str, text: str) -> None:
    """Let a switch connect; the controller logs its address and this text, and nothing more."""
    mark = controller.mark()
    with switch(controller, files, name) as it:
        line = controller.wait_for(text, mark)
        assert f"127.0.0.1:{it.port}: " in line
        it.join(PATIENCE)
        assert not it.is_alive()
    assert "Traceback" not in controller.log.read_text()


def test_any_number_of_switches_at_once(controller: Controller, pki: Pki) -> None:
    assert f"ssl:127.0.0.1:{controller.port}" in controller.wait_for("listening on")
    names = [(host, f"{host}/{bridge}") for host in HOSTS for bridge in BRIDGES]
    switches = [
        TlsSwitch(controller.port, pki.host(host), name, f"127.0.0.{HOSTS.index(host) + 1}")
        for host, name in names
    ]
    for each in switches:
        each.start()
    for _, name in names:
        controller.wait_for(f"{name} in sync")
    assert all(each.flows and each.is_alive() for each in switches)
    for each in switches:
        each.close()


def test_a_slow_handshake_delays_no_other_switch(controller: Controller, pki: Pki) -> None:
    silent = [socket.create_connection(("127.0.0.1", controller.port)) for _ in range(5)]
    with switch(controller, pki.host("h1"), "h1/br-tun"):
        controller.wait_for("h1/br-tun in sync")
    for each in silent:
        each.close()


def test_a_bridge_is_the_hosts_that_the_certificate_names(
    controller: Controller, pki: Pki, folder: Path
) -> None:
    refused(controller, pki.host("h2"), "h1/br-tun", "h1/br-tun, but its certificate is of h2")
    refused(controller, pki.host("h10"), "h1/br-tun", "h1/br-tun, but its certificate is of h10")
    other = Pki(folder / "foreign")
    making.init(other.folder)
    shutil.copy(of_controller(pki.folder).issuer, other.host("h1").authority)
    refused(controller, other.host("h1"), "h1/br-tun", "shows a certificate of another authority")
    refused(controller, None, "h1/br-tun", "speaks no TLS, and the file says ssl:")
    expire(pki.host("h3"), pki.folder / "switchca")
    refused(controller, pki.host("h3"), "h3/br-tun", "shows a certificate that has expired")
    with switch(controller, pki.host("h1"), "h1/br-tun"):
        controller.wait_for("h1/br-tun in sync")


def test_a_switch_without_a_certificate_gets_an_alert(controller: Controller) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connected = socket.create_connection(("127.0.0.1", controller.port))
    with connected, suppress(OSError), context.wrap_socket(connected) as secured:
        secured.recv(100)
    controller.wait_for("shows no certificate, and the file says ssl:")


def test_renewed_files_serve_without_a_restart(
    controller: Controller, pki: Pki, folder: Path
) -> None:
    """All files change, the authorities too: then only switches with certificates of the new ones
    are accepted.
    """
    new = Pki(folder / "new")
    making.init(new.folder)
    files, fresh = of_controller(pki.folder), of_controller(new.folder)
    old_host, new_host = pki.host("h1"), new.host("h1")
    with switch(controller, old_host, "h1/br-tun") as before:
        controller.wait_for("h1/br-tun in sync")
        for target, source in zip(files.all, fresh.all, strict=True):
            shutil.copy(source, target)
        refused(controller, new.host("h2"), "h1/br-int", "h1/br-int, but its certificate is of h2")
        assert before.is_alive()
    with switch(controller, new_host, "h1/br-tun"):
        controller.wait_for("h1/br-tun in sync", controller.mark())


def test_files_of_the_controller_that_become_bad_are_logged_once(
    controller: Controller, pki: Pki
) -> None:
    expire(of_controller(pki.folder), pki.folder / "controllerca")
    line = controller.wait_for("controller-cert.pem has expired on 2021-01-01")
    assert controller.lines().count(line) == 1


def test_an_edit_leads_from_tcp_to_tls_and_back(
    controller: Controller, pki: Pki, topology_file: Path
) -> None:
    def edit(old: str, new: str, line: str) -> None:
        mark = controller.mark()
        topology_file.write_text(topology_file.read_text().replace(old, new))
        controller.wait_for(line, mark)

    edit(TLS, PLAIN, "connections are tcp: from now on")
    with pytest.raises(ssl.SSLError):
        TlsSwitch(controller.port, pki.host("h1"), "h1/br-tun")
    controller.wait_for("it speaks TLS, and the file says tcp:")
    with switch(controller, None, "h1/br-tun") as plain:
        controller.wait_for("h1/br-tun in sync")
        edit(PLAIN, TLS, "came without TLS, and the file says ssl: now")
        plain.join(PATIENCE)
        assert not plain.is_alive()
    mark = controller.mark()
    with switch(controller, pki.host("h1"), "h1/br-tun"):
        controller.wait_for("h1/br-tun in sync", mark)


def test_an_edit_to_tls_without_files_admits_no_switch_until_they_exist(
    controller: Controller, pki: Pki, topology_file: Path
) -> None:
    def edit(content: str, line: str) -> None:
        mark = controller.mark()
        topology_file.write_text(content)
        controller.wait_for(line, mark)

    edit(TOPOLOGY.replace(TLS, PLAIN), "connections are tcp: from now on")
    controller.kill()
    missing = of_controller(pki.folder).certificate
    moved = missing.rename(missing.with_suffix(".away"))
    controller.start()
    edit(TOPOLOGY, "no switch can connect")
    assert "controller-cert.pem: is missing" in controller.wait_for("no switch can connect")
    with pytest.raises(OSError):
        TlsSwitch(controller.port, pki.host("h1"), "h1/br-tun")
    refused(controller, None, "h1/br-tun", "TLS needs files that are missing or no good")
    moved.rename(missing)
    with switch(controller, pki.host("h1"), "h1/br-tun"):
        controller.wait_for("h1/br-tun in sync")


def test_another_address_needs_a_restart_and_the_log_says_so(
    controller: Controller, topology_file: Path
) -> None:
    topology_file.write_text(TOPOLOGY.replace("6653", "6654"))
    controller.wait_for("start the controller anew: it listens where it was, not at ssl:10.0.0.99")


def without(file: Callable[[Path], Path]) -> Callable[[Path], object]:
    return lambda folder: file(folder).unlink()


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (
            without(lambda pki: of_controller(pki).private_key),
            "-privkey.pem: is missing; make them",
        ),
        (without(lambda pki: of_controller(pki).authority), "cacert.pem: is missing; make them: d"),
        (lambda pki: of_controller(pki).certificate.write_text("x"), "has no certificate that can"),
        (lambda pki: expire(of_controller(pki), pki / "controllerca"), "has expired on 2021-01-01"),
    ],
)
def test_without_good_files_it_does_not_start(
    folder: Path, topology_file: Path, pki: Pki, spoil: Callable[[Path], object], text: str
) -> None:
    spoil(pki.folder)
    done = subprocess.run(
        [RYU_MANAGER, "--ofp-listen-host=127.0.0.1", "dvr_ryu.app"],
        env={"DVR_TOPOLOGY": str(topology_file), "DVR_PKI": str(pki.folder), "PATH": "/usr/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        cwd="/",
    )
    assert done.returncode == 1
    assert text in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_open_vswitch_connects_and_takes_renewed_files(
    controller: Controller, pki: Pki, folder: Path, ovs: Ovs
) -> None:
    """The controller uses replaced files at the next connection: it logs why bad ones are refused,
    and accepts the restored ones without a restart.
    """
    location = folder / "host"
    shutil.copytree(folder_of_host(pki.folder, "h1"), location)
    files = of_host(location, "h1")
    ovs.vsctl("set-ssl", *map(str, (files.private_key, files.certificate, files.authority)))
    ovs.add_bridge("br-tun", "h1/br-tun", {}, f"ssl:127.0.0.1:{controller.port}")
    ovs.vsctl("set", "controller", "br-tun", "max_backoff=1000")
    controller.wait_for("h1/br-tun in sync")

    def show(owner: str) -> None:
        shown = pki.host(owner)
        shutil.copy(shown.private_key, files.private_key)
        shutil.copy(shown.certificate, files.certificate)
        mark = controller.mark()
        target = ovs.vsctl("get-controller", "br-tun").strip()
        ovs.vsctl("del-controller", "br-tun")
        controller.wait_for("h1/br-tun disconnected", mark)
        ovs.vsctl("set-controller", "br-tun", target)
        ovs.vsctl("set", "controller", "br-tun", "max_backoff=1000")

    mark = controller.mark()
    show("h2")
    controller.wait_for("h1/br-tun, but its certificate is of h2: refused", mark)
    expire(pki.host("h3"), pki.folder / "switchca")
    shutil.copy(pki.host("h3").private_key, files.private_key)
    shutil.copy(pki.host("h3").certificate, files.certificate)
    controller.wait_for("shows a certificate that has expired", mark)
    shutil.copy(pki.host("h1").private_key, files.private_key)
    shutil.copy(pki.host("h1").certificate, files.certificate)
    controller.wait_for("h1/br-tun in sync", mark)
    wait_until(lambda: bool(ovs.flows("br-tun")), PATIENCE, "flows")
    assert not re.search("Traceback", controller.log.read_text())
